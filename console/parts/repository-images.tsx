import { useEffect, useRef, useState } from 'preact/hooks';
import { part } from '../api/ask.js';
import { useRows } from '../api/use-rows.js';
import { Link, useQuery } from '../router.js';
import { useAccount } from '../session.js';
import { Badge } from './badge.js';
import { datacentersFor } from './bring-fields.js';
import { osOf } from './image-words.js';
import type { Remote } from './remote.js';
import { RepositoryImport } from './repository-import.js';
import { Search } from './search.js';
import { type Column, Table } from './table.js';
import { bytes, Time } from './words.js';

const periods = [
  ['', 'all, whenever published'],
  ['30d', 'of the last 30 days'],
  ['month', 'of the last month'],
  ['year', 'of the last year'],
] as const;

interface Props {
  repository: string;
  /** When its list was had last. */
  last: string | null;
  begun: (task: string) => void;
}

/** What a repository has. What is here already is marked, and not brought in again. */
export function RepositoryImages({ repository, last: listed, begun }: Props) {
  const [search, setSearch] = useQuery('search');
  const [last, setLast] = useQuery('last');
  const [os, setOs] = useQuery('os');
  const [sort] = useQuery('sort');
  const [chosen, choose] = useState<Remote>();
  const rows = useRows<Remote>(`/imagestore/${part(repository)}/image`, {
    query: { search, last, os, order_by: sort || '-created' },
    kinds: ['images', 'repositories'],
    concerns: ({ action }) => action !== 'progress',
  });
  // Whoever is no SuperAdmin is not told of what becomes of repositories.
  const shown = useRef(listed);
  useEffect(() => {
    if (shown.current !== listed) rows.refresh();
    shown.current = listed;
  }, [listed, rows.refresh]);
  const account = useAccount();
  const mayImport = account.super_admin || datacentersFor(account, 'import').length > 0;
  const isFiltered = search !== '' || last !== '' || os !== '';
  return (
    <>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search the repository" />
        <select aria-label="published" value={last} onChange={(event) => setLast(event.currentTarget.value)}>
          {periods.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
        <select aria-label="operating system" value={os} onChange={(event) => setOs(event.currentTarget.value)}>
          <option value="">any OS</option>
          {['smartos', 'linux', 'windows', 'bsd', 'illumos', 'other'].map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </div>
      <Table
        name="repository"
        caption={`Images of ${repository}`}
        rows={rows}
        columns={columnsWith(choose, mayImport ? undefined : NOT_YOURS)}
        idOf={({ uuid }) => uuid}
        classOf={({ registered: isHere }) => (isHere ? 'already' : '')}
        empty={isFiltered ? 'No image is like that.' : 'Nothing is known of it yet: refresh it.'}
      />
      {chosen && (
        <RepositoryImport
          repository={repository}
          remote={chosen}
          close={() => choose(undefined)}
          begun={(task) => {
            choose(undefined);
            begun(task);
            scrollTo(0, 0);
          }}
        />
      )}
    </>
  );
}

const NOT_YOURS = 'it takes the roles image_admin and image_import_admin in one data center';

const columnsWith = (choose: (remote: Remote) => void, reason: string | undefined): readonly Column<Remote>[] => [
  {
    name: 'name',
    title: 'Name',
    shown: true,
    order: 'name',
    cell: (remote) => (
      <>
        <button type="button" class="plain link" onClick={() => choose(remote)}>
          {remote.name}
        </button>{' '}
        <span class="quiet">{remote.version}</span>
      </>
    ),
  },
  { name: 'os', title: 'OS', shown: true, order: 'os', cell: osOf },
  {
    name: 'size',
    title: 'Download',
    shown: true,
    order: 'download_size',
    isNumber: true,
    cell: ({ download_size: size }) => (size === 0 ? '–' : bytes(size)),
  },
  {
    name: 'state',
    title: 'State',
    shown: true,
    order: 'state',
    cell: ({ state }) => <Badge text={state} tone={state === 'active' ? 'good' : 'warn'} />,
  },
  {
    name: 'created',
    title: 'Published',
    shown: true,
    order: 'created',
    cell: ({ created }) => (created === '' ? 'not said' : <Time at={created} />),
  },
  {
    name: 'import',
    title: 'Here',
    shown: true,
    cell: (remote) =>
      remote.registered ? (
        <>
          <Badge text="here" tone="good" title="it is registered here already" />{' '}
          <Link to={`/image/${part(remote.uuid)}`}>look at it</Link>
        </>
      ) : (
        <button
          type="button"
          aria-label={`Import ${remote.name} ${remote.version}`}
          aria-disabled={reason !== undefined}
          title={reason}
          onClick={() => reason === undefined && choose(remote)}
        >
          Import …
        </button>
      ),
  },
  { name: 'desc', title: 'Description', shown: true, order: 'desc', cell: ({ desc }) => desc },
  { name: 'disk', title: 'Disk', order: 'size', isNumber: true, cell: ({ size }) => bytes(size * 2 ** 20) },
  { name: 'type', title: 'Type', cell: ({ type }) => type },
  { name: 'uuid', title: 'UUID', order: 'uuid', cell: ({ uuid }) => <code>{uuid}</code> },
];
