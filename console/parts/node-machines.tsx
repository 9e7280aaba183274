import { part } from '../api/ask.js';
import { useRows } from '../api/use-rows.js';
import { useQuery } from '../router.js';
import { type Account, holds, useAccount } from '../session.js';
import { type Machine, machineColumns } from './machine-columns.js';
import { MachineSnapshots, MakeImage } from './machine-snapshots.js';
import type { Node } from './node-words.js';
import { Search } from './search.js';
import { type Column, Table } from './table.js';

/** Images are made by those who may, where the machine is. */
export const machineActions = (account: Account): readonly Column<Machine>[] => [
  { name: 'snapshots', title: 'Snapshots', shown: true, cell: (machine) => <MachineSnapshots machine={machine} /> },
  ...(holds(account, 'image_admin') ? [makeImage] : []),
];

const makeImage: Column<Machine> = {
  name: 'make',
  title: 'Image of it',
  shown: true,
  cell: (machine) => <MakeImage machine={machine} />,
};

/** The machines on a node, or those that were there when it was heard of last. */
export function NodeMachines({ node: { name, online } }: { node: Node }) {
  const account = useAccount();
  const [search, setSearch] = useQuery('search');
  const [sort] = useQuery('sort');
  const rows = useRows<Machine>(`/node/${part(name)}/vm`, {
    query: { search, order_by: sort || 'hostname' },
    kinds: ['vms', 'node-statuses'],
  });
  return (
    <>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search machines" />
        {online === false && <span class="quiet">as they were when the node was heard of last</span>}
      </div>
      <Table
        name="node-machines"
        caption={`Machines on ${name}`}
        rows={rows}
        columns={[...machineColumns, ...machineActions(account)]}
        idOf={({ uuid }) => uuid}
        empty="No machine is known there."
      />
    </>
  );
}
