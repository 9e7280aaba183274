import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import type { ManagedImage } from '../model/registration.js';
import { Started, type Task } from '../model/task.js';
import { checkDependents } from './check-dependents.js';
import { checkSettled } from './check-settled.js';
import { checkUnused } from './check-unused.js';
import { clearNodesFirst, forgetCopies, isLeaving } from './clear-nodes.js';
import { checkForces } from './delete-image.js';
import { endUploadsTo } from './end-uploads.js';
import type { Named } from './find-managed-image.js';
import { manageImage } from './manage-image.js';

interface Deleting {
  /** Also while machines use it. */
  force: boolean;
  along?: ((tx: Tx) => Promise<void>) | undefined;
}

/** The image, from all its channels and data centers: at once, or by a task where nodes have to be cleared first. */
export async function deleteManagedImage(
  deps: Deps,
  caller: Caller,
  named: Named,
  { force, along }: Deleting,
): Promise<Started | undefined> {
  const { directory, policy, tasks } = deps;
  let deleted = '';
  let clearing: Task | undefined;
  const settled = (image: ManagedImage) => {
    // A node that will not come back has nobody wait for it.
    if (!(force && isLeaving(image))) checkSettled(image);
  };
  await manageImage(deps, { caller, operation: 'delete', named, along, settled }, async (image, tx) => {
    const { uuid } = image;
    if (force) checkForces({ caller, account: undefined });
    const viewer = { caller, mode: policy.mode, open: directory.openDatacenters };
    await checkDependents(tx, { ...viewer, uuid, channel: undefined });
    deleted = uuid;
    if (force) {
      await forgetCopies(tx, uuid);
      return undefined;
    }
    await checkUnused(tx, caller, { uuid });
    const leaving = await clearNodesFirst(deps, tx, caller, image);
    clearing = leaving?.task;
    return leaving?.image;
  });
  if (clearing) {
    tasks.enqueue(clearing);
    return new Started(clearing);
  }
  await endUploadsTo(deps, deleted);
  return undefined;
}
