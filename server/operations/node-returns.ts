import type { Deps } from '../deps.js';
import type { Hypervisor } from '../hypervisors/hypervisor.js';
import type { Node } from '../model/node.js';
import { letGoOn } from './let-go-of-snapshots.js';
import { keepSources } from './push-sources.js';
import { sweepNode } from './sweep-node.js';

/**
 * What waits for a node that is away, done whenever its inventory has been taken: by the schedule, and on demand. Each has
 * a limit of its own in the signal; one that throws is logged and keeps none of the others.
 */
export type NodeReturn = (deps: Deps, node: Node, hypervisor: Hypervisor, signal: AbortSignal) => Promise<void>;

/** By what they are called in the log, in their order. */
export const nodeReturns: Readonly<Record<string, NodeReturn>> = {
  sources: keepSources,
  'snapshots to be let go of': letGoOn,
  'what tasks have left': sweepNode,
  'images that are to go': async ({ nodeWork }) => nodeWork.wakeAll(),
};
