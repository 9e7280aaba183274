import { type FieldError, ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import { SSH_PORT, SSH_USER, wayTo } from '../model/connection.js';
import { type Connection, type Node, nodes, type Platform } from '../model/node.js';
import { secrets } from '../model/secret.js';

/** What is said of how a node is reached; nothing of it where it has no address. */
export interface ConnectionWish {
  /** Not at all, where it is null. */
  address?: string | null | undefined;
  port?: number | undefined;
  user?: string | undefined;
  host_keys?: string[] | undefined;
  key?: string | null | undefined;
  agent?: boolean | undefined;
  jump?: string | null | undefined;
  platform?: Platform | null | undefined;
  places?: string[] | undefined;
}

const FIELDS = ['port', 'user', 'host_keys', 'key', 'agent', 'jump', 'platform', 'places'] as const;

/** Its own keys are believed at another address as well: it may have moved. */
export function connected(before: Connection | undefined, wish: ConnectionWish): Connection | undefined {
  const { address = before?.address ?? null } = wish;
  if (address === null) return undefined;
  const { key = before?.key ?? null, jump = before?.jump ?? null, platform = before?.platform ?? null } = wish;
  return {
    address,
    port: wish.port ?? before?.port ?? SSH_PORT,
    user: wish.user ?? before?.user ?? SSH_USER,
    hostKeys: [...new Set(wish.host_keys ?? before?.hostKeys ?? [])],
    ...(key !== null && { key }),
    ...((wish.agent ?? before?.agent) && { agent: true as const }),
    ...(jump !== null && { jump }),
    ...(platform !== null && { platform }),
    places: [...new Set(wish.places ?? before?.places ?? [])],
  };
}

/** What is wrong with the way to a node, among those that there will be. */
export async function connectionProblems(
  reader: Reader,
  node: Node,
  others: readonly Node[],
  wish: ConnectionWish,
): Promise<FieldError[]> {
  const { connection } = node;
  if (!connection) {
    const lost = FIELDS.filter((field) => wish[field] !== undefined && wish[field] !== null);
    return lost.map((field) => told(field, 'says how the node is reached, which needs an address'));
  }
  const { key, jump } = connection;
  const problems: FieldError[] = [];
  if (key !== undefined && (await reader.get(secrets, key))?.type !== 'ssh-key') {
    problems.push(told('key', `names no secret of type ssh-key: "${key}"`));
  }
  if (jump === undefined) return problems;
  const all = new Map([node, ...others].map((one) => [one.name, one]));
  const way = wayTo(node, (name) => all.get(name));
  const missing = way.find((name) => !all.get(name)?.connection);
  if (missing !== undefined) problems.push(told('jump', `names a node that is not reached by ssh: "${missing}"`));
  if (new Set(way).size < way.length) problems.push(told('jump', `leads in a circle: ${way.join(' → ')}`));
  return problems;
}

/** Throws NodeInUse where others are reached through it. */
export async function checkNoJumps(reader: Reader, name: string): Promise<void> {
  const through: string[] = [];
  for await (const node of reader.list(nodes)) if (node.connection?.jump === name) through.push(node.name);
  if (through.length === 0) return;
  const named = through.slice(0, 20).join(', ') + (through.length > 20 ? ` and ${through.length - 20} others` : '');
  throw new ImgapiError('NodeInUse', `through node "${name}" these are reached: ${named}`);
}

const told = (field: string, what: string): FieldError => ({ field, code: 'Invalid', message: `${field} ${what}` });
