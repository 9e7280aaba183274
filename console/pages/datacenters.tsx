import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useRows } from '../api/use-rows.js';
import { newDatacenter, useDatacenterFields } from '../parts/datacenter-form.js';
import { Make } from '../parts/make.js';
import { Opens } from '../parts/open.js';
import { Search } from '../parts/search.js';
import { type Column, Table } from '../parts/table.js';
import { toast } from '../parts/toasts.js';
import { Time } from '../parts/words.js';
import { go, Link, useQuery } from '../router.js';
import { useAccount } from '../session.js';

type Datacenter = Results['GetDatacenter'];

const pageOf = (name: string) => `/datacenters/${part(name)}`;

const columns: readonly Column<Datacenter>[] = [
  {
    name: 'name',
    title: 'Name',
    shown: true,
    order: 'name',
    cell: ({ name }) => <Link to={pageOf(name)}>{name}</Link>,
  },
  { name: 'alias', title: 'Alias', shown: true, order: 'alias', cell: ({ alias }) => alias },
  { name: 'owner', title: 'Owner', shown: true, order: 'owner', cell: ({ owner }) => owner },
  { name: 'location', title: 'Location', shown: true, order: 'location', cell: ({ location }) => location },
  { name: 'description', title: 'Description', shown: true, cell: ({ description }) => description },
  { name: 'created', title: 'Created', order: 'created', cell: ({ created }) => <Time at={created} /> },
];

export default function Datacenters() {
  const { super_admin: isSuper } = useAccount();
  const [search, setSearch] = useQuery('search');
  const [sort] = useQuery('sort');
  const rows = useRows<Datacenter>('/dc', { query: { search, order_by: sort || 'name' }, kinds: ['datacenters'] });
  return (
    <section>
      <h1>Data centers</h1>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search data centers" />
      </div>
      <Table
        name="datacenters"
        caption="Data centers"
        rows={rows}
        columns={columns}
        idOf={({ name }) => name}
        to={({ name }) => pageOf(name)}
        empty={search ? 'No data center is like that.' : 'You administer no data center.'}
        tools={
          isSuper && (
            <Opens label="Make a data center …" title="A new data center" isMain>
              {(close) => <New close={close} />}
            </Opens>
          )
        }
      />
    </section>
  );
}

function New({ close }: { close: () => void }) {
  const fields = useDatacenterFields(true);
  const done = (_: object, name: string) => {
    toast(`data center ${name} is made: global images are in it, and no groups yet`);
    close();
    go(pageOf(name));
  };
  return (
    <Make name="datacenter" called="dc" path="/dc" fields={fields} initial={newDatacenter} done={done} cancel={close} />
  );
}
