import type { Deps } from '../deps.js';
import { type Node, presentNode } from '../model/node.js';
import { ofNode } from '../model/node-image.js';
import { listNodeVms } from './list-vms.js';

/** A node as operators see it, and what is known of it. */
export function showNode(deps: Deps, node: Node) {
  const { online, since, reason, described, inventoried } = deps.nodeBook.statusOf(node.name) ?? {};
  return {
    ...presentNode(node),
    online: online ?? null,
    since: since ?? null,
    reason: reason ?? null,
    platform: described?.platform ?? node.connection?.platform ?? null,
    version: described?.version ?? null,
    pools: described?.pools ?? [],
    machines: listNodeVms(deps, node).length,
    images: deps.copies.within([ofNode(node.name)]).length,
    inventoried: inventoried ?? null,
  };
}
