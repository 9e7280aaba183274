import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { type Grant, isFirst, tokenKey, tokens } from '../model/token.js';
import { checkStands } from './check-stands.js';
import { findUser } from './find-user.js';
import { isWithin } from './list-tokens.js';

export interface TokenAddress {
  name: string;
  /** Whose it is; the caller's own where nobody is named. */
  user?: string | undefined;
}

/** From the next request on nobody gets in with it. */
export async function revokeToken(
  { catalog, now }: Deps,
  caller: Caller,
  own: Grant,
  address: TokenAddress,
): Promise<void> {
  await catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const user = await findUser(tx, caller, address.user);
    const token = user && (await tx.find(tokens, tokenKey(user.uuid, address.name)));
    if (!token || token.revoked || !isWithin(caller, token))
      throw new ImgapiError('ResourceNotFound', `there is no token "${address.name}"`);
    if (isFirst(token)) await tx.replace(tokens, { ...token, revoked: now().toISOString() });
    else await tx.delete(tokens, token.hash);
  });
}
