import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import type { Answer, Exchange } from '../imgapi/exchange.js';
import { atPath } from './at-path.js';
import type { Context } from './command.js';
import { CliError } from './errors.js';
import { DASH } from './input.js';
import { print } from './output.js';
import { withProgress } from './progress.js';

interface Saving {
  /** A file, or `-`. */
  output: string;
  label: string;
  force?: true | undefined;
  quiet?: true | undefined;
}

/** What a server sends but once, into a file that is there when it is whole, or to standard output. */
export async function saveStream(
  get: () => Promise<Answer>,
  exchange: Exchange,
  saving: Saving,
  context: Context,
): Promise<void> {
  const { output, force } = saving;
  if (output === DASH) {
    if (context.io.stdout.isTTY)
      throw new CliError('standard output is a terminal', { hint: 'name a file with -o FILE' });
    return receive(get, exchange, saving, context, (chunk) => print(context.io, chunk));
  }
  if (!force && (await isThere(output))) {
    throw new CliError(`${output} exists already`, { hint: 'write elsewhere, or replace it with --force' });
  }
  const partial = `${output}.${randomBytes(4).toString('hex')}.partial`;
  const file = await atPath(partial, open(partial, 'wx', 0o600));
  try {
    await receive(get, exchange, saving, context, (chunk) => atPath(partial, file.writeFile(chunk)));
    await atPath(partial, file.sync());
    await file.close();
    await atPath(output, rename(partial, output));
  } catch (error) {
    await file.close();
    await rm(partial, { force: true });
    throw error;
  }
}

async function receive(
  get: () => Promise<Answer>,
  exchange: Exchange,
  { label, quiet }: Saving,
  { io }: Context,
  write: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  const { body, headers } = await get();
  const total = Number(headers['content-length']);
  let came = 0;
  await withProgress(io, { label, total, quiet }, async (advance) => {
    for await (const chunk of body) {
      await write(chunk);
      came += chunk.length;
      advance(chunk.length);
    }
  });
  if (came !== total) throw exchange.endedEarly();
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (Object(error).code === 'ENOENT') return false;
    throw error;
  }
}
