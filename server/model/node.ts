export const platforms = ['smartos', 'linux-zfs', 'qemu', 'lvm-thin', 'btrfs'] as const;
export type Platform = (typeof platforms)[number];

/** How the server gets to a node by ssh. */
export interface Connection {
  /** A host name or an address. */
  address: string;
  port: number;
  user: string;
  /** The only ones that are believed, as in `known_hosts`: `ssh-ed25519 AAAA…`. The first that is met where there are none. */
  hostKeys: string[];
  /** The name of a secret that holds a private key; the server's own where it is absent. */
  key?: string;
  /** Do keys of the agent that runs beside the server count? */
  agent?: true;
  /** The name of another node, through which it is reached. */
  jump?: string;
  /** Found out where it is absent. */
  platform?: Platform;
  /** Where its machines lie, on platforms that have no list of them: datasets, directories, volume groups. */
  places: string[];
}

/** A hypervisor, which sees the images of the data centers that it serves. */
export interface Node {
  /** Its host name. */
  name: string;
  datacenters: string[];
  /** Addresses and networks it asks from: who holds its token must ask from one of them. Any where there are none. */
  addresses: string[];
  /** The SHA-256 fingerprint of the client certificate that proves it, in lower-case hex. */
  certificate?: string;
  /** Is its source address enough to prove it? */
  knownByAddress: boolean;
  /** In which of its data centers a machine stands that nobody has given one: as the first of these says that fits. */
  vmRules?: VmRule[];
  /** Nothing is asked of a node without; it asks us. */
  connection?: Connection;
  /** The list of the image servers that it asks is its own: the server leaves it as it is. */
  ownSources?: true;
  created: string;
}

export interface VmRule {
  by: 'owner' | 'tag';
  /** The name of a user, or a tag. */
  is: string;
  datacenter: string;
}

const VM_RULE = /^(owner|tag):([^=,]{1,64})=([^=,]{1,64})$/;

/** `owner:ann=north`, `tag:web=south`; nothing where it is neither. */
export function vmRuleOf(text: string): VmRule | undefined {
  const [, by, is = '', datacenter = ''] = VM_RULE.exec(text) ?? [];
  return by === 'owner' || by === 'tag' ? { by, is, datacenter } : undefined;
}

const spelled = ({ by, is, datacenter }: VmRule) => `${by}:${is}=${datacenter}`;

export const nodes = {
  name: 'nodes',
  id: ({ name }: Node) => name,
  unique: ({ certificate }: Node) => (certificate === undefined ? [] : [`certificate:${certificate}`]),
  index: (node: Node) => node.datacenters.map((name) => `datacenter:${name}`),
};

export const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Is it told which image servers to ask? */
export const keepsSources = ({ connection, ownSources }: Pick<Node, 'connection' | 'ownSources'>): boolean =>
  connection !== undefined && ownSources === undefined;

/** A node that serves a data center no longer. */
export function withoutDatacenter({ vmRules = [], ...node }: Node, name: string): Node {
  const rules = vmRules.filter(({ datacenter }) => datacenter !== name);
  const datacenters = node.datacenters.filter((other) => other !== name);
  return { ...node, datacenters, ...(rules.length > 0 && { vmRules: rules }) };
}

const presentConnection = ({ address, port, user, hostKeys, key, agent, jump, platform, places }: Connection) => ({
  address,
  port,
  user,
  host_keys: hostKeys,
  key: key ?? null,
  agent: agent ?? false,
  jump: jump ?? null,
  platform: platform ?? null,
  places,
});

/** A node as operators see it. */
export const presentNode = ({
  name,
  datacenters,
  addresses,
  certificate,
  knownByAddress,
  vmRules = [],
  ownSources,
  connection,
  created,
}: Node) => ({
  name,
  dcs: datacenters,
  addresses,
  certificate: certificate ?? null,
  known_by_address: knownByAddress,
  vm_rules: vmRules.map(spelled),
  keep_sources: !ownSources,
  connection: connection ? presentConnection(connection) : null,
  created,
});
