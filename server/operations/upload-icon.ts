import type { Readable } from 'node:stream';
import type { Image } from '../../imgapi/image.js';
import type { Deps } from '../deps.js';
import { iconHolder, withIcon } from '../model/image.js';
import type { Target } from './find-image.js';
import { type Expected, upload } from './upload.js';

export function uploadIcon(
  deps: Deps,
  target: Target,
  source: Readable,
  expect: Expected,
  contentType: string,
): Promise<Image> {
  const rules = { what: 'icon', limit: deps.policy.maxIconSize, expect, refusal: 'Upload' } as const;
  return upload(deps, target, iconHolder(target.uuid), source, rules, (image, stored) =>
    withIcon(image, { ...stored, contentType }),
  );
}
