import { part } from '../api/ask.js';
import type { PageProps } from '../pages.js';
import { Failure } from '../parts/failure.js';
import { ProgressBar } from '../parts/progress.js';
import { CancelTask } from '../parts/task-cancel.js';
import { TaskOutcome } from '../parts/task-outcome.js';
import { type Task, TaskObjects, TaskState } from '../parts/task-words.js';
import { useTask } from '../parts/use-task.js';
import { bytes, Time } from '../parts/words.js';
import { Link } from '../router.js';
import { holds, useAccount } from '../session.js';
import '../style/fleet.css';

/** All that is known of one task, as it goes on. */
export default function TaskPage({ params: { id = '' } }: PageProps) {
  const account = useAccount();
  const { answer, failure, refresh } = useTask(id);
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const task = answer.result;
  const { name, user, dc, runner, created, started, ended, progress, steps } = task;
  return (
    <article>
      <div class="heads">
        <h1>
          {name} <TaskState task={task} />
        </h1>
        <CancelTask task={task} />
      </div>
      {ended === null && progress && <ProgressBar progress={progress} what={name} />}
      <TaskOutcome task={task} />
      <dl class="facts box">
        <dt>Of</dt>
        <dd>
          <TaskObjects of={task} most={Number.POSITIVE_INFINITY} />
        </dd>
        <dt>By</dt>
        <dd>{user}</dd>
        <dt>Data center</dt>
        <dd>{dc ?? 'none'}</dd>
        <Moved task={task} />
        {runner !== null && (
          <>
            <dt>Done by</dt>
            <dd>{runner}</dd>
          </>
        )}
        <dt>Id</dt>
        <dd>
          <code>{task.id}</code>
        </dd>
      </dl>
      <h2 class="part">What has happened</h2>
      <ol class="lines" aria-label="what has happened">
        <Happened what="asked for" at={created} />
        {started !== null && <Happened what="begun" at={started} />}
        {steps.map(({ name, finished }) => (
          <Happened key={name + finished} what={name} at={finished} />
        ))}
        {ended !== null && <Happened what={ends[task.status] ?? 'ended'} at={ended} />}
      </ol>
      <p class="bar">
        {holds(account, 'admin') && <Link to={`/audit?object=${part(task.id)}`}>What the audit has of it</Link>}
        <Link to="/tasks">All tasks</Link>
      </p>
    </article>
  );
}

const ends: Partial<Record<Task['status'], string>> = { SUCCESS: 'done', FAILURE: 'failed', REVOKED: 'cancelled' };

const Happened = ({ what, at }: { what: string; at: string }) => (
  <li>
    <span>{what}</span>
    <Time at={at} />
  </li>
);

function Moved({ task: { result, status } }: { task: Task }) {
  const { bytes: moved, warnings } = Object(result) as { bytes?: unknown; warnings?: unknown };
  return (
    <>
      {status === 'SUCCESS' && typeof moved === 'number' && (
        <>
          <dt>Moved</dt>
          <dd>{bytes(moved)}</dd>
        </>
      )}
      {Array.isArray(warnings) && warnings.length > 0 && (
        <>
          <dt>To be known</dt>
          <dd>{warnings.join('; ')}</dd>
        </>
      )}
    </>
  );
}
