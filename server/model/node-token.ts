import type { Node } from './node.js';
import { hasExpired } from './token.js';

/** By which a node is known: it may read, and where `publish` names a data center, bring images to that one. */
export interface NodeToken {
  hash: string;
  name: string;
  /** The name of the node. */
  node: string;
  created: string;
  expires?: string;
  publish?: string;
  /** Good from wherever it is sent; else from the node's addresses only. */
  unpinned?: true;
  /** The server has made it by itself, for the node's list of image servers. */
  made?: 'sources';
  lastUsed?: string;
  /** Only for as long as this task runs. */
  task?: string;
  /** So many bytes a second go out to it, where it is for a task. */
  bandwidth?: number;
}

export const nodeTokens = {
  name: 'node-tokens',
  id: ({ hash }: NodeToken) => hash,
  unique: ({ node, name }: NodeToken) => [nodeTokenKey(node, name)],
  index: ({ node, publish, task }: NodeToken) => [
    `node:${node}`,
    ...(publish === undefined ? [] : [`publish:${publish}`]),
    ...(task === undefined ? [] : [`task:${task}`]),
  ],
};

export const nodeTokenKey = (node: string, name: string) => `name:${node}/${name}`;

/** Below it nodes find all that is at the root, without sending credentials. */
export const nodePath = (secret: string) => `/n/${secret}`;

export function presentNodeToken(token: NodeToken, { name: node }: Pick<Node, 'name'>, now: Date) {
  const { name, created, expires, publish, unpinned, lastUsed } = token;
  return {
    name,
    node,
    created,
    ...(expires !== undefined && { expires }),
    expired: hasExpired(token, now),
    publish: publish ?? null,
    pinned: !unpinned,
    last_used: lastUsed ?? null,
  };
}
