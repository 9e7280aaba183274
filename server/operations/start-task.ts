import { randomUUID } from 'node:crypto';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { newTask, Started, type TaskWish, tasks } from '../model/task.js';

/** Keeps the task and queues it: an endpoint that answers with this answers 201, and who waits is told the end. */
export async function startTask(
  { catalog, tasks: runner, now }: Deps,
  caller: Caller,
  wish: TaskWish,
): Promise<Started> {
  const task = newTask(randomUUID(), caller, wish, now());
  await catalog.write((tx) => tx.insert(tasks, task));
  runner.enqueue(task.id);
  return new Started(task);
}
