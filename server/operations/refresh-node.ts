import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import type { Hypervisor } from '../hypervisors/hypervisor.js';
import type { Node } from '../model/node.js';
import { askNode } from './ask-node.js';
import { nodeReturns } from './node-returns.js';
import { noteNode } from './note-node.js';
import { type Inventoried, takeInventory } from './take-inventory.js';

/** Takes the inventory of a node, then does what has waited for it. Throws what has become of the inventory only. */
export async function refreshNode(deps: Deps, node: Node): Promise<Inventoried> {
  const { nodeBook, metrics } = deps;
  return nodeBook.alone(node.name, async (stopping) => {
    const end = metrics.instruments.inventory_duration_seconds.startTimer();
    const limit = AbortSignal.timeout(nodeBook.limits.inventory);
    try {
      const taken = await ask(deps, node, AbortSignal.any([stopping, limit]), stopping);
      metrics.instruments.inventories_total.inc({ outcome: 'done' });
      return taken;
    } catch (error) {
      const failure = await refused(deps, node, { error, stopping, limit });
      const outcome = failure instanceof ImgapiError && failure.code === 'NodeDown' ? 'silent' : 'failed';
      metrics.instruments.inventories_total.inc({ outcome });
      throw failure;
    } finally {
      end();
    }
  });
}

const ask = (deps: Deps, node: Node, signal: AbortSignal, stopping: AbortSignal): Promise<Inventoried> =>
  askNode(deps, node, signal, async (hypervisor) => {
    const taken = await takeInventory(deps, node, hypervisor, signal);
    await doWhatWaited(deps, node, hypervisor, stopping);
    return taken;
  });

async function doWhatWaited(deps: Deps, node: Node, hypervisor: Hypervisor, stopping: AbortSignal): Promise<void> {
  for (const [work, perform] of Object.entries(nodeReturns)) {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(deps.nodeBook.limits.waiting)]);
    await perform(deps, node, hypervisor, signal).catch((err: unknown) => {
      if (stopping.aborted) return;
      deps.log.warn({ err, node: node.name, work }, 'what has waited for a node failed; it will be tried again');
    });
  }
}

interface Ending {
  error: unknown;
  stopping: AbortSignal;
  limit: AbortSignal;
}

/** What is told of it, and kept: a node that does not come to an end is as silent as one that says nothing. */
async function refused(deps: Deps, node: Node, { error, stopping, limit }: Ending): Promise<unknown> {
  if (stopping.aborted) {
    return new ImgapiError('ServiceUnavailableError', 'the server is stopping', { cause: error });
  }
  if (limit.aborted) {
    const seconds = deps.nodeBook.limits.inventory / 1000;
    const reason = `node ${node.name} did not tell all that is on it within ${seconds} seconds`;
    await noteNode(deps, node, { online: false, reason });
    return new ImgapiError('NodeDown', reason, { cause: error });
  }
  if (!(error instanceof ImgapiError)) return error;
  const { code, message: reason } = error;
  if (code === 'NodeDown') await noteNode(deps, node, { online: false, reason });
  else if (code === 'NodeFailed' || code === 'NodeUnsuitable') await noteNode(deps, node, { online: true, reason });
  return error;
}
