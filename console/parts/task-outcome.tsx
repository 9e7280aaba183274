import { adviceOf, detailOf, type Task } from './task-words.js';

/** What has become of one of the things that a task works on. */
interface Row {
  name?: string | null;
  image: string;
  status: string;
  action?: string;
  detail?: string | null;
}

const isRow = (one: unknown): one is Row =>
  typeof one === 'object' && one !== null && 'status' in one && 'image' in one;

/** Of tasks that work on many things. */
function rowsIn(result: unknown): readonly Row[] | undefined {
  const list = Array.isArray(result) ? result : (Object(result).images as unknown);
  return Array.isArray(list) && list.every(isRow) ? list : undefined;
}

const words: Record<string, string> = { SUCCESS: 'done', SKIPPED: 'skipped', FAILURE: 'failed' };

/** What a task has come to: why it failed and what to do, or what has become of each. */
export function TaskOutcome({ task }: { task: Task }) {
  const rows = rowsIn(task.result);
  const detail = detailOf(task);
  const advice = adviceOf(task);
  return (
    <>
      {detail !== undefined && (
        <p>
          <span class="error">{detail}</span> {advice}
        </p>
      )}
      {task.ended !== null && rows?.length === 0 && task.status === 'SUCCESS' && <p>There was nothing to do.</p>}
      {rows && rows.length > 0 && (
        <ul class="outcome" aria-label="what has become of each">
          {rows.map(({ image, name, status, action, detail }) => (
            <li key={image} class={status === 'FAILURE' ? 'error' : ''}>
              {name ?? image}: {action && `${action}, `}
              {words[status] ?? status}
              {detail && `: ${detail}`}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
