import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Caller } from '../model/caller.js';
import { type Token, tokenKey, tokens } from '../model/token.js';
import { findUser } from './find-user.js';

export interface TokenAddress {
  name: string;
  /** Whose it is; the caller's own where nobody is named. */
  user?: string | undefined;
}

/** One that is good still; to whoever may not reach it, it is not there. */
export async function findToken(reader: Reader, caller: Caller, { name, user: owner }: TokenAddress): Promise<Token> {
  const user = await findUser(reader, caller, owner);
  const token = user && (await reader.find(tokens, tokenKey(user.uuid, name)));
  if (token && !token.revoked && isWithin(caller, token)) return token;
  throw new ImgapiError('ResourceNotFound', `there is no token "${name}"`);
}

/** Whether credentials reach a token: those for one data center reach only others for the same. */
export const isWithin = (caller: Caller, { dc }: Token): boolean =>
  caller.kind !== 'user' || caller.rights.within === undefined || caller.rights.within === dc;
