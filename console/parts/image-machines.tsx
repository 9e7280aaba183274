import { useRows } from '../api/use-rows.js';
import { useQuery } from '../router.js';
import { type Machine, machineColumns } from './machine-columns.js';
import { Search } from './search.js';
import { Table } from './table.js';
import type { Image } from './use-image.js';

/** Which image they are made of is told by the page. */
const columns = machineColumns.map((column) =>
  column.name === 'images'
    ? { ...column, shown: false }
    : column.name === 'owner'
      ? { ...column, shown: true }
      : column,
);

/** Who uses it, of what the person may know of: any number of them. */
export function Machines({ image: { uuid, alias } }: { image: Image }) {
  const [search, setSearch] = useQuery('machine');
  const [sort] = useQuery('sort');
  const rows = useRows<Machine>('/vm', {
    query: { image: uuid, search, order_by: sort || 'hostname' },
    kinds: ['vms', 'images'],
  });
  return (
    <section>
      <h2 class="part">Who uses it</h2>
      {(search !== '' || (rows.total ?? 0) > 20) && (
        <div class="bar">
          <Search value={search} change={setSearch} label="Search machines" />
        </div>
      )}
      <Table
        name="image-machines"
        caption={`Machines that use ${alias}`}
        rows={rows}
        columns={columns}
        idOf={({ uuid }) => uuid}
        empty={search ? 'None of them is called like that.' : 'No machine that you can see uses it.'}
      />
    </section>
  );
}
