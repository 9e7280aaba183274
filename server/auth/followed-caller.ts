import type { Caller } from '../model/caller.js';
import { standing } from '../model/proof.js';
import { noRights, type Rights, withinDatacenter } from '../model/rights.js';
import type { Grant } from '../model/token.js';
import { isAdmitted, type User } from '../model/user.js';
import type { Credentials } from './credentials.js';
import type { Secrets } from './secrets.js';

/** What is known of those who ask, always as it is now. */
type Known = Secrets & { rightsOf(user: User): Rights };

/**
 * Whom credentials prove, with the rights of whenever they are looked at: a body takes as long as its sender likes. What
 * expires is good to the end of the request, what is taken away is not.
 */
export const followedCaller = (known: Known, credentials: Credentials): Caller =>
  credentials.user ? followedUser(known, credentials.user, credentials) : followedNode(known, credentials);

function followedUser(known: Known, user: User, { token: hash, dc }: Grant): Caller {
  let last: { of: Rights; rights: Rights } | undefined;
  const now = (): Rights => {
    const current = known.users.get(user.uuid);
    if (!current || !isAdmitted(current) || (hash !== undefined && !standing(known, hash))) return noRights;
    return known.rightsOf(current);
  };
  return {
    kind: 'user',
    user,
    get rights() {
      const of = now();
      if (last?.of !== of) last = { of, rights: dc === undefined ? of : withinDatacenter(of, dc) };
      return last.rights;
    },
  };
}

function followedNode(
  { nodes, nodeTokens }: Known,
  { node, publish, token: hash = '' }: Extract<Credentials, { user?: undefined }>,
): Caller {
  return {
    kind: 'node',
    get node() {
      return nodes.get(node.name) ?? { ...node, datacenters: [] };
    },
    get publish() {
      return nodeTokens.has(hash) && nodes.has(node.name) ? publish : undefined;
    },
  };
}
