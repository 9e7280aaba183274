import type { Platform } from './node.js';

export interface NodePool {
  name: string;
  size: number;
  free: number;
  health: string;
}

/** What a node is, and has. */
export interface Description {
  platform: Platform;
  hostname: string;
  /** Of the platform: `20240111T000000Z`, or that of the kernel. */
  version: string;
  /** The tools that were found, with their versions. */
  tools: Record<string, string>;
  pools: NodePool[];
  /** What it can run, as images ask for it; none where the platform does not tell. */
  brands: string[];
  firmware: string[];
  drivers: string[];
}

/** What is known of a node that the server talks to. It is kept while the node is silent. */
export interface NodeStatus {
  node: string;
  online: boolean;
  /** Since when it is, or is not. */
  since: string;
  /** Why it is not, or why its inventory could not be taken the last time. */
  reason?: string;
  described?: Description;
  /** When the inventory was begun that was taken last. */
  inventoried?: string;
  /** The image servers that it asks, as it has told, and why it could not be told others. */
  sources?: { there: string[]; at: string; error?: string };
}

/** Where images lie when nobody says otherwise: where SmartOS has them, or where there is no choice. */
export function usualPool({ pools }: Pick<Description, 'pools'>): NodePool | undefined {
  return pools.find(({ name }) => name === 'zones') ?? (pools.length === 1 ? pools[0] : undefined);
}

export const nodeStatuses = {
  name: 'node-statuses',
  id: ({ node }: NodeStatus) => node,
};
