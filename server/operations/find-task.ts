import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { type AuditEntry, auditEntries, seenBy } from '../model/audit.js';
import type { Caller } from '../model/caller.js';
import { mayCancel, seesTask, type Task, tasks } from '../model/task.js';

/** Absent and hidden are the same refusal. */
export async function findTask({ catalog }: Pick<Deps, 'catalog'>, caller: Caller, id: string): Promise<Task> {
  const task = await catalog.get(tasks, id);
  if (task && seesTask(caller, task)) return task;
  throw unknownTask(id);
}

/** A task, or what was done at once: its entry in the audit bears the id that was answered. */
export async function findDone(
  { catalog }: Pick<Deps, 'catalog'>,
  caller: Caller,
  id: string,
): Promise<Task | AuditEntry> {
  const task = await catalog.get(tasks, id);
  if (task && seesTask(caller, task)) return task;
  const entry = task ? undefined : await catalog.find(auditEntries, `id:${id}`);
  const isOwn = entry?.who.uuid !== undefined && entry.who.uuid === caller.user?.uuid;
  if (entry && (isOwn || seenBy(caller, entry))) return entry;
  throw unknownTask(id);
}

export async function cancelTask(deps: Deps, caller: Caller, id: string): Promise<Task> {
  const task = await findTask(deps, caller, id);
  if (!mayCancel(caller, task)) {
    throw new ImgapiError('NotPermitted', `task ${id} is cancelled by ${task.who.name} or a SuperAdmin`);
  }
  return deps.tasks.cancel(deps.catalog, id);
}

/** Those that the caller may know of, the newest first. */
export async function listTasks({ catalog }: Pick<Deps, 'catalog'>, caller: Caller): Promise<Task[]> {
  const seen: Task[] = [];
  for await (const { record } of catalog.range(tasks, 'created', { reverse: true })) {
    if (seesTask(caller, record)) seen.push(record);
  }
  return seen;
}

const unknownTask = (id: string) => new ImgapiError('ResourceNotFound', `there is no task "${id}"`);
