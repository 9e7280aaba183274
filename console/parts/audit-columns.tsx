import type { Entry } from './audit-entry.js';
import { Badge } from './badge.js';
import type { Column } from './table.js';
import { bytes, Time } from './words.js';

/** How pulls go; whatever else is not done is the name of a refusal. */
const good = new Set(['done', 'whole', 'range', 'redirect']);

/** Of every list of what was done; `look` shows all of one entry. */
export const auditColumns = (look: (entry: Entry) => void): readonly Column<Entry>[] => [
  { name: 'at', title: 'When', shown: true, cell: ({ at }) => <Time at={at} /> },
  {
    name: 'who',
    title: 'Who',
    shown: true,
    cell: ({ who, token }) => (
      <>
        {who} {token && <span class="quiet">{token}</span>}
      </>
    ),
  },
  {
    name: 'what',
    title: 'What',
    shown: true,
    cell: (entry) => (
      <button type="button" class="plain link" aria-haspopup="dialog" onClick={() => look(entry)}>
        {entry.what}
      </button>
    ),
  },
  { name: 'object', title: 'Of', shown: true, cell: ({ object }) => object },
  {
    name: 'result',
    title: 'Result',
    shown: true,
    cell: ({ result, count }) => (
      <>
        <Badge text={result} tone={good.has(result) ? 'good' : 'bad'} /> {count !== undefined && `${count} times`}
      </>
    ),
  },
  { name: 'dcs', title: 'Data centers', shown: true, cell: ({ datacenters }) => datacenters.join(', ') },
  { name: 'from', title: 'From', shown: true, cell: ({ from }) => from ?? '' },
  {
    name: 'bytes',
    title: 'Bytes',
    isNumber: true,
    cell: ({ bytes: moved }) => (moved === undefined ? '' : bytes(moved)),
  },
  { name: 'request', title: 'Request', cell: ({ request }) => request ?? '' },
];
