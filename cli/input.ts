import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { atPath } from './at-path.js';
import type { Context } from './command.js';
import { CliError } from './errors.js';

/** The name that stands for standard input, and for standard output. */
export const DASH = '-';

type Surroundings = Pick<Context, 'io' | 'signal'>;

/** Standard input, unless somebody sits there and types. */
export function standardInput({ io, signal }: Surroundings): Readable {
  if (io.stdin.isTTY) throw new CliError('standard input is a terminal', { hint: 'name a file, or pipe one in' });
  return addAbortSignal(signal, io.stdin);
}

/** A file or standard input that is small enough to be held whole. */
export async function readInput(path: string, most: number, context: Surroundings): Promise<Buffer> {
  const source = path === DASH ? standardInput(context) : createReadStream(path, { end: most });
  return atPath(path, wholeOf(path, interruptible(source, context.signal), most));
}

/** What is small enough to be held whole. */
export async function wholeOf(label: string, source: AsyncIterable<Buffer>, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > most) throw new CliError(`${label} has more than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The chunks of a stream; whoever is cancelled in the middle learns why. */
export async function* interruptible(source: Readable, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* source;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** The size of a regular file; nothing for what is read like a pipe, such as a device. */
export async function sizeOf(path: string): Promise<number | undefined> {
  const stats = await stat(path);
  if (stats.isDirectory()) throw new CliError(`${path} is a directory`);
  return stats.isFile() ? stats.size : undefined;
}
