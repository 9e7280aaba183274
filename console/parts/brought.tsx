import { type Answer, ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Link, useQuery } from '../router.js';
import { Act } from './act.js';
import { Failure } from './failure.js';
import { ProgressBar } from './progress.js';

type Task = Results['GetTask'];

const words: Record<Task['status'], string> = {
  PENDING: 'It waits for its turn.',
  STARTED: 'It is on its way.',
  SUCCESS: 'It is here.',
  FAILURE: 'It has failed: nothing of it was kept.',
  REVOKED: 'It was cancelled: nothing of it was kept.',
};

/** The task that brings an image stands in the address: the page can be loaded anew, and sent to others. */
export const useBroughtBy = () => useQuery('task');

/** The task that an import has begun; none where the server keeps records only, and has done it at once. */
export const taskOf = ({ task, result }: Answer<unknown>) =>
  typeof result === 'object' && result !== null && 'may' in result ? undefined : task;

/** How an image comes in, and where it is when it has come. */
export function Brought({ task: id, again }: { task: string; again: () => void }) {
  const { answer, failure, refresh } = useAsked<Task>(`/task/${part(id)}`, {
    kinds: ['tasks'],
    concerns: ({ uuid }) => uuid === undefined || uuid === id,
  });
  const task = answer?.result;
  if (!task) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const { status, name, object, objects, progress, ended, result } = task;
  return (
    <section class="box brought" aria-label={`${name} ${object}`}>
      <h2>{object || name}</h2>
      <p role="status" class={status === 'FAILURE' ? 'error' : ''}>
        {words[status]} {status === 'FAILURE' && detailOf(result)}
      </p>
      {ended === null && progress && <ProgressBar progress={progress} what={`${name} ${object}`} />}
      <p class="bar">
        {status === 'SUCCESS' &&
          objects
            .filter(({ kind }) => kind === 'images')
            .map(({ id, name }) => (
              <Link key={id} to={`/image/${part(id)}`}>
                Look at {name}
              </Link>
            ))}
        {ended === null ? (
          <Act
            label="Cancel"
            what={`${name} ${object}`}
            act={() => ask(`/task/${part(id)}/cancel`, { method: 'PUT' }).then(refresh, ofItsEnd(refresh))}
          />
        ) : (
          <button type="button" onClick={again}>
            {status === 'SUCCESS' ? 'Bring in another' : 'Back to the form'}
          </button>
        )}
        <Link to="/tasks">All tasks</Link>
      </p>
    </section>
  );
}

/** A cancelled task is told of by the status of the answer, as it has no result. */
const ofItsEnd = (refresh: () => void) => (error: { status?: number }) => {
  refresh();
  if (error.status !== 410) throw error;
};

const detailOf = (result: unknown) =>
  result && typeof result === 'object' && 'detail' in result ? String(result.detail) : '';
