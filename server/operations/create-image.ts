import { randomUUID } from 'node:crypto';
import { finishDraft, readDraft, requireOwner } from '../../imgapi/draft.js';
import type { Image } from '../../imgapi/image.js';
import type { Deps } from '../deps.js';
import { images } from '../model/image.js';
import type { Viewer } from '../model/visibility.js';
import { checkOrigin, checkOwner } from './check-relations.js';
import { rulesOf } from './rules.js';

/** A new, unactivated image without a file. */
export async function createImage(
  { catalog, policy }: Deps,
  viewer: Viewer,
  channel: string | undefined,
  body: unknown,
): Promise<Image> {
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
    await tx.insert(images, image);
    return image;
  });
}
