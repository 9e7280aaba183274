import { ImgapiError } from '../../imgapi/errors.js';
import type { Image, Mode } from '../../imgapi/image.js';
import type { Reader } from '../../storage/catalog.js';
import { images } from '../model/image.js';
import { modeLaw } from '../model/modes.js';
import { users } from '../model/user.js';
import { canRead, type Viewer } from '../model/visibility.js';
import { originsOf } from './origins.js';

/** The origin that a manifest names has to exist, and to be one that the caller may use. */
export async function checkOrigin(reader: Reader, viewer: Viewer, origin: unknown): Promise<void> {
  if (origin === undefined || origin === null) return;
  const image = typeof origin === 'string' ? await reader.get(images, origin) : undefined;
  if (!image || !canRead(viewer, image)) throw noOrigin(origin);
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
