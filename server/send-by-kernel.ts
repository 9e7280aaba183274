import type { ServerResponse } from 'node:http';
import type { BlobFile, ByteRange } from '../storage/blobs.js';
import type { HeldSocket } from './kernel.js';
import { write, writeLast } from './socket-writing.js';

/** What goes through Node at a time. */
const PIECE = 16 << 10;

/** What the kernel is asked to move at a time. */
const MOST = 1 << 20;

/**
 * A piece goes through Node: it takes the headers along, waits until the socket has room, and finds out what is wrong.
 * Then the kernel moves what the socket takes; when that is full, it is Node's turn again.
 */
export async function sendByKernel(
  res: ServerResponse,
  file: BlobFile,
  { start, end }: ByteRange,
  held: HeldSocket,
): Promise<void> {
  const buffer = new Uint8Array(PIECE);
  let position = start;
  while (position <= end) {
    const piece = await file.read(buffer.subarray(0, end + 1 - position), position);
    await write(res, piece);
    position += piece.length;
    position += await moved(res, file, { start: position, end }, held);
  }
  await writeLast(res, new Uint8Array());
}

/** How many bytes the kernel has moved, until there was no more room. */
async function moved(
  { req: { socket } }: ServerResponse,
  file: BlobFile,
  { start, end }: ByteRange,
  held: HeldSocket,
): Promise<number> {
  let position = start;
  while (position <= end && !socket.destroyed) {
    const wanted = Math.min(MOST, end + 1 - position);
    const sent = await held.sendFile(file.descriptor, position, wanted);
    position += sent;
    socket.movedByKernel = (socket.movedByKernel ?? 0) + sent;
    // Node has not seen that anything moved, and would take the connection for idle.
    socket.setTimeout(socket.timeout ?? 0);
    if (sent < wanted) break;
  }
  return position - start;
}
