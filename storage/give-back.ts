import { MessageChannel } from 'node:worker_threads';

const { port1: nowhere } = new MessageChannel();
nowhere.close();

/**
 * Memory that came from outside the heap, and at which nobody looks again, goes back at once: V8 would else collect its
 * whole heap for every 64 MiB of it. A chunk that shares its memory is left alone.
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  // What is sent to a port that is closed is taken from here and arrives nowhere. ArrayBuffer.transfer needs Node 22.
  if (isWhole) nowhere.postMessage(undefined, [buffer]);
}
