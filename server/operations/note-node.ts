import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { SYSTEM } from '../model/audit.js';
import { type Connection, type Node, nodes } from '../model/node.js';
import { type NodeStatus, nodeStatuses } from '../model/node-status.js';

type Noting = Pick<Deps, 'audit' | 'log' | 'now'>;

/** What is noted of nodes nobody has done, whoever was asking for them. */
export const inTheNameOfAll = ({ audit }: Pick<Deps, 'audit'>) => audit.as(() => ({ who: SYSTEM, what: 'inventory' }));

/** How it is from now on; since when is found out here. */
export type Heard = Partial<Omit<NodeStatus, 'node' | 'since'>> & Pick<NodeStatus, 'online'>;

interface Turn {
  before: NodeStatus | undefined;
  after: NodeStatus;
}

export async function saveStatus(tx: Tx, node: Node, { reason, ...heard }: Heard, now: string): Promise<Turn> {
  const before = await tx.get(nodeStatuses, node.name);
  const { reason: _, ...known } = before ?? { node: node.name };
  const since = before?.online === heard.online ? before.since : now;
  const after: NodeStatus = { ...known, ...heard, ...(reason !== undefined && { reason }), node: node.name, since };
  if (!before) await tx.insert(nodeStatuses, after);
  else if (JSON.stringify(before) !== JSON.stringify(after)) await tx.replace(nodeStatuses, after);
  return { before, after };
}

/** Once for each time that it goes or comes. */
export function tellTurn({ log }: Pick<Deps, 'log'>, { before, after: { node, online, reason } }: Turn): void {
  if (before?.online === online) return;
  if (online) log.info({ node }, before ? 'a node answers again' : 'a node answers');
  else log.warn({ node, reason }, 'a node is silent: what its machines use is kept as it was known last');
}

/** Is it still the machine that was asked, under the same name? A host key that was met on the way changes nothing. */
export function isSameMachine(now: Node | undefined, { connection }: Node): boolean {
  const way = (one: Connection | undefined) => one && JSON.stringify({ ...one, hostKeys: [] });
  return now !== undefined && way(now.connection) === way(connection);
}

/** Written only where it is not known; nothing of a node that has gone, or is another machine by now. */
export async function noteNode(deps: Noting, node: Node, heard: Heard): Promise<void> {
  const turn = await inTheNameOfAll(deps).write(async (tx) => {
    if (!isSameMachine(await tx.get(nodes, node.name), node)) return undefined;
    return saveStatus(tx, node, heard, deps.now().toISOString());
  });
  if (turn) tellTurn(deps, turn);
}
