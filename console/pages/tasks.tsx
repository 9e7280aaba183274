import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useRows } from '../api/use-rows.js';
import { Badge } from '../parts/badge.js';
import { ProgressBar } from '../parts/progress.js';
import { Search } from '../parts/search.js';
import { type Column, Table } from '../parts/table.js';
import { toast } from '../parts/toasts.js';
import { Time } from '../parts/words.js';
import { useQuery } from '../router.js';

type Task = Results['GetTask'];

const states: Record<Task['status'], readonly [string, string]> = {
  PENDING: ['waiting', ''],
  STARTED: ['at work', 'warn'],
  SUCCESS: ['done', 'good'],
  FAILURE: ['failed', 'bad'],
  REVOKED: ['cancelled', ''],
};

const detailOf = ({ result }: Task) =>
  result && typeof result === 'object' && 'detail' in result ? String(result.detail) : undefined;

const cancel = (id: string) =>
  ask(`/task/${part(id)}/cancel`, { method: 'PUT' }).catch((error: Error) => toast(error.message, { isBad: true }));

const columns: readonly Column<Task>[] = [
  {
    name: 'status',
    title: 'Status',
    shown: true,
    order: 'status',
    cell: (task) => <Badge text={states[task.status][0]} tone={states[task.status][1]} title={detailOf(task)} />,
  },
  { name: 'what', title: 'What', shown: true, order: 'name', cell: ({ name }) => name },
  { name: 'object', title: 'Of', shown: true, cell: ({ object }) => object },
  {
    name: 'progress',
    title: 'Progress',
    shown: true,
    cell: ({ progress, name, status }) =>
      status === 'STARTED' && progress ? <ProgressBar progress={progress} what={name} /> : null,
  },
  { name: 'user', title: 'By', shown: true, cell: ({ user }) => user },
  { name: 'dc', title: 'Data center', shown: true, cell: ({ dc }) => dc ?? '' },
  { name: 'created', title: 'Begun', shown: true, order: 'created', cell: ({ created }) => <Time at={created} /> },
  { name: 'ended', title: 'Ended', order: 'ended', cell: ({ ended }) => (ended ? <Time at={ended} /> : '') },
  {
    name: 'cancel',
    title: '',
    shown: true,
    cell: ({ id, status, name }) =>
      status === 'PENDING' || status === 'STARTED' ? (
        <button type="button" aria-label={`cancel ${name}`} onClick={() => cancel(id)}>
          Cancel
        </button>
      ) : null,
  },
];

export default function Tasks() {
  const [search, setSearch] = useQuery('search');
  const [status, setStatus] = useQuery('status');
  const [sort] = useQuery('sort');
  const rows = useRows<Task>('/task', {
    query: { search, status, order_by: sort || '-created' },
    kinds: ['tasks'],
  });
  return (
    <section>
      <h1>Tasks</h1>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search tasks" />
        <select aria-label="status" value={status} onChange={(event) => setStatus(event.currentTarget.value)}>
          <option value="">any status</option>
          {Object.entries(states).map(([name, [word]]) => (
            <option key={name} value={name}>
              {word}
            </option>
          ))}
        </select>
      </div>
      <Table
        name="tasks"
        caption="Tasks"
        rows={rows}
        columns={columns}
        idOf={({ id }) => id}
        empty="Nothing has been done yet that takes long."
      />
    </section>
  );
}
