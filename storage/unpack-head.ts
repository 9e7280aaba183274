import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Packing } from '../imgapi/packing.js';

/** What can not be looked into here. */
export class NoUnpacker extends Error {
  override name = 'NoUnpacker';
}

/** A block of bzip2 has up to 900 kB, and nothing of it comes out before it is whole. */
export const ENOUGH = 1 << 20;

const tools: Readonly<Record<Exclude<Packing, 'none' | 'gzip'>, string>> = { bzip2: 'bzip2', xz: 'xz', zstd: 'zstd' };

/**
 * The first `length` bytes of what is packed in a file that begins with `head`; fewer where the file or the head ends.
 * However much would come out, no more is unpacked.
 */
export async function unpackHead(head: Uint8Array, packing: Packing, length: number): Promise<Uint8Array> {
  if (packing === 'none') return head.subarray(0, length);
  return packing === 'gzip' ? gunzipped(head, length) : spawned(head, tools[packing], length);
}

async function gunzipped(head: Uint8Array, length: number): Promise<Uint8Array> {
  const gunzip = createGunzip();
  Readable.from([head]).pipe(gunzip);
  return first(gunzip, length);
}

async function spawned(head: Uint8Array, tool: string, length: number): Promise<Uint8Array> {
  const child = spawn(tool, ['-dc'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const missing = new Promise<never>((_, reject) => {
    child.once('error', (cause) => reject(new NoUnpacker(`${tool} is not installed on this server`, { cause })));
  });
  // A file that is cut off, or of which enough has been seen, is no failure of the tool.
  child.stdin.on('error', () => {});
  child.stdin.end(head);
  try {
    return await Promise.race([first(child.stdout, length), missing]);
  } finally {
    child.kill('SIGKILL');
  }
}

/** A packed file whose end is missing breaks off with an error: what came before is what is looked at. */
async function first(stream: Readable, length: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= length) break;
    }
  } catch {
    // told by what there is, or by its being nothing
  }
  return Buffer.concat(chunks).subarray(0, length);
}
