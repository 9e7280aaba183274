import { randomUUID } from 'node:crypto';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { newTask, Started, type Task, type TaskWish, tasks } from '../model/task.js';
import { keepCallback } from './keep-callback.js';

/** In somebody's write, after which it is to be queued: `tasks.enqueue`. */
export async function keepTask({ now, callback }: Deps, tx: Tx, caller: Caller, wish: TaskWish): Promise<Task> {
  const task = newTask(randomUUID(), caller, wish, now());
  await tx.insert(tasks, task);
  if (callback) await keepCallback(tx, callback, caller, task.id, now());
  return task;
}

/**
 * Keeps the task and queues it: an endpoint that answers with this answers 201, and who waits is told the end. What it
 * needs from the start is written `along` with it.
 */
export async function startTask(
  { catalog, tasks: runner, now, callback }: Deps,
  caller: Caller,
  wish: TaskWish,
  along: (tx: Tx, task: Task) => Promise<void> = async () => {},
): Promise<Started> {
  const task = newTask(wish.id ?? randomUUID(), caller, wish, now());
  await catalog.write(async (tx) => {
    await along(tx, task);
    await tx.insert(tasks, task);
    if (callback) await keepCallback(tx, callback, caller, task.id, now());
  });
  runner.enqueue(task);
  return new Started(task);
}
