import type { Deps } from '../deps.js';
import type { Task } from '../model/task.js';
import { performBulk } from '../operations/start-bulk.js';
import type { Work } from '../operations/work.js';
import type { TaskKinds } from './runner.js';

interface Row {
  /** Whether one that was interrupted goes on from what it had kept (`work.keep`). Else it has failed. */
  resumes: boolean;
  perform(deps: Deps, task: Task, work: Work): Promise<unknown>;
}

/** Every kind of task, and the operation that performs it. What it changes is done in the name of the task's user. */
export const taskKinds: Readonly<Record<string, Row>> = {
  'bulk images': { resumes: true, perform: performBulk },
};

/** The table, bound to what its operations reach. */
export function performing(depsOf: (task: Task) => Deps, rows = taskKinds): TaskKinds {
  return Object.fromEntries(
    Object.entries(rows).map(([what, { resumes, perform }]) => [
      what,
      { resumes, perform: (task: Task, work: Work) => perform(depsOf(task), task, work) },
    ]),
  );
}
