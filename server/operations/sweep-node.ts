import type { Deps } from '../deps.js';
import type { Hypervisor } from '../hypervisors/hypervisor.js';
import type { Node } from '../model/node.js';
import { hasEnded, tasks } from '../model/task.js';

/** What tasks have left on a node that could not clear up themselves, as the server was killed, or the node away. */
export function sweepNode(
  { catalog }: Pick<Deps, 'catalog'>,
  _node: Node,
  hypervisor: Hypervisor,
  signal: AbortSignal,
): Promise<void> {
  const isOver = async (job: string) => {
    const task = await catalog.get(tasks, job);
    return task !== undefined && hasEnded(task);
  };
  return hypervisor.sweep(isOver, signal);
}
