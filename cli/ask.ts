import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Context } from './command.js';
import { CliError, Interrupted } from './errors.js';

type Asking = Pick<Context, 'io' | 'signal'>;

/** Is there somebody to ask? */
export const isAttended = ({ io }: Asking): boolean => io.stdin.isTTY === true && io.stderr.isTTY === true;

export async function ask(question: string, { io, signal }: Asking): Promise<string> {
  return (await read(question, io.stderr, { io, signal })).trim();
}

/** What is typed does not show, and is taken as it is: a passphrase may begin or end with a blank. */
export async function askSecret(question: string, { io, signal }: Asking): Promise<string> {
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  io.stderr.write(question);
  try {
    return await read('', unseen, { io, signal });
  } finally {
    io.stderr.write('\n');
  }
}

async function read(question: string, output: Writable, { io, signal }: Asking): Promise<string> {
  const stop = new AbortController();
  const lines = createInterface({ input: io.stdin, output, terminal: true });
  // the terminal sends Ctrl-C as a letter while it is asked
  lines.once('SIGINT', () => stop.abort(new Interrupted('SIGINT')));
  lines.once('close', () => stop.abort(new CliError('nothing was entered')));
  const given = AbortSignal.any([signal, stop.signal]);
  try {
    return await lines.question(question, { signal: given });
  } catch (error) {
    throw given.aborted ? given.reason : error;
  } finally {
    lines.close();
  }
}
