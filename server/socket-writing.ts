import type { ServerResponse } from 'node:http';
import { ClientLeft } from './context.js';

// Both watch the socket and not the response: one that waits behind another on its connection hears of no end.

/** Settles when the chunk has left, so that its buffer can be used again, or when nobody is there to take it. */
export function write(res: ServerResponse, chunk: Uint8Array): Promise<void> {
  const { socket } = res.req;
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new ClientLeft('the connection was closed before the answer was complete'));
    if (socket.destroyed) return onClose();
    socket.once('close', onClose);
    res.write(chunk, (error) => {
      socket.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** A client that has all it wants may close before we have heard that it was delivered. */
export function writeLast(res: ServerResponse, chunk: Uint8Array): Promise<void> {
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
