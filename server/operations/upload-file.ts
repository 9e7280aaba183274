import type { Readable } from 'node:stream';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Compression, Image } from '../../imgapi/image.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { fileHolder, withFile } from '../model/image.js';
import type { RegisteredImage } from '../model/registration.js';
import { checkSettled } from './check-settled.js';
import { findOwnImage, type Target } from './find-image.js';
import { checkTakesFiles } from './image-server.js';
import { type Expected, upload } from './upload.js';
import { withRoom } from './with-room.js';

export interface FileDetails {
  compression: Compression;
  dataset_guid?: string | undefined;
}

/** The first look at the image, before a byte is read; the upload looks again when all has arrived. */
export async function findUploadTarget(
  { catalog, directory }: Pick<Deps, 'directory'> & { catalog: Reader },
  target: Target,
): Promise<RegisteredImage> {
  const image = await findOwnImage(catalog, target);
  checkSettled(image);
  checkTakesFiles(directory);
  if (image.activated) {
    throw new ImgapiError('ImageFilesImmutable', `image ${image.uuid} is activated: its files can not be changed`);
  }
  return image;
}

export async function uploadFile(
  deps: Deps,
  target: Target,
  source: Readable,
  expect: Expected,
  { compression, dataset_guid }: FileDetails,
): Promise<Image> {
  const rules = { what: 'file', limit: deps.policy.maxFileSize, expect, refusal: 'Download' } as const;
  const image = await findUploadTarget(deps, target);
  return withRoom(deps, image, expect.size, (room) =>
    upload(deps, target, fileHolder(target.uuid, 0), source, { ...rules, room }, (image, stored) =>
      withFile(image, { ...stored, compression, ...(dataset_guid !== undefined && { dataset_guid }) }),
    ),
  );
}
