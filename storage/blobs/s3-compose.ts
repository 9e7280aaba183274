import { StorageDown } from '../errors.js';
import { type Checked, COPIED_IN_ONE_GO, type Listed, type Part, type S3Bucket } from './s3-bucket.js';

/** Copies that are under way at a time. */
const AT_ONCE = 4;

/**
 * One object of several that are there, in the store itself, and of some bytes behind them. All but the last must be as
 * large as parts have to be.
 */
export async function compose(
  bucket: S3Bucket,
  target: string,
  pieces: readonly Listed[],
  last?: Checked,
): Promise<void> {
  const size = pieces.reduce((sum, piece) => sum + piece.size, last?.bytes.length ?? 0);
  const [only] = pieces;
  if (only && pieces.length === 1 && !last && size <= COPIED_IN_ONE_GO) return bucket.copy(target, only.name, size);
  const upload = await bucket.begin(target);
  try {
    const copies = pieces.flatMap(rangesOf);
    const parts: Part[] = [];
    for (let at = 0; at < copies.length; at += AT_ONCE) {
      const some = copies.slice(at, at + AT_ONCE);
      parts.push(...(await Promise.all(some.map((from, n) => copied(bucket, target, upload, at + n + 1, from)))));
    }
    if (last) parts.push(await bucket.putPart(target, upload, parts.length + 1, last));
    await bucket.complete(target, upload, parts, size);
  } catch (error) {
    await bucket.abort(target, upload).catch(() => {}); // the first error is the one to tell; the sweep finds what is left
    throw error;
  }
}

interface From {
  name: string;
  etag: string;
  range?: { start: number; end: number };
}

/** Of about the same size each, so that none is too small. */
function rangesOf({ name, etag, size }: Listed): From[] {
  const count = Math.max(1, Math.ceil(size / COPIED_IN_ONE_GO));
  if (count === 1) return [{ name, etag }];
  const borders = Array.from({ length: count + 1 }, (_, n) => Math.floor((size * n) / count));
  return borders.slice(1).map((end, n) => ({ name, etag, range: { start: borders[n]!, end: end - 1 } }));
}

async function copied(bucket: S3Bucket, target: string, upload: string, number: number, from: From): Promise<Part> {
  const part = await bucket.copyPart(target, upload, number, from);
  const isComparable = bucket.etagIsMd5 && !from.range && isMd5(from.etag) && isMd5(part.etag);
  if (isComparable && bare(part.etag) !== bare(from.etag)) {
    throw new StorageDown(`copying ${from.name}`, `it is not what it was: ${part.etag} instead of ${from.etag}`);
  }
  return part;
}

const bare = (etag: string) => etag.replaceAll('"', '');
const isMd5 = (etag: string) => /^[0-9a-f]{32}$/.test(bare(etag));
