import { type Answer, part } from '../api/ask.js';
import { Link, useQuery } from '../router.js';
import { Failure } from './failure.js';
import { ProgressBar } from './progress.js';
import { CancelTask } from './task-cancel.js';
import { adviceOf, detailOf, type Task } from './task-words.js';
import { useTask } from './use-task.js';

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
  const { answer, failure, refresh } = useTask(id);
  const task = answer?.result;
  if (!task) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const { status, name, object, objects, progress, ended } = task;
  return (
    <section class="box brought" aria-label={`${name} ${object}`}>
      <h2>{object || name}</h2>
      <p role="status" class={status === 'FAILURE' ? 'error' : ''}>
        {words[status]} {detailOf(task)}
      </p>
      {adviceOf(task) && <p>{adviceOf(task)}</p>}
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
        <CancelTask task={task} />
        {ended !== null && (
          <button type="button" onClick={again}>
            {status === 'SUCCESS' ? 'Bring in another' : 'Back to the form'}
          </button>
        )}
        <Link to={`/tasks/${part(id)}`}>Its task</Link>
        <Link to="/tasks">All tasks</Link>
      </p>
    </section>
  );
}
