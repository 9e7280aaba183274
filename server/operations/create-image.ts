import { randomUUID } from 'node:crypto';
import { finishDraft, readDraft, requireOwner } from '../../imgapi/draft.js';
import { invalidParameter } from '../../imgapi/errors.js';
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
  const draft = readDraft('create', body);
  const owner = ownerOf(draft.owner, viewer);
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

function ownerOf(given: unknown, { account, caller }: Viewer): string {
  if (account !== undefined && given !== undefined && given !== account) {
    throw invalidParameter('owner', 'Invalid', `owner ${String(given)} is not account ${account}`);
  }
  return requireOwner(given ?? account ?? caller.user?.uuid);
}
