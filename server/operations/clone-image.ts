import { randomUUID } from 'node:crypto';
import { ImgapiError, validationFailed } from '../../imgapi/errors.js';
import { type Image, UNSET_OWNER } from '../../imgapi/image.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { audienceOf } from '../model/audience.js';
import { disable } from '../model/image.js';
import { placementOf, type RegisteredImage } from '../model/registration.js';
import { ADMIN } from '../model/user.js';
import { checkQuota } from './check-quota.js';
import { checkOrigins, checkPublishing } from './check-widening.js';
import { findImage, type Target } from './find-image.js';
import { originsOf } from './origins.js';
import { type Place, register } from './register-image.js';
import { saveImage } from './save-image.js';

/**
 * A copy of a shared image for the account it is shared with, with a copy of every origin that is not the system's. The
 * copies stand where their originals do, or all of them in `place`.
 */
export async function cloneImage(
  deps: Deps,
  target: Target,
  account: string,
  place: Place | undefined,
): Promise<Image> {
  const { catalog, now } = deps;
  return catalog.write(async (tx) => {
    const image = await findImage(tx, target);
    checkCanClone(image, account);
    let origin: string | undefined;
    let copy = image;
    for (const original of await copyOrder(tx, image)) {
      copy = copyFor(original, account, origin ?? original.origin, now());
      if (original !== image) copy = disable(copy);
      const registered = await register(tx, copy, place ?? placeLike(original), now());
      checkPublishing(target, undefined, registered);
      await checkOrigins(tx, target, audienceOf(original, target.open), registered);
      await checkQuota(deps, tx, undefined, registered);
      await saveImage(tx, undefined, registered, now());
      origin = copy.uuid;
    }
    return copy;
  });
}

function checkCanClone(image: Image, account: string): void {
  if (!image.activated) {
    throw validationFailed([{ field: 'active', code: 'Invalid', message: 'the image is not activated' }]);
  }
  if (!image.acl?.includes(account)) {
    throw new ImgapiError('ImageNotShared', `image ${image.uuid} is not shared with account ${account}`);
  }
  if (image.type === 'docker') {
    throw validationFailed([{ field: 'type', code: 'Invalid', message: 'docker images can not be cloned' }]);
  }
  checkSingleFile(image);
}

function checkSingleFile(image: Image): void {
  if (image.files.length > 1) {
    throw new ImgapiError('NotImplemented', `image ${image.uuid} has several files: it can not be cloned`);
  }
}

/** The image and those of its origins that belong to users, base first. */
async function copyOrder(reader: Reader, image: Image): Promise<Image[]> {
  const chain = [image];
  for await (const { record } of originsOf(reader, image)) {
    if (!record || record.owner === ADMIN.uuid || record.owner === UNSET_OWNER) break;
    checkSingleFile(record);
    chain.unshift(record);
  }
  return chain;
}

function placeLike(original: RegisteredImage): Place {
  const { datacenters, boundTo } = placementOf(original);
  return { datacenters, ...(boundTo !== undefined && { boundTo }) };
}

function copyFor(
  { acl: _, icon: __, registration: ___, ...original }: RegisteredImage,
  owner: string,
  origin: string | undefined,
  now: Date,
): Image {
  const copy = { ...original, uuid: randomUUID(), owner, published_at: now.toISOString() };
  return origin === undefined ? copy : { ...copy, origin };
}
