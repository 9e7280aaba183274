import { randomUUID } from 'node:crypto';
import { finishDraft, readDraft, requireOwner } from '../../imgapi/draft.js';
import type { Image } from '../../imgapi/image.js';
import type { Deps } from '../deps.js';
import type { Viewer } from '../model/visibility.js';
import { checkQuota } from './check-quota.js';
import { checkOrigin, checkOwner } from './check-relations.js';
import { checkWidening } from './check-widening.js';
import { type Place, register } from './register-image.js';
import { rulesOf } from './rules.js';
import { saveImage } from './save-image.js';

export interface Destination {
  channel: string | undefined;
  /** Nowhere on a server without data centers. */
  place: Place | undefined;
}

/** A new, unactivated image without a file. */
export async function createImage(
  deps: Deps,
  viewer: Viewer,
  body: unknown,
  { channel, place }: Destination,
): Promise<Image> {
  const { catalog, policy, now } = deps;
  const { account, caller } = viewer;
  const { owner: given = account ?? caller.user?.uuid, ...draft } = readDraft('create', body, account);
  const owner = requireOwner(given);
  return catalog.write(async (tx) => {
    await checkOwner(tx, policy.mode, owner);
    await checkOrigin(tx, viewer, draft.origin);
    const image = finishDraft('create', draft, {
      uuid: randomUUID(),
      owner,
      rules: rulesOf(policy),
      ...(channel !== undefined && { channel }),
    });
    const registered = place ? await register(tx, image, place, now()) : image;
    await checkWidening(tx, viewer, undefined, registered);
    await checkQuota(deps, tx, undefined, registered);
    await saveImage(tx, undefined, registered, now());
    return image;
  });
}
