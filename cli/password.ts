import { ask, askSecret, isAttended } from './ask.js';
import type { Context } from './command.js';
import { CliError } from './errors.js';
import { DASH, readInput } from './input.js';
import { visible } from './visible.js';

type Surroundings = Pick<Context, 'io' | 'signal'>;

const MAX_PASSWORD = 1024;

/** The password of a user, asked for where somebody is there to ask. */
export async function givenPassword(user: string, stdin: true | undefined, context: Surroundings): Promise<string> {
  if (stdin) return fromInput(context);
  checkAttended(context);
  return askSecret(`Password of ${visible(user)} (it does not show): `, context);
}

/** A password that will be one: typed twice, as nobody sees what is typed. */
export async function newPassword(user: string, stdin: true | undefined, context: Surroundings): Promise<string> {
  if (stdin) return fromInput(context);
  checkAttended(context);
  const password = await askSecret(`New password of ${visible(user)} (it does not show): `, context);
  if ((await askSecret('Once more: ', context)) === password) return password;
  throw new CliError('these are two different passwords', { hint: 'nothing was changed: try again' });
}

/** The user who is meant, asked for where it is not said. */
export const givenUser = async (user: string | undefined, context: Surroundings): Promise<string> =>
  user ?? (isAttended(context) ? ask('User: ', context) : '');

async function fromInput(context: Surroundings): Promise<string> {
  return String(await readInput(DASH, MAX_PASSWORD, context)).replace(/\r?\n$/, '');
}

function checkAttended(context: Surroundings): void {
  if (isAttended(context)) return;
  throw new CliError('there is no terminal to ask for the password on', {
    hint: 'pipe it in, and say so: with --password-stdin for "login", --stdin for "user password"',
  });
}
