import { ImgapiError } from '../../imgapi/errors.js';
import type { Image, Mode } from '../../imgapi/image.js';
import type { Reader } from '../../storage/catalog.js';
import { datacenters, MAIN } from '../model/datacenter.js';
import { images } from '../model/image.js';
import { modeLaw } from '../model/modes.js';
import { answer } from '../model/permissions.js';
import type { RegisteredImage } from '../model/registration.js';
import { isEntitled } from '../model/usable.js';
import { users } from '../model/user.js';
import { canRead, isOpen, type Viewer } from '../model/visibility.js';
import { originsOf } from './origins.js';

/** The origin that a manifest names has to exist, and to be one that the caller may see and use. */
export async function checkOrigin(reader: Reader, viewer: Viewer, origin: unknown): Promise<void> {
  if (origin === undefined || origin === null) return;
  const image = typeof origin === 'string' ? await reader.get(images, origin) : undefined;
  if (!image || !canRead(viewer, image) || !(await mayBuildOn(reader, viewer, image))) throw noOrigin(origin);
}

/** Whoever manages an image may build on it, and so may those who could make a machine of it where they are. */
async function mayBuildOn(reader: Reader, viewer: Viewer, image: RegisteredImage): Promise<boolean> {
  const { caller, mode } = viewer;
  if (caller.kind !== 'user' || !modeLaw[mode].fleet || isOpen(viewer, image)) return true;
  const { user, rights } = caller;
  if (image.owner === user.uuid || answer(caller, 'update', { image }) === 'yes') return true;
  const main = await reader.get(datacenters, MAIN);
  for (const name of rights.member) {
    const datacenter = await reader.get(datacenters, name);
    if (datacenter && isEntitled({ uuid: user.uuid, rights }, image, datacenter, main)) return true;
  }
  return false;
}

/** No image comes from itself, by whatever way: it could never be deleted. */
export async function checkAncestry(reader: Reader, image: Pick<Image, 'uuid' | 'origin'>): Promise<void> {
  for await (const { uuid } of originsOf(reader, image)) if (uuid === image.uuid) throw noOrigin(image.origin);
}

const noOrigin = (origin: unknown) =>
  new ImgapiError('OriginDoesNotExist', `origin image ${JSON.stringify(origin)?.slice(0, 100)} does not exist`);

export async function isOwnerKnown(reader: Reader, mode: Mode, owner: string): Promise<boolean> {
  return !modeLaw[mode].ownersAreUsers || (await reader.get(users, owner)) !== undefined;
}

export async function checkOwner(reader: Reader, mode: Mode, owner: string): Promise<void> {
  if (!(await isOwnerKnown(reader, mode, owner))) {
    throw new ImgapiError('OwnerDoesNotExist', `owner ${owner} does not exist`);
  }
}
