import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as othersAreServed } from 'node:timers/promises';
import type { BlobBody, BlobFile, ByteRange } from '../storage/blobs.js';
import type { HeldSocket, Relay } from './kernel.js';
import { write, writeLast } from './socket-writing.js';

/** What goes through Node at a time. */
const PIECE = 16 << 10;

/** All of it, and nothing after it. */
export async function sendByKernel(
  res: ServerResponse,
  file: BlobFile,
  range: ByteRange,
  held: HeldSocket,
): Promise<void> {
  await moveByKernel(res, file, range, held);
  await writeLast(res, new Uint8Array());
}

/**
 * A piece goes through Node: it takes the headers along, waits until the socket has room, and finds out what is wrong.
 * Then the kernel moves what the socket takes; when that is full, it is Node's turn again.
 */
export async function moveByKernel(
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
    position = await moveFrom(position, res.req.socket, file, end, held);
  }
}

/**
 * The same from a connection: what Node reads of it waits until something has come, and what Node writes until there is
 * room. In between the kernel moves what there is.
 */
export async function relayByKernel(res: ServerResponse, body: BlobBody, length: number, relay: Relay): Promise<void> {
  const { socket } = res.req;
  let left = length;
  while (left > 0) {
    const piece = await body.read();
    await write(res, piece);
    left -= piece.length;
    while (left > 0 && !socket.destroyed) {
      const { taken, sent } = relay.move(body.descriptor, left);
      if (taken === 0) break;
      body.took(taken);
      left -= taken;
      socket.movedByKernel = (socket.movedByKernel ?? 0) + sent;
      socket.setTimeout(socket.timeout ?? 0);
      if (sent < taken) await write(res, relay.left(taken - sent));
      else await othersAreServed();
    }
  }
  await writeLast(res, new Uint8Array());
}

/** Where the kernel has got to when there was no more room. */
async function moveFrom(
  start: number,
  socket: Socket,
  { descriptor }: BlobFile,
  end: number,
  held: HeldSocket,
): Promise<number> {
  let position = start;
  while (position <= end && !socket.destroyed) {
    const { bytes, hasRoom } = await held.sendFile(descriptor, position, end + 1 - position);
    position += bytes;
    socket.movedByKernel = (socket.movedByKernel ?? 0) + bytes;
    // Node has not seen that anything moved, and would take the connection for idle.
    socket.setTimeout(socket.timeout ?? 0);
    if (!hasRoom) break;
  }
  return position;
}
