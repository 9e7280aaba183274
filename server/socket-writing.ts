import type { ServerResponse } from 'node:http';
import { ClientLeft } from './context.js';

/** Settles when the chunk has left, so that its buffer can be used again, or when nobody is there to take it. */
export function write(res: ServerResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new ClientLeft('the connection was closed before the answer was complete'));
    if (res.closed || res.destroyed) return onClose();
    res.once('close', onClose);
    res.write(chunk, (error) => {
      res.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** A client that has all it wants may close before we have heard that it was delivered. */
export function writeLast(res: ServerResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (res.closed || res.destroyed) return resolve();
    res.once('finish', resolve).once('close', resolve);
    res.end(chunk);
  });
}
