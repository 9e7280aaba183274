import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { standing } from '../model/proof.js';
import { withinDatacenter } from '../model/rights.js';
import { type Grant, hasExpired } from '../model/token.js';
import { isAdmitted, type User } from '../model/user.js';

/** Who a caller is by now, with the rights of now; none where what proved it is good no more. */
export function currentCaller(
  { directory, now }: Pick<Deps, 'directory' | 'now'>,
  user: User,
  { token: hash, dc }: Grant,
): Caller | undefined {
  const current = directory.users.get(user.uuid);
  if (!current || !isAdmitted(current)) return undefined;
  if (hash !== undefined) {
    const proof = standing(directory, hash);
    if (!proof || hasExpired(proof, now())) return undefined;
  }
  const rights = directory.rightsOf(current);
  return { kind: 'user', user: current, rights: dc === undefined ? rights : withinDatacenter(rights, dc) };
}

/** When what proves a caller ends, as far as is known by now: it may be prolonged. */
export const endOf = ({ directory }: Pick<Deps, 'directory'>, { token: hash, expires }: Grant): string | undefined =>
  (hash === undefined ? undefined : standing(directory, hash)?.expires) ?? expires;
