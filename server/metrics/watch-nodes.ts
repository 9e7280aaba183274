import type { Node } from '../model/node.js';
import type { NodeStatus } from '../model/node-status.js';
import type { Metrics } from './instruments.js';

export interface KnownNodes {
  directory: { readonly nodes: ReadonlyMap<string, Node> };
  nodeBook: { statusOf(node: string): NodeStatus | undefined };
}

/** Which nodes answer, and how old what is known of them is. */
export function watchNodes(metrics: Metrics, { directory, nodeBook }: KnownNodes): void {
  const { nodes, oldest_inventory_timestamp_seconds: oldest } = metrics.instruments;
  metrics.atScrape(() => {
    const managed = [...directory.nodes.values()].filter(({ connection }) => connection);
    const statuses = managed.map(({ name }) => nodeBook.statusOf(name));
    nodes.set({ state: 'online' }, statuses.filter((status) => status?.online === true).length);
    nodes.set({ state: 'offline' }, statuses.filter((status) => status?.online === false).length);
    nodes.set({ state: 'unknown' }, statuses.filter((status) => !status).length);
    const taken = statuses.flatMap((status) => (status?.inventoried ? [Date.parse(status.inventoried) / 1000] : []));
    oldest.set(taken.length > 0 ? taken.reduce((a, b) => Math.min(a, b)) : Number.NaN);
  });
}
