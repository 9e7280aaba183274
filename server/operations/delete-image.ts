import { nameOf, type Selection } from '../../imgapi/channels.js';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Image } from '../../imgapi/image.js';
import type { Deps } from '../deps.js';
import { isOperator } from '../model/caller.js';
import { withoutChannel } from '../model/image.js';
import type { Task } from '../model/task.js';
import { checkDependents } from './check-dependents.js';
import { checkSettled } from './check-settled.js';
import { checkUnused } from './check-unused.js';
import { clearNodesFirst, forgetCopies } from './clear-nodes.js';
import { endUploadsTo } from './end-uploads.js';
import { findOwnImage, type Target } from './find-image.js';
import { saveImage } from './save-image.js';

export interface Deletion {
  fromAllChannels: boolean;
  /** Also while machines use it. */
  force: boolean;
}

/**
 * Removes the image, or only from the selected channel where it is in others too. Its bytes go with the last holder. Where
 * nodes have it, it is gone for everybody who asks over IMGAPI, and a task clears the nodes before it is deleted.
 */
export async function deleteImage(deps: Deps, target: Target, { fromAllChannels, force }: Deletion): Promise<void> {
  const { catalog, tasks, now } = deps;
  let clearing: Task | undefined;
  const isGone = await catalog.write(async (tx) => {
    const image = await findOwnImage(tx, target);
    if (force) checkForces(target);
    checkSettled(image);
    await checkDependents(tx, target);
    const rest = fromAllChannels ? undefined : remainder(image, target.channel);
    if (!rest && !force) await checkUnused(tx, target.caller, image);
    if (!rest && force) await forgetCopies(tx, image.uuid);
    const leaving = rest ? undefined : await clearNodesFirst(deps, tx, target.caller, image);
    clearing = leaving?.task;
    await saveImage(tx, image, rest ?? leaving?.image, now());
    return rest === undefined && !leaving;
  });
  if (clearing) tasks.enqueue(clearing);
  if (isGone) await endUploadsTo(deps, target.uuid);
}

/** Who acts for an account is no operator meanwhile. */
export function checkForces({ caller, account }: Pick<Target, 'caller' | 'account'>): void {
  if (account === undefined && isOperator(caller)) return;
  throw new ImgapiError('NotPermitted', 'only operators may force what takes images from machines that use them');
}

function remainder(image: Image, channel: Selection): Image | undefined {
  const name = nameOf(channel);
  if (name === undefined) return undefined;
  const rest = withoutChannel(image, name);
  return rest.channels?.length ? rest : undefined;
}
