import { useState } from 'preact/hooks';
import { part } from '../api/ask.js';
import { useRows } from '../api/use-rows.js';
import { Act } from '../parts/act.js';
import { takeInventory } from '../parts/inventory.js';
import { AddNode } from '../parts/node-form.js';
import { NodeKey } from '../parts/node-key.js';
import { type ListedNode, NodeState, nodeKinds } from '../parts/node-words.js';
import { PoolBar } from '../parts/pool-bar.js';
import { Search } from '../parts/search.js';
import { type Column, Table } from '../parts/table.js';
import { Time } from '../parts/words.js';
import { Link, useQuery } from '../router.js';

/** So many pools have their bars in the list; the others are on the page of the node. */
const SHOWN = 2;

const columns: readonly Column<ListedNode>[] = [
  {
    name: 'name',
    title: 'Name',
    shown: true,
    order: 'name',
    cell: ({ name }) => <Link to={`/nodes/${part(name)}`}>{name}</Link>,
  },
  { name: 'state', title: 'Status', shown: true, cell: (node) => <NodeState node={node} /> },
  {
    name: 'platform',
    title: 'Platform',
    shown: true,
    order: 'platform',
    cell: ({ platform }) => platform ?? 'not known',
  },
  { name: 'version', title: 'Version', cell: ({ version }) => version },
  { name: 'dcs', title: 'Data centers', shown: true, cell: ({ dcs }) => dcs.join(', ') || <i>none</i> },
  {
    name: 'pools',
    title: 'Pools',
    shown: true,
    cell: ({ pools }) => (
      <>
        {pools.slice(0, SHOWN).map((pool) => (
          <PoolBar key={pool.name} pool={pool} isShort />
        ))}
        {pools.length > SHOWN && `and ${pools.length - SHOWN} more`}
      </>
    ),
  },
  { name: 'machines', title: 'Machines', shown: true, isNumber: true, cell: ({ machines }) => machines },
  { name: 'images', title: 'Images', shown: true, isNumber: true, cell: ({ images }) => images },
  { name: 'address', title: 'Address', cell: ({ connection }) => connection?.address ?? '' },
  { name: 'created', title: 'Added', order: 'created', cell: ({ created }) => <Time at={created} /> },
];

type Open = 'add' | 'key';

export default function Nodes() {
  const [search, setSearch] = useQuery('search');
  const [sort] = useQuery('sort');
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const rows = useRows<ListedNode>('/node', { query: { search, order_by: sort || 'name' }, kinds: nodeKinds });
  const inventory: Column<ListedNode> = {
    name: 'inventory',
    title: 'Inventory',
    shown: true,
    cell: ({ name, connection, inventoried }) => (
      <>
        <Act
          label="Take"
          what={`inventory of ${name}`}
          reason={connection ? undefined : 'nobody has said how it is reached'}
          act={() => takeInventory(name).finally(rows.refresh)}
        />{' '}
        <small>
          <Time at={inventoried} />
        </small>
      </>
    ),
  };
  return (
    <section>
      <div class="heads">
        <h1>Nodes</h1>
        <button type="button" onClick={() => setOpen('key')}>
          Key of this server
        </button>
        <Link class="button" to="/sources">
          Image servers they ask
        </Link>
        <button type="button" class="main" onClick={() => setOpen('add')}>
          Add a node
        </button>
      </div>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search nodes" />
      </div>
      <Table
        name="nodes"
        caption="Nodes"
        rows={rows}
        columns={[...columns, inventory]}
        idOf={({ name }) => name}
        to={({ name }) => `/nodes/${part(name)}`}
        empty={search ? 'No node is called like that.' : 'No node is known yet. Add one to bring images onto it.'}
      />
      {open === 'add' && <AddNode close={close} />}
      {open === 'key' && <NodeKey close={close} />}
    </section>
  );
}
