import type { Deps } from '../deps.js';
import { type Callback, callbacks } from '../model/callback.js';
import { isOperator } from '../model/caller.js';
import { type Attempt, arrived } from '../model/delivery.js';
import { hasEnded, type Task, tasks } from '../model/task.js';
import { LASTING } from '../model/token.js';
import { callbackKeyOf } from './callback-key.js';
import { currentCaller } from './current-caller.js';
import { deliver } from './deliver.js';

/** When it is tried again after as many failures, in milliseconds: for about a day. */
export const PAUSES = [10, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600].map((seconds) => seconds * 1000);

/** Tries once. What is left to be done of it; nothing where its task goes on, or it is at its end. */
export async function sendCallback(
  deps: Pick<Deps, 'catalog' | 'directory' | 'metrics' | 'outgoing' | 'seals' | 'now'>,
  id: string,
  signal: AbortSignal,
  pauses: readonly number[] = PAUSES,
): Promise<void> {
  const { catalog, now } = deps;
  const callback = await catalog.get(callbacks, id);
  if (callback?.state !== 'waiting') return;
  const task = await catalog.get(tasks, id);
  if (!callback.atOnce && task && !hasEnded(task)) return;
  const attempt = await attemptOf(deps, callback, task, signal);
  deps.metrics.instruments.deliveries_total.inc({ kind: 'callback', outcome: arrived(attempt) ? 'arrived' : 'failed' });
  const attempts = [...callback.attempts, attempt];
  const pause = pauses[attempts.length - 1];
  const { next, ...rest } = callback;
  const after: Callback =
    arrived(attempt) || pause === undefined
      ? { ...rest, attempts, state: arrived(attempt) ? 'delivered' : 'failed' }
      : { ...rest, attempts, next: new Date(now().getTime() + pause).toISOString() };
  await catalog.write(async (tx) => {
    if (await tx.get(callbacks, id)) await tx.replace(callbacks, after);
  });
}

async function attemptOf(
  deps: Parameters<typeof sendCallback>[0],
  { user: uuid, within, url, method, task: id }: Callback,
  task: Task | undefined,
  signal: AbortSignal,
): Promise<Attempt> {
  const user = deps.directory.users.get(uuid);
  const caller = user && currentCaller(deps, user, { ...LASTING, dc: within });
  if (!caller) return { at: deps.now().toISOString(), took: 0, error: 'its user is not active any more' };
  try {
    const key = await callbackKeyOf(deps, uuid);
    const message = { id, event: 'task', url, method, content: contentOf(id, task), key };
    return await deliver(deps, { ...message, trusted: isOperator(caller) }, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { at: deps.now().toISOString(), took: 0, error: error instanceof Error ? error.message : String(error) };
  }
}

/** As the status of a task is answered, and what it was. */
const contentOf = (id: string, task: Task | undefined) => ({
  task_id: id,
  status: task?.status ?? 'SUCCESS',
  result: task?.result ?? null,
  ...(task && { name: task.what, created: task.created, ended: task.finished ?? null }),
});
