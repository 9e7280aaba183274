import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { CommandFailed, HostUnreachable } from '../hypervisors/host.js';
import { type Hypervisor, NotOnNode, NotOnPlatform } from '../hypervisors/hypervisor.js';
import type { Node } from '../model/node.js';

/** Asks a node for something. What it can not do is told in our words, with its own behind them. */
export async function askNode<R>(
  { hypervisors }: Pick<Deps, 'hypervisors'>,
  node: Node,
  signal: AbortSignal,
  ask: (hypervisor: Hypervisor) => Promise<R>,
): Promise<R> {
  if (!node.connection) {
    const what = `node ${node.name} has no address for ssh: give it one with "slipway node set ${node.name} --address HOST"`;
    throw new ImgapiError('NodeNotManaged', what);
  }
  try {
    return await ask(await hypervisors.of(node, signal));
  } catch (error) {
    throw signal.aborted ? error : refusalOf(error);
  }
}

const absences = {
  vm: 'ResourceNotFound',
  snapshot: 'ResourceNotFound',
  pool: 'ResourceNotFound',
  image: 'ResourceNotFound',
  disk: 'InvalidDisk',
} as const satisfies Record<NotOnNode['what'], string>;

/** What a node has said or done, as a client is told of it. */
export function refusalOf(error: unknown): unknown {
  if (error instanceof HostUnreachable) return new ImgapiError('NodeDown', error.message, { cause: error });
  if (error instanceof CommandFailed) return new ImgapiError('NodeFailed', error.message, { cause: error });
  if (error instanceof NotOnNode) return new ImgapiError(absences[error.what], error.message, { cause: error });
  if (error instanceof NotOnPlatform) return new ImgapiError('NotAvailable', error.message, { cause: error });
  return error;
}
