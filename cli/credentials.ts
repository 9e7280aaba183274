import { ImgapiClient } from '../imgapi/client.js';
import type { ExchangeOptions } from '../imgapi/exchange.js';
import type { Context } from './command.js';
import { CliError, exits } from './errors.js';
import type { Server } from './servers.js';
import { type Sign, type SigningKey, signing } from './sign.js';

/** What proves the user to a server. A key comes with its fingerprint, by which the ssh-agent knows it. */
export interface Proof {
  token?: string;
  sign?: Sign;
  fingerprint?: string;
}

/** What can stand in a header. */
export function checkToken(given: string): string {
  const token = given.trim();
  if (/^[\x21-\x7e]{1,512}$/.test(token)) return token;
  throw new CliError(token === '' ? 'the token is empty' : 'this is no token: it has blanks or line ends in it');
}

/** Where several keys may be meant, the first that the server accepts. */
export async function proofFor(
  { token, user, key }: Server,
  options: ExchangeOptions,
  context: Pick<Context, 'io' | 'signal' | 'env'>,
): Promise<Proof> {
  if (token !== undefined) return { token: checkToken(token) };
  if (user === undefined) return {};
  // most commands need no key: they do not wait until all of this is loaded
  const { signingKeys } = await import('./ssh-keys.js');
  const candidates = await signingKeys(key, context);
  const accepted = candidates.length === 1 ? candidates[0] : await firstAccepted(candidates, user, options);
  if (accepted) return { sign: signing(user, accepted), fingerprint: accepted.fingerprint };
  throw new CliError(`none of the ${candidates.length} keys of the ssh-agent is one of ${user}'s`, {
    hint: 'add the right one with ssh-add, or have it added to the keys of this user on the server',
    exit: exits.notLoggedIn,
  });
}

async function firstAccepted(
  candidates: SigningKey[],
  user: string,
  options: ExchangeOptions,
): Promise<SigningKey | undefined> {
  for (const key of candidates) {
    if (await isAccepted({ ...options, sign: signing(user, key) })) return key;
  }
  return undefined;
}

async function isAccepted(options: ExchangeOptions): Promise<boolean> {
  try {
    await new ImgapiClient(options).ping();
    return true;
  } catch (error) {
    if (Object(error).code === 'UnauthorizedError') return false;
    throw error;
  }
}
