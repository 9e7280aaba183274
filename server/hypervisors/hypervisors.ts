import type { Node } from '../model/node.js';
import type { Hypervisor } from './hypervisor.js';

/** The way to the nodes that can be talked to. */
export interface Hypervisors {
  /** Throws HostUnreachable, and NodeNotManaged for a node of which nobody has said how it is reached. */
  of(node: Node, signal: AbortSignal): Promise<Hypervisor>;
  /** What the clock of a node shows. */
  clockOf(node: Node, signal: AbortSignal): Promise<Date>;
  /** The line that lets this server in, to be added to `authorized_keys` of a node. */
  publicKey(): string;
  /** Of a private key; nothing where it is none, or one with a passphrase. */
  publicKeyOf(privateKey: string): string | undefined;
  close(): Promise<void>;
}
