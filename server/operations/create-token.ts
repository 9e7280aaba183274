import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import type { Scope } from '../model/scope.js';
import { checkGives, expiryFrom, type Grant, hashToken, presentToken, tokenKey, tokens } from '../model/token.js';
import { findUser } from './find-user.js';
import { makeSecret } from './token-secret.js';

export interface TokenWish {
  name: string;
  scope: Scope;
  /** A date, or a duration. */
  expires?: string | undefined;
  /** Whose it will be; the caller's own where nobody is named. */
  user?: string | undefined;
}

/** What the new token is, with the secret that nobody will see again. `own` is what the caller's credentials allow. */
export async function createToken({ catalog, now }: Deps, caller: Caller, own: Grant, wish: TokenWish) {
  const made = now();
  const { name, scope } = wish;
  const expires = wish.expires === undefined ? undefined : expiryFrom(wish.expires, made);
  checkGives(own, { scope, expires });
  const secret = makeSecret();
  return catalog.write(async (tx) => {
    await checkStands(tx, own);
    const user = await findUser(tx, caller, wish.user);
    if (!user || user.inactive) throw unknownUser(wish.user);
    if (await tx.find(tokens, tokenKey(user.uuid, name))) {
      throw new ImgapiError('ObjectAlreadyExists', `token "${name}" exists already: revoke it, or choose another name`);
    }
    const created = made.toISOString();
    const token = { hash: hashToken(secret), name, user: user.uuid, created, scope, ...(expires && { expires }) };
    await tx.insert(tokens, token);
    return { ...presentToken(token, user, made), token: secret };
  });
}

/** A body can take as long as its sender likes: a token that was revoked meanwhile shall leave none behind. */
async function checkStands(reader: Reader, { token: hash }: Grant): Promise<void> {
  if (hash === undefined) return;
  const token = await reader.get(tokens, hash);
  if (!token || token.revoked) throw new ImgapiError('UnauthorizedError', 'the token that asks has been revoked');
}

const unknownUser = (name = '') =>
  invalidInput([{ field: 'user', code: 'Invalid', message: `user "${name}" is not known` }]);
