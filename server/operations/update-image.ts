import { ImgapiError } from '../../imgapi/errors.js';
import type { Image } from '../../imgapi/image.js';
import { applyUpdate } from '../../imgapi/update.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { isOperatorIn } from '../model/caller.js';
import { images } from '../model/image.js';
import { checkDependents } from './check-dependents.js';
import { checkAncestry, checkOrigin, checkOwner } from './check-relations.js';
import type { Target } from './find-image.js';
import { alreadyExists } from './import-image.js';
import { rulesOf } from './rules.js';

/** The change that an update body asks for, for `changeImage`. */
export function updateFrom({ policy }: Deps, target: Target, body: unknown) {
  return async (image: Image, tx: Tx): Promise<Image> => {
    const operator = isOperatorIn(target.mode, target.caller, target.account);
    const after = applyUpdate(image, body, { operator, rules: rulesOf(policy) });
    if (after.uuid !== image.uuid) await checkMove(tx, target, image, after.uuid);
    if (after.owner !== image.owner) await checkOwner(tx, policy.mode, after.owner);
    if (after.origin !== image.origin) await checkOrigin(tx, target, after.origin);
    await checkAncestry(tx, after);
    return after;
  };
}

async function checkMove(tx: Tx, target: Target, image: Image, uuid: string): Promise<void> {
  const existing = await tx.get(images, uuid);
  if (existing) throw alreadyExists(target, existing);
  await checkDependents(tx, { ...target, channel: undefined });
  if (image.files.length > 1) {
    throw new ImgapiError('NotImplemented', `image ${image.uuid} has several files: its uuid can not be changed`);
  }
}
