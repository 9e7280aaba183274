import type { Credentials } from '../auth/credentials.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { noRights, type Rights, withinDatacenter } from '../model/rights.js';
import { type Grant, hasExpired } from '../model/token.js';
import { isAdmitted, type User } from '../model/user.js';
import type { Directory } from './directory.js';

/** Who a caller is by now, with the rights of now; none where what proved it is good no more. */
export function currentCaller(
  { directory, now }: Pick<Deps, 'directory' | 'now'>,
  { uuid }: User,
  { token: hash, dc }: Grant,
): Caller | undefined {
  const user = directory.users.get(uuid);
  const proof = proofOf(directory, hash);
  if (!user || !isAdmitted(user)) return undefined;
  if (hash !== undefined && (!proof || hasExpired(proof, now()))) return undefined;
  const rights = directory.rightsOf(user);
  return { kind: 'user', user, rights: dc === undefined ? rights : withinDatacenter(rights, dc) };
}

/**
 * Whom credentials prove, with the rights of whenever they are looked at: a body takes as long as its sender likes. What
 * expires is good to the end of the request, what is taken away is not.
 */
export const followedCaller = (directory: Directory, credentials: Credentials): Caller =>
  credentials.user ? followedUser(directory, credentials.user, credentials) : followedNode(directory, credentials);

function followedUser(directory: Directory, user: User, { token: hash, dc }: Grant): Caller {
  let known = { of: noRights, rights: noRights };
  const now = (): Rights => {
    const current = directory.users.get(user.uuid);
    if (!current || !isAdmitted(current) || (hash !== undefined && !proofOf(directory, hash))) return noRights;
    return directory.rightsOf(current);
  };
  return {
    kind: 'user',
    user,
    get rights() {
      const of = now();
      if (known.of !== of) known = { of, rights: dc === undefined ? of : withinDatacenter(of, dc) };
      return known.rights;
    },
  };
}

function followedNode(
  { nodes, nodeTokens }: Directory,
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

function proofOf({ tokens, sessions }: Directory, hash = '') {
  const token = tokens.get(hash);
  return token?.revoked ? undefined : (token ?? sessions.get(hash));
}
