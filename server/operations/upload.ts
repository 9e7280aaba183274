import type { Readable } from 'node:stream';
import { type ErrorCode, ImgapiError } from '../../imgapi/errors.js';
import type { Image, Stored } from '../../imgapi/image.js';
import { giveBack } from '../../storage/give-back.js';
import { publish } from '../../storage/holdings.js';
import { type Content, TransferRefused, transfer } from '../../storage/transfer.js';
import type { Deps } from '../deps.js';
import { checkQuota } from './check-quota.js';
import { checkSettled } from './check-settled.js';
import { findOwnImage, type Target } from './find-image.js';
import { saveImage } from './save-image.js';
import type { Room } from './with-room.js';

export interface Expected {
  size?: number | undefined;
  sha1?: string | undefined;
}

interface Upload {
  what: 'file' | 'icon';
  limit: number;
  expect: Expected;
  /** What bytes that are not what was promised are called on this endpoint. Too many are `Upload` on all. */
  refusal: ErrorCode;
  room?: Room;
}

/** Bytes for an image: received and verified first, then attached in one write, or thrown away. The source is a request's body. */
export async function upload(
  deps: Deps,
  target: Target,
  holder: string,
  source: Readable,
  { what, limit, expect, refusal, room = { through: [] } }: Upload,
  attach: (image: Image, stored: Stored) => Image,
): Promise<Image> {
  const { catalog, blobs, now } = deps;
  const { through, reservation } = room;
  if (expect.size !== undefined && expect.size > limit) {
    throw new ImgapiError('Upload', `the ${what} has ${expect.size} bytes, of which ${limit} are allowed`);
  }
  const staged = await blobs.stage();
  const content = await transfer(source, staged, { limit, expect, through, release: giveBack }).catch(
    (error: unknown) => {
      if (!(error instanceof TransferRefused)) throw error;
      throw new ImgapiError(error.reason === 'too-big' ? 'Upload' : refusal, error.message, { cause: error });
    },
  );
  return publish({ catalog, blobs }, { key: staged.key, content }, async (tx, hold) => {
    const before = await findOwnImage(tx, target);
    checkSettled(before);
    const after = attach(before, storedForm(content, now()));
    await checkQuota(deps, tx, before, after, reservation);
    await hold(holder);
    await saveImage(tx, before, after, now());
    return after;
  });
}

/** What records say of bytes that have come. */
export const storedForm = ({ size, md5, sha1, sha256 }: Content, now: Date): Stored => ({
  sha1,
  sha256,
  size,
  contentMD5: Buffer.from(md5, 'hex').toString('base64'),
  mtime: now.toISOString(),
  stor: 'local',
});
