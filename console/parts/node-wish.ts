/** What the server tells of a node that can be changed. */
interface Told {
  name: string;
  dcs: string[];
  addresses: string[];
  certificate: string | null;
  known_by_address: boolean;
  vm_rules: string[];
  keep_sources: boolean;
  connection: {
    address: string;
    port: number;
    user: string;
    host_keys: string[];
    key: string | null;
    agent: boolean;
    jump: string | null;
    platform: string | null;
    places: string[];
  } | null;
}

/** A node as it is typed. */
export interface NodeWish {
  /** Its name, as the server calls it. */
  host: string;
  dcs: string[];
  address: string;
  port: string;
  user: string;
  host_keys: string;
  key: string;
  agent: boolean;
  jump: string;
  platform: string;
  places: string[];
  addresses: string[];
  known_by_address: boolean;
  certificate: string;
  vm_rules: string[];
  keep_sources: boolean;
}

export const newNode: NodeWish = {
  host: '',
  dcs: [],
  address: '',
  port: '22',
  user: 'root',
  host_keys: '',
  key: '',
  agent: false,
  jump: '',
  platform: '',
  places: [],
  addresses: [],
  known_by_address: false,
  certificate: '',
  vm_rules: [],
  keep_sources: true,
};

export function wishOf(node: Told): NodeWish {
  const { connection, certificate, dcs, addresses, vm_rules, known_by_address, keep_sources, name } = node;
  return {
    ...newNode,
    ...(connection && {
      address: connection.address,
      port: String(connection.port),
      user: connection.user,
      host_keys: connection.host_keys.join('\n'),
      key: connection.key ?? '',
      agent: connection.agent,
      jump: connection.jump ?? '',
      platform: connection.platform ?? '',
      places: connection.places,
    }),
    host: name,
    dcs,
    addresses,
    known_by_address,
    certificate: certificate ?? '',
    vm_rules,
    keep_sources,
  };
}

const orNull = (text: string) => (text.trim() === '' ? null : text.trim());
const linesOf = (text: string) => text.split('\n').flatMap((line) => line.trim() || []);

/** How the server takes what is typed in another way: what is empty is taken away. */
const spelled: Readonly<Record<string, (text: string) => unknown>> = {
  address: orNull,
  key: orNull,
  jump: orNull,
  platform: orNull,
  certificate: orNull,
  host_keys: linesOf,
};

/** Only what was typed: the rest stays as it is. */
export function bodyOf(typed: Partial<NodeWish>): Record<string, unknown> {
  const { host: _, ...fields } = typed;
  const said = Object.entries(fields).map(([field, value]) => {
    const spell = spelled[field];
    return [field, spell ? spell(String(value)) : value];
  });
  return Object.fromEntries(said);
}
