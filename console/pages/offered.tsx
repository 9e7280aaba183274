import { useMemo } from 'preact/hooks';
import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import type { Rows } from '../api/use-rows.js';
import { Badge } from '../parts/badge.js';
import { Copy } from '../parts/copy.js';
import { Failure } from '../parts/failure.js';
import { belongsTo, osOf } from '../parts/image-words.js';
import { Search } from '../parts/search.js';
import { type Column, Table } from '../parts/table.js';
import { useEvery } from '../parts/use-every.js';
import { bytes } from '../parts/words.js';
import { Link, useQuery } from '../router.js';
import { useAccount } from '../session.js';

type Offered = Results['PickImages'][number];

const pageOf = (uuid: string) => `/image/${part(uuid)}`;

const columns: readonly Column<Offered>[] = [
  {
    name: 'alias',
    title: 'Name',
    shown: true,
    order: 'alias',
    cell: ({ uuid, alias, version }) => (
      <span>
        <Link to={pageOf(uuid)}>{alias}</Link> <span class="quiet">{version}</span>
      </span>
    ),
  },
  {
    name: 'badges',
    title: 'Offered to',
    shown: true,
    cell: (image) => (
      <span class="badges">
        {image.golden && <Badge text="golden" tone="good" title="recommended" />}
        {image.default && <Badge text="default" title="chosen unless somebody chooses another one" />}
        <Badge
          text={belongsTo(image.belongs === 'group' ? image.groups : null, image.class)}
          title={image.belongs === 'system' ? 'for everybody in the data center' : 'for the members of the group only'}
          isAsked
        />
      </span>
    ),
  },
  { name: 'os', title: 'OS', shown: true, order: 'ostype', cell: osOf },
  {
    name: 'size',
    title: 'Size',
    shown: true,
    order: 'size',
    isNumber: true,
    cell: ({ size }) => (size === 0 ? '–' : bytes(size * 2 ** 20)),
  },
  { name: 'desc', title: 'Description', shown: true, cell: ({ desc }) => desc },
  { name: 'tags', title: 'Tags', cell: ({ tags }) => tags.join(', ') },
  { name: 'name', title: 'Key', cell: ({ name }) => name },
  {
    name: 'uuid',
    title: 'UUID',
    shown: true,
    cell: ({ uuid, alias }) => (
      <>
        <Copy text={uuid} what={`the uuid of ${alias}`} /> <code>{uuid}</code>
      </>
    ),
  },
];

type Order = (a: Offered, b: Offered) => number;
const byName: Order = (a, b) => a.alias.localeCompare(b.alias) || a.version.localeCompare(b.version);
const orders: Record<string, Order> = {
  alias: byName,
  ostype: (a, b) => a.ostype - b.ostype,
  size: (a, b) => a.size - b.size,
};

/** What is recommended comes first, unless one says otherwise. */
function orderOf(sort: string): Order {
  const named = orders[sort.replace(/^-/, '')];
  if (!named)
    return (a, b) => Number(b.golden) - Number(a.golden) || Number(b.default) - Number(a.default) || byName(a, b);
  return sort.startsWith('-') ? (a, b) => named(b, a) : named;
}

const isLike = ({ alias, name, desc, version, tags, uuid }: Offered, text: string) =>
  [alias, name, desc, version, uuid, ...tags].some((one) => one.toLowerCase().includes(text.trim().toLowerCase()));

/** Nobody is told of what changes in the images of others: it is asked for so often, in milliseconds. */
const OFTEN = 10_000;

/** What a machine can be made of, for those who make machines and manage no images. */
export default function OfferedImages() {
  const { super_admin: isSuper, roles } = useAccount();
  const [search, setSearch] = useQuery('search');
  const [chosen, setChosen] = useQuery('dc');
  const [ostype, setOstype] = useQuery('ostype');
  const [sort] = useQuery('sort');
  const known = useAsked<string[]>(isSuper ? '/dc' : undefined, { kinds: ['datacenters'] });
  const names = isSuper ? (known.answer?.result ?? []) : Object.keys(roles);
  const dc = chosen || names[0];
  const offered = useAsked<Offered[]>(dc === undefined ? undefined : `/dc/${part(dc)}/picker`, {
    query: { ostype },
    kinds: ['images', 'datacenters', 'groups'],
  });
  useEvery(OFTEN, offered.poll);
  const all = offered.answer?.result;
  const shown = useMemo(() => all?.filter((image) => isLike(image, search)).sort(orderOf(sort)), [all, search, sort]);
  const rows: Rows<Offered> = {
    total: shown?.length,
    at: (index) => shown?.[index],
    show: noMore,
    failure: offered.failure,
    refresh: offered.refresh,
  };
  return (
    <section>
      <h1>Images to use</h1>
      {known.failure && <Failure of={known.failure} again={known.refresh} />}
      {!isSuper && names.length === 0 && <Nowhere />}
      {dc !== undefined && (
        <>
          <p class="quiet">
            What a machine can be made of in {dc} right now{isSuper ? '' : ', by you'}.
          </p>
          <div class="bar">
            <Search value={search} change={setSearch} label="Search images" />
            <select aria-label="data center" value={dc} onChange={(event) => setChosen(event.currentTarget.value)}>
              {names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
            <select
              aria-label="operating system"
              value={ostype}
              onChange={(event) => setOstype(event.currentTarget.value)}
            >
              <option value="">any OS</option>
              {[1, 2, 3, 4, 5, 6].map((type) => (
                <option key={type} value={type}>
                  {osOf({ ostype: type })}
                </option>
              ))}
            </select>
          </div>
          <Table
            name="offered"
            caption={`Images to use in ${dc}`}
            rows={rows}
            columns={columns}
            idOf={({ uuid }) => uuid}
            to={({ uuid }) => pageOf(uuid)}
            empty={
              search || ostype
                ? 'No image is like that. Clear the filters to see the others.'
                : `No image of ${dc} is both ready and offered to you yet. Its administrators can make one public there, or share it with you.`
            }
          />
        </>
      )}
    </section>
  );
}

/** All of them have come at once. */
const noMore = () => {};

const Nowhere = () => (
  <div class="box">
    <h2>You are in no data center yet</h2>
    <p>
      That is why there is nothing to see here. Ask an administrator of a data center, or a SuperAdmin, to make you a
      member of one of its groups: what you may use shows as soon as that is done.
    </p>
  </div>
);
