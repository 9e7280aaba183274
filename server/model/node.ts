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
  created: string;
}

export const nodes = {
  name: 'nodes',
  id: ({ name }: Node) => name,
  unique: ({ certificate }: Node) => (certificate === undefined ? [] : [`certificate:${certificate}`]),
  index: (node: Node) => node.datacenters.map((name) => `datacenter:${name}`),
};

export const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** A node as operators see it. */
export const presentNode = ({ name, datacenters, addresses, certificate, knownByAddress, created }: Node) => ({
  name,
  dcs: datacenters,
  addresses,
  certificate: certificate ?? null,
  known_by_address: knownByAddress,
  created,
});
