import type { Image, ImageFile } from '../../imgapi/image.js';
import { OWNER, UUID } from './manifests.js';

export const storedFile: ImageFile = {
  sha1: 'f572d396fae9206628714fb2ce00f72e94f2258f',
  sha256: '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
  size: 6,
  contentMD5: 'sZRqySSS0jR8YjW00mERhA==',
  mtime: '2026-11-20T23:57:30.000Z',
  stor: 'local',
  compression: 'gzip',
};

/** A stored image, with what the test cares about set. */
export function image(changes: Partial<Image> = {}): Image {
  return {
    v: 2,
    uuid: UUID,
    owner: OWNER,
    name: 'base-64',
    version: '1.0.0',
    state: 'unactivated',
    disabled: false,
    activated: false,
    public: false,
    type: 'zone-dataset',
    os: 'smartos',
    files: [],
    ...changes,
  };
}

/** An image that is out in the world. */
export const active = (changes: Partial<Image> = {}): Image =>
  image({
    state: 'active',
    activated: true,
    published_at: '2026-11-20T23:57:37.472Z',
    files: [storedFile],
    ...changes,
  });
