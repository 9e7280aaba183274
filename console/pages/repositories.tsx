import { useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { useRows } from '../api/use-rows.js';
import { Badge } from '../parts/badge.js';
import { Change } from '../parts/change.js';
import { Confirm } from '../parts/confirm.js';
import { filled, Make } from '../parts/make.js';
import { Opens } from '../parts/open.js';
import { newRepository, repositoryBody, repositoryFields, repositoryWish } from '../parts/repository-form.js';
import { Search } from '../parts/search.js';
import { type Column, Table } from '../parts/table.js';
import { toast } from '../parts/toasts.js';
import { Time } from '../parts/words.js';
import { useQuery } from '../router.js';

type Setup = Results['GetRepositorySetup'] & { etag?: string };

const pathOf = (name: string) => `/repository/${part(name)}`;
/** Those of no data center: a repository is there for all. */
const useSecrets = () =>
  (useAsked<Results['GetSecret'][]>('/secret', { query: { full: true }, kinds: ['secrets'] }).answer?.result ?? [])
    .filter(({ dc }) => dc === null)
    .map(({ name }) => name);

const columns = (done: () => void): readonly Column<Setup>[] => [
  { name: 'name', title: 'Name', shown: true, order: 'name', cell: ({ name }) => name },
  {
    name: 'status',
    title: 'Status',
    shown: true,
    cell: ({ enabled, error, last_update: last }) =>
      !enabled ? (
        <Badge text="off" title="it is not asked" />
      ) : error ? (
        <Badge text="failed" title={error} tone="bad" isAsked />
      ) : last ? (
        <Badge text="good" tone="good" />
      ) : (
        <Badge text="not asked yet" />
      ),
  },
  { name: 'url', title: 'URL', shown: true, order: 'url', cell: ({ url }) => url },
  { name: 'images', title: 'Images', shown: true, isNumber: true, cell: ({ image_count: count }) => count },
  { name: 'last', title: 'Refreshed', shown: true, cell: ({ last_update: last }) => <Time at={last} /> },
  {
    name: 'every',
    title: 'Every',
    shown: true,
    cell: ({ every }) => (every === 0 ? 'on demand' : `${every} minutes`),
  },
  { name: 'channel', title: 'Channel', cell: ({ channel }) => channel ?? '' },
  { name: 'secret', title: 'Secret', cell: ({ secret }) => secret ?? 'none' },
  { name: 'tried', title: 'Asked', cell: ({ tried }) => <Time at={tried} /> },
  { name: 'do', title: 'Actions', shown: true, cell: (setup) => <Actions setup={setup} done={done} /> },
];

/** How repositories are set up; what is in them is browsed elsewhere. */
export default function Repositories() {
  const [search, setSearch] = useQuery('search');
  const [sort] = useQuery('sort');
  const rows = useRows<Setup>('/repository', {
    query: { search, order_by: sort || 'name' },
    kinds: ['repositories', 'datacenters'],
  });
  const failed = Array.from({ length: rows.total ?? 0 }, (_, at) => rows.at(at)).filter(
    (setup) => setup?.enabled && setup.error,
  );
  return (
    <section>
      <h1>Repositories</h1>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search repositories" />
        <Refresh path="/imagestore" label="Refresh all" what="all repositories" done={rows.refresh} />
      </div>
      {failed.map(
        (setup) =>
          setup && (
            <p key={setup.name} class="failure">
              <strong>{setup.name}</strong>: {setup.error}, <Time at={setup.tried} />
            </p>
          ),
      )}
      <Table
        name="repositories"
        caption="Repositories"
        rows={rows}
        columns={columns(rows.refresh)}
        idOf={({ name }) => name}
        empty={search ? 'No repository is like that.' : 'There is none to import from.'}
        tools={
          <Opens label="Add a repository …" title="A new repository" isMain>
            {(close) => <New close={close} done={rows.refresh} />}
          </Opens>
        }
      />
    </section>
  );
}

function New({ close, done }: { close: () => void; done: () => void }) {
  const secrets = useSecrets();
  return (
    <Make
      name="repository"
      called="name"
      path="/repository"
      fields={[
        { name: 'name', label: 'Name', isRequired: true, hint: 'small letters, digits, ".", "_" and "-"' },
        ...repositoryFields(secrets),
      ]}
      initial={newRepository}
      body={(wish) => ({ ...filled(wish), enabled: wish.enabled })}
      done={(_, name) => {
        toast(`repository ${name} is set up: refresh it to see what is in it`);
        done();
        close();
      }}
      cancel={close}
      label="Add"
    />
  );
}

/** Asks for the list again, and waits for it. */
function Refresh({ path, label, what, done }: { path: string; label: string; what: string; done: () => void }) {
  const [isAsking, setAsking] = useState(false);
  const act = async () => {
    if (isAsking) return;
    setAsking(true);
    try {
      await ask(path, { method: 'PUT' });
      toast(`${what}: refreshed`);
    } catch (error) {
      toast(`${what}: ${(error as Error).message}`, { isBad: true });
    } finally {
      setAsking(false);
      done();
    }
  };
  return (
    <button type="button" aria-label={`refresh ${what}`} aria-disabled={isAsking} onClick={act}>
      {isAsking ? 'asking …' : label}
    </button>
  );
}

const Actions = ({ setup: { name, enabled, etag }, done }: { setup: Setup; done: () => void }) => (
  <span class="line-actions">
    {enabled && <Refresh path={`/imagestore/${part(name)}`} label="Refresh" what={name} done={done} />}
    <Opens label="Change …" of={name} title={`Change ${name}`}>
      {(close) => <ChangeIt name={name} close={close} done={done} />}
    </Opens>
    <Opens label="Remove …" of={name}>
      {(close) => (
        <Confirm
          title={`Remove the repository ${name}?`}
          label="Remove"
          act={async () => {
            await ask(pathOf(name), { method: 'DELETE', ifMatch: etag });
            toast(`repository ${name} is removed`);
            done();
          }}
          close={close}
        >
          <p>What was remembered of it is forgotten; images that came from it stay.</p>
        </Confirm>
      )}
    </Opens>
  </span>
);

function ChangeIt({ name, close, done }: { name: string; close: () => void; done: () => void }) {
  const secrets = useSecrets();
  return (
    <Change
      path={pathOf(name)}
      kinds={['repositories', 'datacenters']}
      fields={repositoryFields(secrets)}
      from={repositoryWish}
      body={repositoryBody}
      done={() => {
        toast(`${name} is changed`);
        done();
        close();
      }}
      cancel={close}
    />
  );
}
