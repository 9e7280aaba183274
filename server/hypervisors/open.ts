import { isDeepStrictEqual } from 'node:util';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Connection, Node, Platform } from '../model/node.js';
import { connectBtrfs, detectBtrfs } from './btrfs.js';
import { clockOf } from './clock.js';
import { type Host, HostUnreachable } from './host.js';
import { type Hypervisor, NotOnPlatform } from './hypervisor.js';
import type { Hypervisors } from './hypervisors.js';
import { connectLinuxZfs, detectLinuxZfs } from './linux-zfs.js';
import { connectLvmThin, detectLvmThin } from './lvm-thin.js';
import type { NodeKey } from './node-key.js';
import { connectQemu, detectQemu } from './qemu.js';
import { connectSmartos, detectSmartos } from './smartos.js';
import { publicLineOf, SshHost, type SshLimits } from './ssh.js';

export interface Connector {
  platform: Platform;
  /** Is it what runs there? */
  detect(host: Host, signal: AbortSignal): Promise<boolean>;
  connect(host: Host, node: Node): Hypervisor;
}

/** In the order in which they are looked for where nobody has said what runs on a node. */
export const connectors: readonly Connector[] = [
  { platform: 'smartos', detect: detectSmartos, connect: connectSmartos },
  { platform: 'linux-zfs', detect: detectLinuxZfs, connect: connectLinuxZfs },
  { platform: 'lvm-thin', detect: detectLvmThin, connect: connectLvmThin },
  { platform: 'qemu', detect: detectQemu, connect: connectQemu },
  { platform: 'btrfs', detect: detectBtrfs, connect: connectBtrfs },
];

export interface HypervisorsOptions {
  key: NodeKey;
  /** As it stands in the catalog. */
  nodeNamed: (name: string) => Promise<Node | undefined>;
  /** A private key that is kept as a secret; throws where there is none. */
  keyOf: (secret: string) => string;
  /** Keeps the host key that was met at the first contact with a node, which is still reached so. */
  pin: (node: Node, hostKey: string) => Promise<void>;
  /** The socket of the agent that runs beside the server. */
  agent?: string | undefined;
  limits?: Partial<SshLimits>;
}

interface Entry {
  connection: Connection;
  /** The way to it: what it is reached through is part of that. */
  through: Entry | undefined;
  host: SshHost;
  hypervisor?: Hypervisor | undefined;
}

export const openHypervisors = (options: HypervisorsOptions): Hypervisors & { hostOf: NodeHosts['hostOf'] } =>
  new NodeHosts(options);

class NodeHosts implements Hypervisors {
  readonly #entries = new Map<string, Entry>();

  constructor(private readonly options: HypervisorsOptions) {}

  publicKey(): string {
    return this.options.key.public;
  }

  publicKeyOf(privateKey: string): string | undefined {
    return publicLineOf(privateKey);
  }

  async of({ name }: Node, signal: AbortSignal): Promise<Hypervisor> {
    const node = await this.#named(name);
    const entry = await this.#entryOf(node, []);
    entry.hypervisor ??= (await this.#connectorFor(node, entry, signal)).connect(entry.host, node);
    return entry.hypervisor;
  }

  /** The bare machine. */
  async hostOf({ name }: Node): Promise<Host> {
    return (await this.#entryOf(await this.#named(name), [])).host;
  }

  async clockOf(node: Node, signal: AbortSignal): Promise<Date> {
    return clockOf(await this.hostOf(node), signal);
  }

  async close(): Promise<void> {
    for (const { host } of this.#entries.values()) host.close();
    this.#entries.clear();
  }

  async #named(name: string): Promise<Node> {
    const node = await this.options.nodeNamed(name);
    if (node?.connection) return node;
    throw new ImgapiError(
      'NodeNotManaged',
      `nobody has said how node ${name} is reached: slipway node set ${name} --address HOST`,
    );
  }

  async #entryOf(node: Node, ways: readonly string[]): Promise<Entry> {
    const { name } = node;
    const connection = node.connection!;
    if (ways.includes(name)) {
      throw new HostUnreachable(
        name,
        'unreachable',
        `the way to ${name} leads through itself: ${[...ways, name].join(' → ')}`,
      );
    }
    const through =
      connection.jump === undefined
        ? undefined
        : await this.#entryOf(await this.#named(connection.jump), [...ways, name]);
    const known = this.#entries.get(name);
    if (known && known.through === through && isSame(known, connection)) {
      if (!isDeepStrictEqual(known.connection, connection)) known.hypervisor = undefined;
      known.connection = connection;
      return known;
    }
    known?.host.close();
    const entry: Entry = { connection, through, host: this.#host(node, connection, through?.host) };
    this.#entries.set(name, entry);
    return entry;
  }

  #host(node: Node, { address, port, user, hostKeys, key, agent }: Connection, through: SshHost | undefined): SshHost {
    const { options } = this;
    const keys = () => [key === undefined ? options.key.private : options.keyOf(key)];
    const way = {
      name: node.name,
      address,
      port,
      user,
      hostKeys,
      keys,
      through,
      agent: agent && (options.agent ?? ''),
    };
    return new SshHost(way, (met) => options.pin(node, met), options.limits);
  }

  async #connectorFor(node: Node, entry: Entry, signal: AbortSignal): Promise<Connector> {
    const configured = entry.connection.platform;
    for (const one of connectors) {
      if (configured === undefined ? await one.detect(entry.host, signal) : one.platform === configured) return one;
    }
    const message =
      configured === undefined
        ? `nothing was found on ${node.name} that is known here: is user "${entry.connection.user}" allowed to use its tools?`
        : `there is no connector for ${configured}`;
    throw new NotOnPlatform(message);
  }
}

/** Is it reached as before? A key that was met at the first contact and has been kept since changes nothing. */
function isSame({ connection, host }: Entry, now: Connection): boolean {
  return isDeepStrictEqual(wayOf({ ...connection, hostKeys: [...host.hostKeys] }), wayOf(now));
}

const wayOf = ({ platform: _, places: __, ...way }: Connection) => way;
