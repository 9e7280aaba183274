import type { Bandwidth } from '../storage/bandwidth.js';
import type { BlobStore, ByteRange } from '../storage/blobs.js';
import { StorageDown } from '../storage/errors.js';
import type { Context } from './context.js';
import type { HeldSocket, Kernel } from './kernel.js';
import { relayByKernel, sendByKernel } from './send-by-kernel.js';
import { write, writeLast } from './socket-writing.js';

interface Blob {
  key: string;
  size: number;
}

/** What of a store is sent from. */
export type Sendable = Pick<BlobStore, 'stat' | 'read' | 'openFile' | 'openBody'>;

interface Means {
  blobs: Sendable;
  kernel: Kernel | undefined;
}

/** Less is sent before the kernel has been asked. */
const WORTH_THE_KERNEL = 256 << 10;

/**
 * From a blob to the socket, with headers already set. The blob is opened, and its size compared with what was
 * promised, before anything is sent; a failure after that breaks the connection.
 */
export async function sendFile(
  ctx: Context,
  { blobs, kernel }: Means,
  { key, size }: Blob,
  range: ByteRange = { start: 0, end: size - 1 },
): Promise<void> {
  const isLarge = range.end - range.start >= WORTH_THE_KERNEL;
  const held =
    isLarge && ctx.method === 'GET' && (blobs.openFile || blobs.openBody) ? kernel?.hold(ctx.req.socket) : undefined;
  try {
    const file = held && (await blobs.openFile?.(key));
    const relayed = held && !file && (await sendRelayed(ctx, blobs, { key, size }, range, held));
    if (relayed) return;
    if (!file) return await sendRead(ctx, blobs, { key, size }, range);
    try {
      checkSize(key, size, file.size);
      ctx.respond = false;
      await sendByKernel(ctx.res, file, range, held);
    } finally {
      await file.close();
    }
  } finally {
    held?.release();
  }
}

/** From where the blob lies to the client, past us. False where that can not be. */
async function sendRelayed(
  ctx: Context,
  blobs: Sendable,
  { key, size }: Blob,
  range: ByteRange,
  held: HeldSocket,
): Promise<boolean> {
  const body = await blobs.openBody?.(key, range);
  if (!body) return false;
  const relay = held.openRelay();
  try {
    if (!relay) return false;
    checkSize(key, size, body.size);
    ctx.respond = false;
    await relayByKernel(ctx.res, body, range.end - range.start + 1, relay);
    return true;
  } finally {
    relay?.close();
    await body.close();
  }
}

async function sendRead(ctx: Context, blobs: Sendable, { key, size }: Blob, range: ByteRange): Promise<void> {
  checkSize(key, size, (await blobs.stat(key))?.size);
  if (ctx.method !== 'HEAD') return sendLent(ctx, blobs, key, range);
  ctx.respond = false;
  ctx.res.end();
}

function checkSize(key: string, size: number, found: number | undefined): void {
  if (found !== size) throw new StorageDown(`blob ${key}`, `it has ${found ?? 'no'} bytes instead of ${size}`);
}

/** The same, so fast and no faster: the kernel, which knows no pace, is left out. */
export function paced<Sending extends Means>(sending: Sending, bandwidth: Bandwidth, signal: AbortSignal) {
  const { blobs } = sending;
  const read: Sendable['read'] = async (key, range) => {
    const chunks = await blobs.read(key, range);
    return chunks && bandwidth.paced(chunks, signal);
  };
  return { ...sending, kernel: undefined, blobs: { stat: (key: string) => blobs.stat(key), read } };
}

async function sendLent(ctx: Context, blobs: Sendable, key: string, range: ByteRange): Promise<void> {
  const chunks = present(await blobs.read(key, range), key);
  ctx.respond = false;
  // a store that gives fewer bytes, or more, than were promised is found out, and breaks the connection as well
  ctx.res.strictContentLength = true;
  let left = range.end - range.start + 1;
  for await (const chunk of chunks) {
    left -= chunk.length;
    if (left > 0) await write(ctx.res, chunk);
    else await writeLast(ctx.res, chunk);
  }
  if (left > 0) ctx.res.end();
}

function present<T>(opened: T | undefined, key: string): T {
  if (opened === undefined) throw new StorageDown(`blob ${key}`, 'it disappeared');
  return opened;
}
