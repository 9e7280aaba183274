import { part } from '../api/ask.js';
import { useAsked } from '../api/use-asked.js';
import { useRows } from '../api/use-rows.js';
import { type Machine, machineColumns } from '../parts/machine-columns.js';
import { machineRecord, RegisterMachine } from '../parts/machine-record.js';
import { machineActions } from '../parts/node-machines.js';
import { Search } from '../parts/search.js';
import { type Column, Table } from '../parts/table.js';
import { Link, useQuery } from '../router.js';
import { useAccount } from '../session.js';

export default function Machines() {
  const account = useAccount();
  const [search, setSearch] = useQuery('search');
  const [dc, setDc] = useQuery('dc');
  const [sort] = useQuery('sort');
  const names = useAsked<string[]>('/dc').answer?.result ?? [];
  const rows = useRows<Machine>('/vm', {
    query: { search, dc, order_by: sort || 'hostname' },
    kinds: ['vms', 'node-statuses'],
  });
  const node: Column<Machine> = {
    name: 'node',
    title: 'Node',
    shown: true,
    order: 'node',
    cell: ({ node }) =>
      node === null ? '' : account.super_admin ? <Link to={`/nodes/${part(node)}`}>{node}</Link> : node,
  };
  return (
    <section>
      <h1>Machines</h1>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search machines" />
        <select aria-label="data center" value={dc} onChange={(event) => setDc(event.currentTarget.value)}>
          <option value="">{account.super_admin ? 'all data centers' : 'all of mine'}</option>
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </div>
      <Table
        name="machines"
        caption="Machines"
        rows={rows}
        columns={[
          ...machineColumns.slice(0, 3),
          node,
          ...machineColumns.slice(3),
          ...machineActions(account),
          machineRecord(rows.refresh),
        ]}
        idOf={({ uuid }) => uuid}
        tools={<RegisterMachine done={rows.refresh} />}
        empty={
          search || dc
            ? 'No machine is like that.'
            : 'No machine is known: they are registered, or found by the inventories of nodes.'
        }
      />
    </section>
  );
}
