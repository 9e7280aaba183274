import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { datacenters } from '../model/datacenter.js';
import type { UserScope } from '../model/scope.js';
import { checkGives, expiryFrom, type Grant, hashToken, presentToken, tokenKey, tokens } from '../model/token.js';
import { isAdmitted } from '../model/user.js';
import { checkStands } from './check-stands.js';
import { findUser } from './find-user.js';
import { makeSecret } from './token-secret.js';

export interface TokenWish {
  name: string;
  scope: UserScope;
  /** A date, or a duration. */
  expires?: string | undefined;
  /** The one data center in which it is to be good; that of the credentials that ask, where they have one. */
  dc?: string | undefined;
  /** Whose it will be; the caller's own where nobody is named. */
  user?: string | undefined;
}

/** What the new token is, with the secret that nobody will see again. `own` is what the caller's credentials allow. */
export async function createToken({ catalog, now }: Deps, caller: Caller, own: Grant, wish: TokenWish) {
  const made = now();
  const { name, scope, dc = own.dc } = wish;
  const expires = wish.expires === undefined ? undefined : expiryFrom(wish.expires, made);
  checkGives(own, { scope, expires, dc });
  const secret = makeSecret();
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const user = await findUser(tx, caller, wish.user);
    if (!user || !isAdmitted(user)) throw unknownUser(wish.user);
    if (dc !== undefined) await checkDatacenter(tx, caller, dc);
    if (await tx.find(tokens, tokenKey(user.uuid, name))) {
      throw new ImgapiError('ObjectAlreadyExists', `token "${name}" exists already: revoke it, or choose another name`);
    }
    const created = made.toISOString();
    const limits = { ...(expires && { expires }), ...(dc !== undefined && { dc }) };
    const token = { hash: hashToken(secret), name, user: user.uuid, created, scope, ...limits };
    await tx.insert(tokens, token);
    return { ...presentToken(token, user, made), token: secret };
  });
}

/** One that the caller may not know of is none. */
async function checkDatacenter(reader: Reader, caller: Caller, name: string): Promise<void> {
  const isKnown = isOperator(caller) || (caller.kind === 'user' && caller.rights.member.has(name));
  if (isKnown && (await reader.get(datacenters, name))) return;
  throw invalidInput([{ field: 'dc', code: 'Invalid', message: `dc names no data center: "${name}"` }]);
}

const unknownUser = (name = '') =>
  invalidInput([{ field: 'user', code: 'Invalid', message: `user "${name}" is not known` }]);
