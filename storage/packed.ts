import { spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Packing } from '../imgapi/packing.js';
import { GivenReadable } from './lent-readable.js';

export interface Packer {
  kind: Packing;
  level?: number | undefined;
}

/** A stream could not be packed here. */
export class NotPacked extends Error {
  override name = 'NotPacked';
}

type Chunks = AsyncIterable<Uint8Array>;

const CHUNK = 64 << 10;

/** What these would take at their highest levels is more than a server has to spare: they lower the level by themselves. */
const tools: Readonly<Record<Exclude<Packing, 'none' | 'gzip'>, (level: string[]) => string[]>> = {
  bzip2: (level) => ['bzip2', '-c', ...level],
  xz: (level) => ['xz', '-q', '-q', '-c', '-T1', '--memlimit-compress=128MiB', ...level],
  zstd: (level) => ['zstd', '-q', '-c', '-T1', ...level],
};

/** A stream as it is packed; what fails in it, or in its source, is thrown, and no program is left behind. */
export function packed(source: Chunks, { kind, level }: Packer, signal: AbortSignal): Chunks {
  if (kind === 'none') return source;
  if (kind === 'gzip') return gzipped(source, level, signal);
  return spawned(source, tools[kind](level === undefined ? [] : [`-${level}`]), signal);
}

async function* gzipped(source: Chunks, level: number | undefined, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({ chunkSize: CHUNK, ...(level !== undefined && { level }) });
  const fed = pipeline(new GivenReadable(source), gzip, { signal });
  fed.catch(() => {}); // what goes wrong is thrown by the iteration
  yield* gzip;
  await fed;
}

async function* spawned(
  source: Chunks,
  [tool = '', ...words]: string[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const child = spawn(tool, words, { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => reject(new NotPacked(`${tool} is not installed on this server`, { cause })));
    child.once('exit', (code, killed) => {
      if (code === 0) resolve();
      else reject(new NotPacked(`${tool} on this server ended with ${code ?? killed}`));
    });
  });
  ended.catch(() => {}); // both are asked for behind the last byte
  const fed = pipeline(new GivenReadable(source), child.stdin, { signal });
  fed.catch(() => {});
  try {
    for await (const chunk of child.stdout) yield chunk;
    await ended;
    // A source that failed leaves a file that is whole to look at.
    await fed;
  } finally {
    child.kill('SIGKILL');
  }
}
