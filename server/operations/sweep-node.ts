import { hasEnded, tasks } from '../model/task.js';
import type { NodeReturn } from './node-returns.js';

/** What tasks have left on a node that could not clear up themselves, as the server was killed, or the node away. */
export const sweepNode: NodeReturn = ({ catalog }, _node, hypervisor, signal) =>
  hypervisor.sweep(async (job) => {
    const task = await catalog.get(tasks, job);
    return task !== undefined && hasEnded(task);
  }, signal);
