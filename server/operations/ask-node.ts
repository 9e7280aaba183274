import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { CommandFailed, HostUnreachable } from '../hypervisors/host.js';
import { type Hypervisor, NotOnNode, NotOnPlatform } from '../hypervisors/hypervisor.js';
import type { Node } from '../model/node.js';
import { noteNode } from './note-node.js';

export type AskingNodes = Pick<Deps, 'hypervisors' | 'nodeBook' | 'audit' | 'log' | 'now'>;

/**
 * Asks a node for something. What it can not do is told in our words, with its own behind them. Whether it answers at all
 * is noted where that is news.
 */
export async function askNode<R>(
  deps: AskingNodes,
  node: Node,
  signal: AbortSignal,
  ask: (hypervisor: Hypervisor) => Promise<R>,
): Promise<R> {
  if (!node.connection) {
    const what = `node ${node.name} has no address for ssh: give it one with "slipway node set ${node.name} --address HOST"`;
    throw new ImgapiError('NodeNotManaged', what);
  }
  try {
    const answer = await ask(await deps.hypervisors.of(node, signal));
    if (deps.nodeBook.statusOf(node.name)?.online === false) await noteNode(deps, node, { online: true });
    return answer;
  } catch (error) {
    if (signal.aborted) throw error;
    const isNews = deps.nodeBook.statusOf(node.name)?.online !== false;
    if (error instanceof HostUnreachable && isNews)
      await noteNode(deps, node, { online: false, reason: error.message });
    throw refusalOf(error);
  }
}

/** A node that is asked while somebody waits for the answer has so long, in milliseconds. */
const SOON = 20_000;

/** The same, for what is asked within a request. */
export async function askNodeSoon<R>(
  deps: AskingNodes,
  node: Node,
  ask: (hypervisor: Hypervisor, signal: AbortSignal) => Promise<R>,
): Promise<R> {
  const limit = AbortSignal.timeout(SOON);
  try {
    return await askNode(deps, node, limit, (hypervisor) => ask(hypervisor, limit));
  } catch (cause) {
    if (!limit.aborted) throw cause;
    throw new ImgapiError('NodeDown', `node ${node.name} did not answer within ${SOON / 1000} seconds`, { cause });
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
  if (error instanceof SyntaxError) {
    const message = `what the node has printed can not be read: ${error.message.slice(0, 200)}`;
    return new ImgapiError('NodeFailed', message, { cause: error });
  }
  if (error instanceof NotOnPlatform) return new ImgapiError('NodeUnsuitable', error.message, { cause: error });
  return error;
}
