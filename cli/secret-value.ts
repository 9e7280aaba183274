import { askSecret, isAttended } from './ask.js';
import type { Context } from './command.js';
import { CliError } from './errors.js';
import { DASH, readInput } from './input.js';
import { visible } from './visible.js';

const MOST = 8192;

/** A password or token of another server: typed unseen or piped in, never an argument. */
export async function secretValue(
  name: string,
  stdin: true | undefined,
  context: Pick<Context, 'io' | 'signal'>,
): Promise<string> {
  if (stdin) return String(await readInput(DASH, MOST, context)).replace(/\r?\n$/, '');
  if (isAttended(context)) return askSecret(`Password or token of ${visible(name)} (it does not show): `, context);
  throw new CliError('there is no terminal to ask for the password or token on', {
    hint: 'pipe it in, and say so with --stdin',
  });
}
