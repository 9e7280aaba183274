import { ask, isAttended } from './ask.js';
import type { Context } from './command.js';
import { CliError } from './errors.js';
import { visible } from './visible.js';

/** Goes on only when somebody at a terminal says yes to what is named, a line for each. */
export async function confirmDeletion(lines: readonly string[], context: Context): Promise<void> {
  if (!isAttended(context)) {
    throw new CliError('nothing was deleted: there is no terminal to ask on', {
      hint: 'say --yes where nobody is asked',
    });
  }
  context.io.stderr.write(lines.map((line) => `  ${visible(line)}\n`).join(''));
  const answer = await ask('Delete? [y/N] ', context);
  if (!/^y(es)?$/i.test(answer)) throw new CliError('nothing was deleted');
}
