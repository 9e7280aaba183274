import type { ExecutionContext } from 'ava';
import { nodes } from '../../server/model/node.js';
import { snapshotHolds, snapshotUses } from '../../server/model/snapshot.js';
import type { Vm } from '../../server/model/vm.js';
import { addDatacenter, addMachine } from './datacenters.js';
import { leftBy, NOTHING } from './imports.js';
import { type ServerOptions, startServer, type TestServer } from './server.js';
import { type SmartosNode, type SmartosPlan, type SmartosVm, startSmartosNode, type VmPlan } from './smartos.js';

export const NODE = 'node1';

/** A server with a data center whose only node is a SmartOS that is reached by ssh. */
export interface Creations {
  server: TestServer;
  node: SmartosNode;
  /** A machine on the node with a file in each disk and a snapshot `s1`, as it was registered. */
  machine(plan?: VmPlan & { bytes?: Uint8Array; datacenter?: string | null }): Promise<SmartosVm & { vm: Vm }>;
  /** All that a creation may leave, here and there, and what still runs there. */
  left(): Promise<object>;
}

export const DC = 'north';

export async function startCreations(
  t: ExecutionContext,
  { smartos, ...options }: ServerOptions & { smartos?: SmartosPlan } = {},
): Promise<Creations> {
  const node = await startSmartosNode(t, smartos);
  const server = await startServer(t, { nodeKey: node.sshd.key, ...options });
  await addDatacenter(server, DC);
  const created = server.deps.now().toISOString();
  await server.deps.catalog.write((tx) =>
    tx.insert(nodes, {
      name: NODE,
      datacenters: [DC],
      addresses: [],
      knownByAddress: false,
      connection: { ...node.sshd.connection, platform: 'smartos' },
      created,
    }),
  );
  return {
    server,
    node,
    async machine({ bytes = new Uint8Array(100_000).fill(7), datacenter = DC, ...plan } = {}) {
      const made = await node.addVm(plan);
      for (const [at] of made.disks.entries()) {
        await made.write('bytes', bytes, at + 1);
        await made.snapshot('s1', at + 1);
      }
      const where = datacenter === null ? {} : { datacenter };
      const vm = await addMachine(server, { uuid: made.uuid, hostname: made.alias, node: NODE, ...where });
      return { ...made, vm };
    },
    left: async () => ({ ...(await leftBy(server)), ...(await leftOf(server, node)) }),
  };
}

/** Of images, counts, bytes, uses, holds, snapshots that were taken for a purpose, and processes. */
async function leftOf({ deps }: TestServer, { pool, sshd }: SmartosNode) {
  const uses: string[] = [];
  for await (const { snapshot } of deps.catalog.list(snapshotUses)) uses.push(snapshot);
  const holds: string[] = [];
  for await (const { snapshot } of deps.catalog.list(snapshotHolds)) holds.push(snapshot);
  const printed = await pool.zfs('list', '-H', '-r', '-t', 'snapshot', '-o', 'name,userrefs', pool.name);
  const there = printed.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')]));
  await sshd.nothingRuns();
  return {
    uses,
    holds,
    held: there.filter(([, count]) => count !== '0').map(([name]) => name),
    taken: there.map(([name = '']) => name.split('@')[1]).filter((name) => !['s1', 's2', 'final'].includes(name ?? '')),
  };
}

export const NOTHING_LEFT = { ...NOTHING, uses: [], holds: [], held: [], taken: [] };
