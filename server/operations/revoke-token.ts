import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { type Grant, isFirst, tokens } from '../model/token.js';
import { checkStands } from './check-stands.js';
import { findToken, type TokenAddress } from './find-token.js';

/** From the next request on nobody gets in with it. */
export async function revokeToken(
  { catalog, now }: Deps,
  caller: Caller,
  own: Grant,
  address: TokenAddress,
): Promise<void> {
  await catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const token = await findToken(tx, caller, address);
    if (isFirst(token)) await tx.replace(tokens, { ...token, revoked: now().toISOString() });
    else await tx.delete(tokens, token.hash);
  });
}
