import { useState } from 'preact/hooks';
import { part } from '../api/ask.js';
import { Link } from '../router.js';
import { ProgressBar } from './progress.js';
import { TaskOutcome } from './task-outcome.js';
import { taskStates } from './task-words.js';
import { useTask } from './use-task.js';

interface One {
  task: string;
  label: string;
}

export interface Tasks {
  all: readonly One[];
  add(task: string | undefined, label: string): void;
  forget(task: string): void;
}

/** What was begun on this page. */
export function useBegun(): Tasks {
  const [all, setAll] = useState<readonly One[]>([]);
  return {
    all,
    add: (task, label) => task !== undefined && setAll((now) => [...now, { task, label }]),
    forget: (task) => setAll((now) => now.filter((one) => one.task !== task)),
  };
}

/** How far what was begun here is, and what has become of it, until somebody has read it. */
export const Begun = ({ tasks }: { tasks: Tasks }) => (
  <ul class="begun" aria-label="begun here">
    {tasks.all.map((one) => (
      <Line key={one.task} one={one} forget={() => tasks.forget(one.task)} />
    ))}
  </ul>
);

function Line({ one: { task: id, label }, forget }: { one: One; forget: () => void }) {
  const { answer, failure } = useTask(id);
  const task = answer?.result;
  const isOver = task !== undefined && task.ended !== null;
  return (
    <li>
      <p>
        <strong>{label}</strong>{' '}
        <span role="status">{failure ? failure.message : task ? taskStates[task.status][0] : '…'}</span>{' '}
        <Link to={`/tasks/${part(id)}`}>its task</Link>{' '}
        {(isOver || failure) && (
          <button type="button" class="plain" aria-label={`close ${label}`} onClick={forget}>
            ×
          </button>
        )}
      </p>
      {!isOver && task?.progress && <ProgressBar progress={task.progress} what={label} />}
      {isOver && <TaskOutcome task={task} />}
    </li>
  );
}
