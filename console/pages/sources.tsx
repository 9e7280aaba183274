import { part } from '../api/ask.js';
import { useRows } from '../api/use-rows.js';
import { Act } from '../parts/act.js';
import { Cut } from '../parts/cut.js';
import { Search } from '../parts/search.js';
import { pushSources, type Sources, SourcesState } from '../parts/sources-state.js';
import { type Column, Table } from '../parts/table.js';
import { Time } from '../parts/words.js';
import { Link, useQuery } from '../router.js';

const columns: readonly Column<Sources>[] = [
  {
    name: 'node',
    title: 'Node',
    shown: true,
    order: 'node',
    cell: ({ node }) => <Link to={`/nodes/${part(node)}?tab=sources`}>{node}</Link>,
  },
  { name: 'state', title: 'State', shown: true, order: 'state', cell: (sources) => <SourcesState of={sources} /> },
  { name: 'since', title: 'Since', shown: true, order: 'since', cell: ({ since }) => since && <Time at={since} /> },
  { name: 'wanted', title: 'It is to ask', cell: ({ wanted }) => wanted.join(', ') },
  { name: 'there', title: 'It asks', shown: true, cell: ({ there }) => there?.join(', ') ?? <i>not known</i> },
  { name: 'checked', title: 'Looked at', shown: true, cell: ({ checked }) => <Time at={checked} /> },
  { name: 'error', title: 'Trouble', shown: true, cell: ({ error }) => error && <Cut text={error} /> },
];

/** Which image servers nodes are to ask, and which they ask. */
export default function SourcesPage() {
  const [search, setSearch] = useQuery('search');
  const [sort] = useQuery('sort');
  const rows = useRows<Sources>('/nodesource', {
    query: { search, order_by: sort || 'node' },
    kinds: ['node-sources', 'nodes', 'node-statuses', 'datacenters', 'settings'],
  });
  const push: Column<Sources> = {
    name: 'push',
    title: 'Tell it',
    shown: true,
    cell: ({ node, state }) => (
      <Act
        label="Tell it now"
        what={node}
        reason={state === 'off' ? 'its list is its own' : undefined}
        act={() => pushSources(node).finally(rows.refresh)}
      />
    ),
  };
  return (
    <section>
      <div class="heads">
        <h1>Image servers of nodes</h1>
        <Link to="/nodes">Nodes</Link>
      </div>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search nodes" />
      </div>
      <Table
        name="sources"
        caption="Image servers of nodes"
        rows={rows}
        columns={[...columns, push]}
        idOf={({ node }) => node}
        to={({ node }) => `/nodes/${part(node)}?tab=sources`}
        empty="No node is talked to."
      />
    </section>
  );
}
