import type { ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { ClientLeft } from './context.js';

// Both watch the socket and not the response: one that waits behind another on its connection hears of no end.

/**
 * Over TLS, a socket hears that something has moved when a whole write has left: one that takes longer than
 * `idleTimeout` would be taken for idle, however well it moves.
 */
const MOST_OVER_TLS = 128 * 1024;

/** Settles when the chunk has left, so that its buffer can be used again, or when nobody is there to take it. */
export async function write(res: ServerResponse, chunk: Uint8Array): Promise<void> {
  const most = mostOf(res, chunk);
  for (let at = 0; at < chunk.length; at += most) await writeWhole(res, chunk.subarray(at, at + most));
}

/** A client that has all it wants may close before we have heard that it was delivered. */
export async function writeLast(res: ServerResponse, chunk: Uint8Array): Promise<void> {
  const before = Math.max(0, chunk.length - mostOf(res, chunk));
  await write(res, chunk.subarray(0, before));
  await end(res, chunk.subarray(before));
}

const mostOf = ({ req }: ServerResponse, chunk: Uint8Array) =>
  req.socket instanceof TLSSocket ? MOST_OVER_TLS : chunk.length;

function writeWhole(res: ServerResponse, chunk: Uint8Array): Promise<void> {
  const { socket } = res.req;
  return new Promise((resolve, reject) => {
    const leave = (cause?: Error) =>
      reject(new ClientLeft('the connection was closed before the answer was complete', { cause }));
    const onClose = () => leave();
    if (socket.destroyed) return onClose();
    socket.once('close', onClose);
    res.write(chunk, (error) => {
      socket.off('close', onClose);
      if (error) leave(error);
      else resolve();
    });
  });
}

function end(res: ServerResponse, chunk: Uint8Array): Promise<void> {
  const { socket } = res.req;
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const onEnd = () => {
      socket.off('close', onEnd);
      res.off('finish', onEnd);
      resolve();
    };
    socket.once('close', onEnd);
    res.once('finish', onEnd);
    res.end(chunk);
  });
}
