import { useState } from 'preact/hooks';
import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Link } from '../router.js';
import { ProgressBar } from './progress.js';

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

/** A task, as far as it is. */
export const useTask = (id: string) =>
  useAsked<Results['GetTask']>(`/task/${part(id)}`, { kinds: ['tasks'], concerns: ({ uuid }) => uuid === id });

/** How far what was begun here is, and what has become of it, until somebody has read it. */
export const Begun = ({ tasks }: { tasks: Tasks }) => (
  <ul class="begun" aria-label="begun here">
    {tasks.all.map((one) => (
      <Line key={one.task} one={one} forget={() => tasks.forget(one.task)} />
    ))}
  </ul>
);

interface Row {
  name: string | null;
  image: string;
  status: string;
  detail: string | null;
}

const words: Record<Results['GetTask']['status'], string> = {
  PENDING: 'waiting for its turn',
  STARTED: 'at work',
  SUCCESS: 'done',
  FAILURE: 'failed',
  REVOKED: 'cancelled',
};

function Line({ one: { task: id, label }, forget }: { one: One; forget: () => void }) {
  const { answer, failure } = useTask(id);
  const task = answer?.result;
  const rows = task && Array.isArray(task.result) ? (task.result as Row[]) : [];
  const isOver = task?.ended !== null && task !== undefined;
  return (
    <li>
      <p>
        <strong>{label}</strong>{' '}
        <span role="status" class={task?.status === 'FAILURE' && rows.length === 0 ? 'error' : ''}>
          {failure ? failure.message : task ? words[task.status] : '…'}
          {task?.status === 'FAILURE' && detailOf(task.result)}
        </span>{' '}
        <Link to="/tasks">all tasks</Link>{' '}
        {(isOver || failure) && (
          <button type="button" class="plain" aria-label={`close ${label}`} onClick={forget}>
            ×
          </button>
        )}
      </p>
      {!isOver && task?.progress && <ProgressBar progress={task.progress} what={label} />}
      {isOver && rows.length === 0 && Array.isArray(task.result) && <p>There was nothing to do.</p>}
      <ul class="outcome">
        {rows.map(({ image, name, status, detail }) => (
          <li key={image} class={status === 'FAILURE' ? 'error' : ''}>
            {name ?? image}: {outcomes[status] ?? status}
            {detail && `: ${detail}`}
          </li>
        ))}
      </ul>
    </li>
  );
}

const outcomes: Record<string, string> = { SUCCESS: 'done', SKIPPED: 'skipped', FAILURE: 'failed' };

const detailOf = (result: unknown) =>
  result && typeof result === 'object' && 'detail' in result ? `: ${String(result.detail)}` : '';
