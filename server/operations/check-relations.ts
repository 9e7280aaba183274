import { ImgapiError } from '../../imgapi/errors.js';
import type { Image, Mode } from '../../imgapi/image.js';
import type { Reader } from '../../storage/catalog.js';
import { images } from '../model/image.js';
import { modeLaw } from '../model/modes.js';
import { users } from '../model/user.js';
import { canRead, type Viewer } from '../model/visibility.js';

/**
 * What a manifest names beside itself has to exist, and its origin has to be one that the caller may use. No image comes
 * from itself, by whatever way: it could never be deleted.
 */
export async function checkOrigin(reader: Reader, viewer: Viewer, origin: unknown, uuid?: string): Promise<void> {
  if (origin === undefined || origin === null) return;
  const image = typeof origin === 'string' ? await reader.get(images, origin) : undefined;
  if (!image || !canRead(viewer, image) || (uuid !== undefined && (await comesFrom(reader, image, uuid)))) {
    throw new ImgapiError('OriginDoesNotExist', `origin image ${shown(origin)} does not exist`);
  }
}

async function comesFrom(reader: Reader, image: Image, uuid: string): Promise<boolean> {
  const seen = new Set<string>();
  for (let next: Image | undefined = image; next && !seen.has(next.uuid); ) {
    if (next.uuid === uuid) return true;
    seen.add(next.uuid);
    next = next.origin === undefined ? undefined : await reader.get(images, next.origin);
  }
  return false;
}

export async function isOwnerKnown(reader: Reader, mode: Mode, owner: string): Promise<boolean> {
  return !modeLaw[mode].ownersAreUsers || (await reader.get(users, owner)) !== undefined;
}

export async function checkOwner(reader: Reader, mode: Mode, owner: string): Promise<void> {
  if (!(await isOwnerKnown(reader, mode, owner))) {
    throw new ImgapiError('OwnerDoesNotExist', `owner ${owner} does not exist`);
  }
}

const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 100);
