import type { Node } from '../model/node.js';
import type { Hypervisor } from './hypervisor.js';

/** The way to the nodes that can be talked to. */
export interface Hypervisors {
  /** Throws HostUnreachable, and NodeNotManaged for a node of which nobody has said how it is reached. */
  of(node: Node, signal: AbortSignal): Promise<Hypervisor>;
  /** The line that lets this server in, to be added to `authorized_keys` of a node. */
  publicKey(): string;
  close(): Promise<void>;
}
