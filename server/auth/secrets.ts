import { ImgapiError } from '../../imgapi/errors.js';
import type { Node } from '../model/node.js';
import type { NodeToken } from '../model/node-token.js';
import type { Session } from '../model/session.js';
import { hasExpired, hashToken, type Token } from '../model/token.js';
import { checkAdmitted, type User } from '../model/user.js';
import type { Credentials } from './credentials.js';

/** All that a secret can be, by its hash, and whom it proves; in memory, as every request asks. */
export interface Secrets {
  tokens: ReadonlyMap<string, Token>;
  sessions: ReadonlyMap<string, Session>;
  users: ReadonlyMap<string, User>;
  nodeTokens: ReadonlyMap<string, NodeToken>;
  nodes: ReadonlyMap<string, Node>;
  /** Does the node ask from this address? */
  isAt(node: Node, address: string): boolean;
}

/** Where and when it is asked. */
export interface Asking {
  now: Date;
  address: string;
}

/** Whoever holds one that was good is told why it is not any more; to all others it is one that nobody has. */
export function ofUserSecret(secrets: Secrets, secret: string, { now }: Asking): Credentials | undefined {
  const hash = hashToken(secret);
  return ofToken(secrets, hash, now) ?? ofSession(secrets, hash, now);
}

function ofToken({ tokens, users }: Secrets, hash: string, now: Date): Credentials | undefined {
  const token = tokens.get(hash);
  const user = token && users.get(token.user);
  if (!user || token.revoked) return undefined;
  if (hasExpired(token, now)) throw expired(`the token "${token.name}" has expired on ${token.expires}`);
  checkAdmitted(user);
  return { user, scope: token.scope ?? 'full', expires: token.expires, dc: token.dc, token: hash };
}

/** Whoever has logged in can do again so at any time: what a session gives may outlive it. */
function ofSession({ sessions, users }: Secrets, hash: string, now: Date): Credentials | undefined {
  const session = sessions.get(hash);
  const user = session && users.get(session.user);
  if (!user) return undefined;
  if (hasExpired(session, now)) throw expired(`the login has expired on ${session.expires}: log in again`);
  checkAdmitted(user);
  return { user, scope: 'full', token: hash };
}

export function ofNodeSecret(secrets: Secrets, secret: string, { now, address }: Asking): Credentials | undefined {
  const hash = hashToken(secret);
  const token = secrets.nodeTokens.get(hash);
  const node = token && secrets.nodes.get(token.node);
  if (!node) return undefined;
  if (hasExpired(token, now))
    throw expired(`the token "${token.name}" of ${node.name} has expired on ${token.expires}`);
  if (!token.unpinned && !secrets.isAt(node, address)) {
    throw new ImgapiError('UnauthorizedError', 'the token is good from the addresses of its node only');
  }
  const { publish, expires } = token;
  return { node, publish, expires, scope: publish === undefined ? 'node' : 'publish', token: hash };
}

const expired = (message: string) => new ImgapiError('UnauthorizedError', message);
