import { ImgapiError } from '../../imgapi/errors.js';
import type { Stored } from '../../imgapi/image.js';
import type { ByteRange } from '../../storage/blobs.js';
import type { Context } from '../context.js';
import type { Deps } from '../deps.js';
import { byteRange } from '../model/byte-range.js';
import { isStillCurrent } from '../model/conditions.js';
import { findContent } from '../operations/find-content.js';
import { type Sendable, sendFile } from '../send-file.js';
import { answeredByConditions, quoted } from './reply.js';

type Sending = Pick<Deps, 'catalog' | 'kernel'> & { blobs: Sendable };

/** A file or an icon: all that can be decided from its record is decided before its bytes are touched. */
export async function sendStored(ctx: Context, deps: Sending, stored: Stored, contentType: string): Promise<void> {
  const current = { etag: stored.sha1, modified: new Date(stored.mtime) };
  ctx.set({
    Etag: quoted(current.etag),
    'Last-Modified': current.modified.toUTCString(),
    'Accept-Ranges': 'bytes',
  });
  if (answeredByConditions(ctx, current)) return;

  const range = rangeOf(ctx, stored.size, current);
  ctx.set('Content-Type', contentType);
  if (range) {
    ctx.status = 206;
    ctx.set('Content-Range', `bytes ${range.start}-${range.end}/${stored.size}`);
    ctx.set('Content-Length', String(range.end - range.start + 1));
  } else {
    ctx.status = 200;
    ctx.set('Content-Length', String(stored.size));
    ctx.set('Content-MD5', stored.contentMD5);
  }
  await sendFile(ctx, deps, await findContent(deps, stored), range);
}

function rangeOf(ctx: Context, size: number, current: { etag: string; modified: Date }): ByteRange | undefined {
  const asked = ctx.get('range');
  if (!asked || ctx.method !== 'GET') return undefined;
  const ifRange = ctx.get('if-range');
  if (ifRange && !isStillCurrent(ifRange, current)) return undefined;
  const range = byteRange(asked, size);
  if (range !== 'outside') return range;
  throw new ImgapiError('RequestedRangeNotSatisfiable', `the file has ${size} bytes, "${asked}" lies outside`, {
    headers: { 'Content-Range': `bytes */${size}` },
  });
}
