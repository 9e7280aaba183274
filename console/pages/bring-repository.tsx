import { useState } from 'preact/hooks';
import { ask, part, type Refusal } from '../api/ask.js';
import { useAsked } from '../api/use-asked.js';
import { Act } from '../parts/act.js';
import { BringFrame } from '../parts/bring-frame.js';
import { Brought, useBroughtBy } from '../parts/brought.js';
import { Failure } from '../parts/failure.js';
import { RepositoryImages } from '../parts/repository-images.js';
import { Time } from '../parts/words.js';
import { useQuery } from '../router.js';

interface Store {
  name: string;
  url: string;
  last_update: string | null;
  image_count: number;
  error: string | null;
  refreshing: boolean;
  authoritative: boolean;
}

/** What other image servers have, and what of it is here already. */
export default function BringRepository() {
  const { answer, failure, refresh } = useAsked<Store[]>('/imagestore', {
    query: { full: true },
    kinds: ['repositories', 'datacenters'],
  });
  const [wanted, choose] = useQuery('repo');
  const [task, setTask] = useBroughtBy();
  const stores = answer?.result ?? [];
  const store = stores.find(({ name }) => name === wanted) ?? (wanted === '' ? stores[0] : undefined);
  return (
    <BringFrame path="/bring/repository">
      {task && <Brought task={task} again={() => setTask('')} />}
      {failure && <Failure of={failure} again={refresh} />}
      {answer && stores.length === 0 && (
        <p class="empty">No repository is set up, or none is enabled. A SuperAdmin sets them up.</p>
      )}
      <fieldset class="ways plain" aria-label="repositories">
        {stores.map(({ name, image_count: count, error }) => (
          <button key={name} type="button" aria-pressed={name === store?.name} onClick={() => choose(name)}>
            {name} <span class="quiet">{count}</span>
            {error !== null && <span class="error"> !</span>}
          </button>
        ))}
      </fieldset>
      {answer && stores.length > 0 && !store && <p class="empty">There is no repository “{wanted}”, or not for you.</p>}
      {store && <Head store={store} isOneOfMany={stores.length > 1} refresh={refresh} />}
      {store && <RepositoryImages key={store.name} repository={store.name} last={store.last_update} begun={setTask} />}
    </BringFrame>
  );
}

interface HeadProps {
  store: Store;
  isOneOfMany: boolean;
  refresh: () => void;
}

function Head({ store, isOneOfMany, refresh }: HeadProps) {
  const { name, url, last_update: last, error, refreshing: isRefreshing } = store;
  const [isAsking, setAsking] = useState(false);
  const look = async () => {
    setAsking(true);
    try {
      await refreshed(`/${part(name)}`);
    } finally {
      setAsking(false);
      refresh();
    }
  };
  return (
    <>
      <div class="bar">
        <span class="quiet">
          {url} · refreshed <Time at={last} />
        </span>
        <Act
          label="Refresh"
          what={name}
          reason={isRefreshing && !isAsking ? 'it is being refreshed already' : undefined}
          act={look}
        />
        {isOneOfMany && <Act label="Refresh all" act={() => refreshed('').finally(refresh)} />}
        {(isAsking || isRefreshing) && <progress aria-label={`refresh of ${name}`} class="small" />}
      </div>
      {error !== null && (
        <p class="failure">
          <strong>The last refresh has failed:</strong> {error}
        </p>
      )}
    </>
  );
}

/** One of them, or all. */
const refreshed = (which: string) =>
  ask(`/imagestore${which}`, { method: 'PUT', body: {} }).catch((error: Refusal) => {
    // What it failed by is kept, and stands with the repository.
    if (error.code !== 'RepositoryFailed') throw error;
  });
