import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Context } from './command.js';
import { TELLING } from './compression.js';
import { CliError } from './errors.js';
import { DASH, interruptible, sizeOf, standardInput } from './input.js';
import type { Advance } from './progress.js';

type Surroundings = Pick<Context, 'io' | 'signal'>;

/** Bytes on their way to a server. */
export interface Source {
  label: string;
  /** The first bytes, of which there is one at least. */
  head: Buffer;
  /** Known for regular files only; those can be read again. */
  size: number | undefined;
  /** From a byte on, where it can be read again. */
  read(from?: number): AsyncGenerator<Buffer, void, undefined>;
}

const CHUNK = 1024 ** 2;

/** A file, or standard input. What is empty is refused, before anything is made for it. */
export async function openSource(path: string, context: Surroundings): Promise<Source> {
  const size = path === DASH ? undefined : await sizeOf(path);
  const label = path === DASH ? 'standard input' : path;
  if (size === 0) throw new CliError(`${path} is empty`);
  return size === undefined ? piped(label, pipeOf(path, context), context) : regular(path, size, context);
}

async function regular(path: string, size: number, { signal }: Surroundings): Promise<Source> {
  return {
    label: path,
    head: await headOf(path),
    size,
    async *read(from = 0) {
      let seen = from;
      const file = createReadStream(path, { start: from, end: size - 1, highWaterMark: CHUNK, signal });
      for await (const chunk of interruptible(file, signal)) {
        seen += chunk.length;
        yield chunk;
      }
      if (seen < size) throw new CliError(`${path} has become shorter while it was read`);
    },
  };
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(TELLING), 0, TELLING, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What can be read once only. */
async function piped(label: string, stream: Readable, { signal }: Surroundings): Promise<Source> {
  const chunks = interruptible(stream, signal);
  let head = Buffer.alloc(0);
  while (head.length < TELLING) {
    const { done, value } = await chunks.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  if (head.length === 0) throw new CliError(`${label} is empty`);
  return {
    label,
    head,
    size: undefined,
    async *read() {
      yield head;
      yield* chunks;
    },
  };
}

const pipeOf = (path: string, context: Surroundings): Readable =>
  path === DASH ? standardInput(context) : createReadStream(path, { highWaterMark: CHUNK, signal: context.signal });

/** The source as a stream; its sha1 and size are known when it has ended. */
export function metered(source: Source, advance: Advance) {
  const sha1 = createHash('sha1');
  let size = 0;
  const chunks = async function* () {
    for await (const chunk of source.read()) {
      sha1.update(chunk);
      size += chunk.length;
      advance(chunk.length);
      yield chunk;
    }
  };
  return { stream: Readable.from(chunks(), { objectMode: false }), sums: () => ({ sha1: sha1.digest('hex'), size }) };
}

/** In hex. */
export interface Digests {
  sha1: string;
  sha256: string;
}

export async function digestsOf(source: Source, advance: Advance): Promise<Digests> {
  const [sha1, sha256] = [createHash('sha1'), createHash('sha256')];
  for await (const chunk of source.read()) {
    sha1.update(chunk);
    sha256.update(chunk);
    advance(chunk.length);
  }
  return { sha1: sha1.digest('hex'), sha256: sha256.digest('hex') };
}
