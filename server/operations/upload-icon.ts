import type { Readable } from 'node:stream';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Image } from '../../imgapi/image.js';
import type { Deps } from '../deps.js';
import { iconHolder, withIcon } from '../model/image.js';
import type { Target } from './find-image.js';
import { type Expected, upload } from './upload.js';

const refusals = {
  empty: 'Upload',
  'too-big': 'Upload',
  size: 'Upload',
  sha1: 'Upload',
  sha256: 'Upload',
  md5: 'Upload',
} as const;

export async function uploadIcon(
  deps: Deps,
  target: Target,
  source: Readable,
  expect: Expected,
  contentType: string,
): Promise<Image> {
  const limit = deps.policy.maxIconSize;
  if (expect.size !== undefined && expect.size > limit) {
    throw new ImgapiError('Upload', `an icon of ${expect.size} bytes is larger than the ${limit} bytes allowed`);
  }
  return upload(deps, target, iconHolder(target.uuid), source, { limit, expect, refusals }, (image, stored) =>
    withIcon(image, { ...stored, contentType }),
  );
}
