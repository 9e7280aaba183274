import { ImgapiError } from '../../imgapi/errors.js';
import type { Node } from '../model/node.js';
import type { NodeToken } from '../model/node-token.js';
import { ofCookie, ofSecret, type Proofs } from '../model/proof.js';
import { hasExpired, hashToken } from '../model/token.js';
import type { Credentials } from './credentials.js';

/** All that a secret can be, by its hash, and whom it proves; in memory, as every request asks. */
export interface Secrets extends Proofs {
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

export const ofUserSecret = (known: Secrets, secret: string, { now }: Asking): Credentials | undefined =>
  ofSecret(known, hashToken(secret), now);

export const ofCookieSecret = (known: Secrets, secret: string, { now }: Asking): Credentials | undefined =>
  ofCookie(known, hashToken(secret), now);

export function ofNodeSecret(secrets: Secrets, secret: string, { now, address }: Asking): Credentials | undefined {
  const hash = hashToken(secret);
  const token = secrets.nodeTokens.get(hash);
  const node = token && secrets.nodes.get(token.node);
  if (!node) return undefined;
  if (hasExpired(token, now))
    throw new ImgapiError(
      'UnauthorizedError',
      `the token "${token.name}" of ${node.name} has expired on ${token.expires}`,
    );
  if (!token.unpinned && !secrets.isAt(node, address)) {
    throw new ImgapiError('UnauthorizedError', 'the token is good from the addresses of its node only');
  }
  const { publish, expires } = token;
  return { node, publish, expires, scope: publish === undefined ? 'node' : 'publish', token: hash };
}
