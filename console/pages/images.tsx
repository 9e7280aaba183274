import { useState } from 'preact/hooks';
import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { useRows } from '../api/use-rows.js';
import { Badge } from '../parts/badge.js';
import { Bulk } from '../parts/bulk.js';
import { accessOf, ImageBadges, osOf } from '../parts/image-words.js';
import { LabelMark, labels } from '../parts/label.js';
import { Rename } from '../parts/rename.js';
import { Search } from '../parts/search.js';
import { useSelection } from '../parts/selection.js';
import { type Column, Table } from '../parts/table.js';
import { bytes, Time } from '../parts/words.js';
import { Link, useQuery } from '../router.js';
import { useAccount } from '../session.js';

export type Image = Results['GetManagedImage'];

const columns: readonly Column<Image>[] = [
  { name: 'label', title: 'Label', shown: true, order: 'label', cell: (image) => <LabelMark image={image} /> },
  {
    name: 'alias',
    title: 'Name',
    shown: true,
    order: 'alias',
    cell: (image) => (
      <span class="title">
        <Rename image={image} /> <span class="quiet">{image.version}</span>
      </span>
    ),
  },
  {
    name: 'name',
    title: 'Key',
    shown: true,
    order: 'name',
    cell: ({ name }) => <Link to={`/image/${part(name)}`}>{name}</Link>,
  },
  { name: 'badges', title: 'Status', shown: true, order: 'status', cell: (image) => <ImageBadges image={image} /> },
  { name: 'os', title: 'OS', shown: true, order: 'ostype', cell: osOf },
  {
    name: 'size',
    title: 'Size',
    shown: true,
    order: 'size',
    isNumber: true,
    cell: ({ size }) => (size === 0 ? '–' : bytes(size * 2 ** 20)),
  },
  { name: 'access', title: 'Access', shown: true, order: 'access', cell: accessOf },
  { name: 'owner', title: 'Owner', shown: true, order: 'owner', cell: ({ owner }) => owner },
  {
    name: 'dcs',
    title: 'Data centers',
    shown: true,
    cell: ({ dcs, global, dc_bound }) =>
      global ? (
        'all'
      ) : dc_bound ? (
        <Badge text={`${dcs[0] ?? ''} only`} title="bound to its one data center" />
      ) : (
        dcs.join(', ') || <i>none</i>
      ),
  },
  { name: 'vms', title: 'Machines', isNumber: true, cell: ({ vms }) => vms },
  { name: 'stored', title: 'Stored', isNumber: true, cell: ({ bytes: stored }) => bytes(stored) },
  { name: 'tags', title: 'Tags', order: 'tags', cell: ({ tags }) => tags.join(', ') },
  { name: 'desc', title: 'Description', order: 'desc', cell: ({ desc }) => desc },
  { name: 'created', title: 'Created', order: 'created', cell: ({ created }) => <Time at={created} /> },
  { name: 'changed', title: 'Changed', order: 'changed', cell: ({ changed }) => <Time at={changed} /> },
  { name: 'uuid', title: 'UUID', order: 'uuid', cell: ({ uuid }) => <code>{uuid}</code> },
];

const RETIRED = 4;

export default function Images() {
  const account = useAccount();
  const [search, setSearch] = useQuery('search');
  const [dc, setDc] = useQuery('dc');
  const [label, setLabel] = useQuery('label');
  const [ostype, setOstype] = useQuery('ostype');
  const [show, setShow] = useQuery('show');
  const [sort] = useQuery('sort');
  const selection = useSelection();
  const names = useAsked<string[]>('/dc').answer?.result ?? [];
  const query = {
    search,
    label,
    ostype,
    order_by: sort || 'alias',
    ...(show === 'golden' && { golden: true }),
    ...(show === 'not-ready' && { ready: false }),
    ...(show === 'deprecated' && { deprecated: true }),
    ...(show === 'deleted' && { access: RETIRED }),
  };
  const rows = useRows<Image>(dc === '' ? '/image' : `/dc/${part(dc)}/image`, {
    query,
    kinds: ['images', 'tasks'],
    concerns: ({ action }) => action !== 'progress',
  });
  const [isBulk, setBulk] = useState(false);
  const isFiltered = [search, label, ostype, show].some((one) => one !== '');

  return (
    <section>
      <h1>Images</h1>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search images" />
        <select aria-label="data center" value={dc} onChange={(event) => setDc(event.currentTarget.value)}>
          <option value="">{account.super_admin ? 'all data centers' : 'all of mine'}</option>
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <select aria-label="operating system" value={ostype} onChange={(event) => setOstype(event.currentTarget.value)}>
          <option value="">any OS</option>
          <option value="1">Linux</option>
          <option value="2">SunOS</option>
          <option value="3">BSD</option>
          <option value="4">Windows</option>
          <option value="5">SunOS zone</option>
          <option value="6">Linux zone</option>
        </select>
        <select aria-label="label" value={label} onChange={(event) => setLabel(event.currentTarget.value)}>
          <option value="">any label</option>
          {['none', ...labels].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <select aria-label="which images" value={show} onChange={(event) => setShow(event.currentTarget.value)}>
          <option value="">all that are offered</option>
          <option value="golden">golden</option>
          <option value="not-ready">not ready</option>
          <option value="deprecated">deprecated</option>
          <option value="deleted">deleted</option>
        </select>
      </div>
      <Table
        name="images"
        caption="Images"
        rows={rows}
        columns={columns}
        idOf={({ name }) => name}
        to={({ name }) => `/image/${part(name)}`}
        selection={selection}
        classOf={({ deprecated, access }) => (deprecated || access === RETIRED ? 'deprecated' : '')}
        empty={isFiltered ? 'No image is like that. Clear the filters to see the others.' : 'There is no image yet.'}
        tools={
          <button
            type="button"
            aria-disabled={selection.size === 0}
            onClick={() => selection.size > 0 && setBulk(true)}
          >
            Change the selected …
          </button>
        }
      />
      {isBulk && <Bulk selection={selection} close={() => setBulk(false)} done={rows.refresh} />}
    </section>
  );
}
