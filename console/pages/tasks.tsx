import { part } from '../api/ask.js';
import { useRows } from '../api/use-rows.js';
import { Cut } from '../parts/cut.js';
import { useDatacenterNames } from '../parts/datacenter-form.js';
import { ProgressBar } from '../parts/progress.js';
import { Search } from '../parts/search.js';
import { type Column, Table } from '../parts/table.js';
import { CancelTask } from '../parts/task-cancel.js';
import { detailOf, type Task, TaskObjects, TaskState, taskStates } from '../parts/task-words.js';
import { Time } from '../parts/words.js';
import { Link, useQuery } from '../router.js';
import { useAccount } from '../session.js';

const pageOf = ({ id }: Task) => `/tasks/${part(id)}`;

const columns: readonly Column<Task>[] = [
  { name: 'status', title: 'Status', shown: true, order: 'status', cell: (task) => <TaskState task={task} /> },
  {
    name: 'what',
    title: 'What',
    shown: true,
    order: 'name',
    cell: (task) => <Link to={pageOf(task)}>{task.name}</Link>,
  },
  { name: 'object', title: 'Of', shown: true, order: 'object', cell: (task) => <TaskObjects of={task} /> },
  { name: 'progress', title: 'How far', shown: true, cell: (task) => <HowFar task={task} /> },
  { name: 'user', title: 'By', shown: true, order: 'user', cell: ({ user }) => user },
  { name: 'dc', title: 'Data center', shown: true, order: 'dc', cell: ({ dc }) => dc ?? '' },
  { name: 'created', title: 'Begun', shown: true, order: 'created', cell: ({ created }) => <Time at={created} /> },
  { name: 'ended', title: 'Ended', order: 'ended', cell: ({ ended }) => (ended ? <Time at={ended} /> : '') },
  { name: 'cancel', title: 'Cancel', shown: true, cell: (task) => <CancelTask task={task} /> },
];

/** While it is at work, its progress; where it has failed, why. */
function HowFar({ task }: { task: Task }) {
  const { status, progress, name } = task;
  if (status === 'STARTED' && progress) return <ProgressBar progress={progress} what={name} />;
  const detail = detailOf(task);
  return detail === undefined ? null : <Cut text={detail} tone="error" />;
}

/** Long work, of all that the person may know of. */
export default function Tasks() {
  const { super_admin: isSuper } = useAccount();
  const [search, setSearch] = useQuery('search');
  const [status, setStatus] = useQuery('status');
  const [dc, setDc] = useQuery('dc');
  const [sort] = useQuery('sort');
  const dcs = useDatacenterNames();
  const rows = useRows<Task>('/task', {
    query: { search, status, dc, order_by: sort || '-created' },
    kinds: ['tasks'],
  });
  return (
    <section>
      <h1>Tasks</h1>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search tasks" />
        <select aria-label="status" value={status} onChange={(event) => setStatus(event.currentTarget.value)}>
          <option value="">any status</option>
          {Object.entries(taskStates).map(([name, [word]]) => (
            <option key={name} value={name}>
              {word}
            </option>
          ))}
        </select>
        {dcs.length > 0 && (
          <select aria-label="data center" value={dc} onChange={(event) => setDc(event.currentTarget.value)}>
            <option value="">{isSuper ? 'all data centers' : 'all of mine'}</option>
            {dcs.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </div>
      <Table
        name="tasks"
        caption="Tasks"
        rows={rows}
        columns={columns}
        idOf={({ id }) => id}
        to={pageOf}
        empty={search || status || dc ? 'No task is like that.' : 'Nothing has been done yet that takes long.'}
      />
    </section>
  );
}
