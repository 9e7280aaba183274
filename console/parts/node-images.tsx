import { useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useRows } from '../api/use-rows.js';
import { Link, useQuery } from '../router.js';
import { Act } from './act.js';
import { Badge } from './badge.js';
import type { Tasks } from './begun.js';
import { Confirm } from './confirm.js';
import { Dialog } from './dialog.js';
import type { Node } from './node-words.js';
import { ProgressBar } from './progress.js';
import { Search } from './search.js';
import { type Column, Table } from './table.js';
import { useTask } from './use-task.js';
import { bytes, Time } from './words.js';

type Copy = Results['GetNodeImage'];

interface Props {
  node: Node;
  pool: string;
  tasks: Tasks;
}

/** The images on a pool, who uses each, and what comes and goes. */
export function NodeImages({ node: { name: node, connection }, pool, tasks }: Props) {
  const [search, setSearch] = useQuery('search');
  const [sort] = useQuery('sort');
  const [doomed, setDoomed] = useState<Copy>();
  const path = `/node/${part(node)}/storage/${part(pool)}/image`;
  const rows = useRows<Copy>(path, {
    query: { extended: true, search, order_by: sort || 'name' },
    kinds: ['node-images', 'vms', 'images', 'node-statuses'],
  });
  const remove = async ({ uuid, name }: Copy) => {
    const { task } = await ask(`${path}/${part(uuid)}`, { method: 'DELETE', body: {} });
    tasks.add(task, `Remove ${name} from ${pool}`);
  };
  const columns: readonly Column<Copy>[] = [
    ...copyColumns,
    {
      name: 'remove',
      title: 'Remove',
      shown: true,
      cell: (copy) => (
        <Act
          label="Remove"
          what={copy.name}
          reason={connection ? whyKept(copy) : 'nobody has said how the node is reached'}
          act={() => setDoomed(copy)}
        />
      ),
    },
  ];
  return (
    <>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search images" />
      </div>
      <Table
        name="node-images"
        caption={`Images on pool ${pool} of ${node}`}
        rows={rows}
        columns={columns}
        idOf={({ uuid }) => uuid}
        empty={search ? 'No image there is called like that.' : 'No image is there.'}
      />
      {doomed && (
        <Confirm
          title={`Remove ${doomed.name} from pool ${pool} of ${node}`}
          label="Remove"
          act={() => remove(doomed)}
          close={() => setDoomed(undefined)}
        >
          <p>
            {doomed.known
              ? 'It stays on this server, and can be pulled again.'
              : 'This server does not have it: it can not be pulled again from here.'}
          </p>
        </Confirm>
      )}
    </>
  );
}

/** Why it can not be removed now. */
function whyKept({ state, vm_count: count, vms = [] }: Copy): string | undefined {
  if (state === 'importing') return 'it is coming';
  if (state === 'deleting') return 'it is being removed';
  if (count > 0) return `it is used by ${vms.map(({ hostname }) => hostname).join(', ')}`;
  return undefined;
}

const states: Record<Copy['state'], readonly [string, string]> = {
  ready: ['ready', 'good'],
  importing: ['importing', 'warn'],
  deleting: ['deleting', 'warn'],
};

const copyColumns: readonly Column<Copy>[] = [
  {
    name: 'name',
    title: 'Image',
    shown: true,
    order: 'name',
    cell: ({ known, name, uuid, alias, version }) =>
      known ? (
        <>
          <Link to={`/image/${part(uuid)}`}>{name}</Link>{' '}
          <span class="quiet">
            {alias !== name && alias} {version}
          </span>
        </>
      ) : (
        <>
          <code>{uuid}</code> <Badge text="not ours" title="this server does not have it" />
        </>
      ),
  },
  { name: 'state', title: 'State', shown: true, order: 'state', cell: (copy) => <State copy={copy} /> },
  {
    name: 'size',
    title: 'Size there',
    shown: true,
    order: 'size',
    isNumber: true,
    cell: ({ size }) => (size === null ? '–' : bytes(size)),
  },
  { name: 'vms', title: 'Machines', shown: true, order: 'vm_count', cell: (copy) => <Users copy={copy} /> },
  { name: 'seen', title: 'Seen', shown: true, cell: ({ seen }) => (seen === null ? 'not yet' : <Time at={seen} />) },
  { name: 'uuid', title: 'UUID', order: 'uuid', cell: ({ uuid }) => <code>{uuid}</code> },
];

function State({ copy: { state, task, name } }: { copy: Copy }) {
  const [word, tone] = states[state];
  return (
    <span class="badges">
      <Badge text={word} tone={tone} />
      {task !== null && state !== 'ready' && <Moving task={task} what={`${word} ${name}`} />}
    </span>
  );
}

function Moving({ task, what }: { task: string; what: string }) {
  const progress = useTask(task).answer?.result.progress;
  return progress ? <ProgressBar progress={progress} what={what} /> : null;
}

function Users({ copy: { vm_count: count, vms = [], name } }: { copy: Copy }) {
  const [isOpen, setOpen] = useState(false);
  if (count === 0) return <>0</>;
  return (
    <>
      <button
        type="button"
        class="plain link"
        title={vms.map(({ hostname }) => hostname).join(', ')}
        aria-label={`${count} that use ${name}`}
        onClick={() => setOpen(true)}
      >
        {count}
      </button>
      {isOpen && (
        <Dialog title={`Machines that use ${name} there`} close={() => setOpen(false)}>
          <ul>
            {vms.map(({ hostname, dc }) => (
              <li key={hostname}>
                <Link to={`/machines?search=${part(hostname)}`}>{hostname}</Link> <span class="quiet">{dc}</span>
              </li>
            ))}
          </ul>
        </Dialog>
      )}
    </>
  );
}
