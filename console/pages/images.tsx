import type { ComponentChildren } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import { useAsked } from '../api/use-asked.js';
import { type Rows, useRows } from '../api/use-rows.js';
import { Act } from '../parts/act.js';
import { ways } from '../parts/bring-ways.js';
import { Bulk } from '../parts/bulk.js';
import { Failure } from '../parts/failure.js';
import { Fold } from '../parts/fold.js';
import { type Deed, ImageDialog } from '../parts/image-actions.js';
import type { ShownImage } from '../parts/image-ask.js';
import { imageColumns } from '../parts/image-columns.js';
import { Choice, useImageFilters } from '../parts/image-filters.js';
import { useSelection } from '../parts/selection.js';
import { Table } from '../parts/table.js';
import { Link, useQuery } from '../router.js';
import { holds, useAccount } from '../session.js';

/** Those of a data center, or of all of them for those who manage images. */
export default function Images() {
  const account = useAccount();
  const managesAny = holds(account, 'image_admin');
  const [chosen, setDc] = useQuery('dc');
  const [all, setAll] = useQuery('all');
  const [deleted, setDeleted] = useQuery('deleted');
  const known = useAsked<string[]>('/dc', { kinds: ['datacenters', 'groups'] });
  const names = known.answer?.result ?? [];
  // SuperAdmins begin with all there is, others with a data center of theirs.
  const isAll = managesAny && (all === '' ? account.super_admin && chosen === '' : all === 'yes');
  const dc = chosen || names[0];
  const manages = account.super_admin || isAll || (dc !== undefined && holdsIn(account.roles, dc));
  const isDeleted = manages && deleted === 'yes';
  const where = isAll ? '/image' : dc === undefined ? undefined : `/dc/${part(dc)}/image`;
  const showAll = (on: boolean) => {
    setDc(on ? '' : (dc ?? ''));
    setAll(on === account.super_admin ? '' : on ? 'yes' : 'no');
  };
  return (
    <section>
      <h1>Images</h1>
      {known.failure && <Failure of={known.failure} again={known.refresh} />}
      {!known.answer && !known.failure && where === undefined && <p class="loading">loading …</p>}
      {known.answer && where === undefined && <p>You administer no data center.</p>}
      {where !== undefined && (
        <List
          path={where}
          isDeleted={isDeleted}
          mayChange={managesAny}
          set={[chosen, isDeleted].filter(Boolean).length}
        >
          {managesAny && <Toggle label="Show all" isOn={isAll} set={showAll} />}
          {!isAll && dc !== undefined && (
            <Choice label="data center" value={dc} set={setDc} choices={names.map((name) => [name, name])} />
          )}
          {manages && <Toggle label="Show deleted" isOn={isDeleted} set={(on) => setDeleted(on ? 'yes' : '')} />}
        </List>
      )}
    </section>
  );
}

const holdsIn = (roles: Record<string, string[]>, dc: string) => roles[dc]?.includes('image_admin') ?? false;

interface ToggleProps {
  label: string;
  isOn: boolean;
  set: (isOn: boolean) => void;
}

const Toggle = ({ label, isOn, set }: ToggleProps) => (
  <label class="toggle">
    <input type="checkbox" checked={isOn} onChange={(event) => set(event.currentTarget.checked)} />
    {label}
  </label>
);

const RETIRED = 4;
/** So many are changed at a time. */
const MOST = 1000;

interface Doing {
  image: ShownImage;
  deed: Deed;
}

interface ListProps {
  path: string;
  isDeleted: boolean;
  mayChange: boolean;
  /** Before the filters: of where they are. */
  children: ComponentChildren;
  /** How many of those say something else than usual. */
  set: number;
}

function List({ path, isDeleted, mayChange, children, set }: ListProps) {
  const { query, isFiltered, search, filters, set: more } = useImageFilters();
  const asked = { ...query, deleted: isDeleted };
  const rows = useRows<ShownImage>(path, {
    query: asked,
    kinds: ['images', 'tasks', 'vms', 'nodes'],
    concerns: ({ action }) => action !== 'progress',
  });
  const selection = useSelection();
  const [isBulk, setBulk] = useState(false);
  // It stays open whatever becomes of the row.
  const [doing, setDoing] = useState<Doing>();
  const names = useRef(new Map<string, string>());
  const learn = (images: Iterable<ShownImage>) => {
    for (const { uuid, name } of images) names.current.set(uuid, name);
  };
  const selectAll = async () => {
    const { result } = await ask<ShownImage[]>(path, { query: { ...asked, full: true, limit: MOST } });
    learn(result);
    selection.choose(result.map(({ uuid }) => uuid));
  };
  const columns = useMemo(() => {
    const all = imageColumns((image, deed) => setDoing({ image, deed }));
    return mayChange ? all : all.filter(({ name }) => name !== 'actions');
  }, [mayChange]);
  return (
    <>
      <div class="bar">
        {search}
        <Fold set={set + more}>
          {children}
          {filters}
        </Fold>
      </div>
      <Table
        name="images"
        caption="Images"
        rows={rows}
        columns={columns}
        idOf={({ uuid }) => uuid}
        nameOf={({ name }) => name}
        to={({ uuid }) => `/image/${part(uuid)}`}
        {...(mayChange && { selection })}
        classOf={({ deprecated, access }) => (access === RETIRED ? 'retired' : deprecated ? 'deprecated' : '')}
        empty={isFiltered ? 'No image is like that. Clear the filters to see the others.' : <Nothing />}
        tools={
          mayChange && (
            <>
              {selection.size > 0 ? (
                <Act label="Select none" act={selection.clear} />
              ) : (
                <Act
                  label="Select all"
                  reason={(rows.total ?? 0) > MOST ? `${MOST} are changed at a time: narrow the list first` : undefined}
                  act={selectAll}
                />
              )}
              <Act
                label="Change the selected …"
                reason={selection.size === 0 ? 'none is selected' : undefined}
                act={() => {
                  learn(knownOf(rows));
                  setBulk(true);
                }}
              />
            </>
          )
        }
      />
      {isBulk && <Bulk selection={selection} names={names.current} close={() => setBulk(false)} done={rows.refresh} />}
      {doing && (
        <ImageDialog
          key={`${doing.image.uuid} ${doing.deed}`}
          {...doing}
          close={() => setDoing(undefined)}
          refresh={rows.refresh}
        />
      )}
    </>
  );
}

/** Whoever may bring one in is led there. */
function Nothing() {
  const account = useAccount();
  const mayBring = ways.some(({ isFor }) => isFor(account));
  return <>There is no image yet. {mayBring && <Link to="/bring">Bring one in</Link>}</>;
}

/** What has come of a list. */
function* knownOf({ total = 0, at }: Rows<ShownImage>): Generator<ShownImage> {
  for (let index = 0; index < total; index += 1) {
    const image = at(index);
    if (image) yield image;
  }
}
