import type { BlobStore, ByteRange } from '../storage/blobs.js';
import { StorageDown } from '../storage/errors.js';
import type { Context } from './context.js';
import { write, writeLast } from './socket-writing.js';

/**
 * From a blob to the socket, with headers already set. The blob is opened, and its size compared with what was
 * promised, before anything is sent; a failure after that breaks the connection.
 */
export async function sendFile(
  ctx: Context,
  blobs: BlobStore,
  { key, size }: { key: string; size: number },
  range: ByteRange | undefined,
): Promise<void> {
  const stat = await blobs.stat(key);
  if (stat?.size !== size) {
    throw new StorageDown(`blob ${key}`, `it has ${stat?.size ?? 'no'} bytes instead of ${size}`);
  }
  if (ctx.method === 'HEAD') {
    ctx.respond = false;
    ctx.res.end();
    return;
  }
  const chunks = await blobs.read(key, range);
  if (!chunks) throw new StorageDown(`blob ${key}`, 'it disappeared');
  ctx.respond = false;
  // a store that gives fewer bytes, or more, than were promised is found out, and breaks the connection as well
  ctx.res.strictContentLength = true;
  let left = range ? range.end - range.start + 1 : size;
  for await (const chunk of chunks) {
    left -= chunk.length;
    if (left > 0) await write(ctx.res, chunk);
    else await writeLast(ctx.res, chunk);
  }
  if (left > 0) ctx.res.end();
}
