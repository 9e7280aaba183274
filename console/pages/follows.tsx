import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useRows } from '../api/use-rows.js';
import { Badge } from '../parts/badge.js';
import { useDatacenterNames } from '../parts/datacenter-form.js';
import { followBody, followFields, newFollow } from '../parts/follow-form.js';
import { Make } from '../parts/make.js';
import { Opens } from '../parts/open.js';
import { Search } from '../parts/search.js';
import { type Column, Table } from '../parts/table.js';
import { toast } from '../parts/toasts.js';
import { useRepositoryNames } from '../parts/use-choices.js';
import { Time } from '../parts/words.js';
import { go, Link, useQuery } from '../router.js';

type Follow = Results['GetFollow'];

const pageOf = (name: string) => `/follows/${part(name)}`;

const columns: readonly Column<Follow>[] = [
  {
    name: 'name',
    title: 'Name',
    shown: true,
    order: 'name',
    cell: ({ name }) => <Link to={pageOf(name)}>{name}</Link>,
  },
  {
    name: 'status',
    title: 'Status',
    shown: true,
    cell: ({ enabled, error, last_run: last }) =>
      error ? (
        <Badge text="failed" title={error} tone="bad" />
      ) : !enabled ? (
        <Badge text="off" title="its schedule does not hold" />
      ) : (
        <Badge text={last ? 'good' : 'not run yet'} tone={last ? 'good' : ''} />
      ),
  },
  {
    name: 'repository',
    title: 'Repository',
    shown: true,
    order: 'repository',
    cell: ({ repository }) => repository,
  },
  { name: 'match', title: 'What', shown: true, cell: ({ match }) => match ?? 'all' },
  { name: 'dc', title: 'Data center', shown: true, cell: ({ dc, shared }) => (shared ? `${dc}, shared` : dc) },
  { name: 'last', title: 'Last run', shown: true, cell: ({ last_run: last }) => <Time at={last} /> },
  { name: 'imported', title: 'Imported', shown: true, isNumber: true, cell: ({ imported }) => imported ?? '–' },
  { name: 'retired', title: 'Retired', isNumber: true, cell: ({ retired }) => retired ?? '–' },
  {
    name: 'every',
    title: 'Every',
    cell: ({ every }) => (every === 0 ? 'on demand' : `${every} minutes`),
  },
  { name: 'created', title: 'Created', order: 'created', cell: ({ created }) => <Time at={created} /> },
];

/** What is brought from repositories by itself. */
export default function Follows() {
  const [search, setSearch] = useQuery('search');
  const [sort] = useQuery('sort');
  const rows = useRows<Follow>('/follow', {
    query: { search, order_by: sort || 'name' },
    kinds: ['follows', 'repositories'],
  });
  return (
    <section>
      <h1>Follows</h1>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search follows" />
      </div>
      <Table
        name="follows"
        caption="Follows"
        rows={rows}
        columns={columns}
        idOf={({ name }) => name}
        to={({ name }) => pageOf(name)}
        empty={search ? 'No follow is like that.' : 'Nothing is brought from repositories by itself.'}
        tools={
          <Opens label="Follow a repository …" title="A new follow" isMain>
            {(close) => <New close={close} />}
          </Opens>
        }
      />
    </section>
  );
}

function New({ close }: { close: () => void }) {
  const fields = followFields(useRepositoryNames(), useDatacenterNames());
  return (
    <Make
      name="follow"
      called="name"
      path="/follow"
      fields={[{ name: 'name', label: 'Name', isRequired: true }, ...fields]}
      initial={newFollow}
      body={followBody}
      done={(_, name) => {
        toast(`${name} is set up: look at what it would do`);
        close();
        go(pageOf(name));
      }}
      cancel={close}
    />
  );
}
