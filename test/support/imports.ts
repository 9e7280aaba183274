import { tasks } from '../../server/model/task.js';
import { usage } from '../../server/model/usage.js';
import { partials } from '../../storage/partials.js';
import type { TestServer } from './server.js';
import { kept } from './told.js';

/** Waits for the end of a task, and gives it. */
export async function endOf({ deps }: TestServer, id: unknown) {
  await deps.tasks.settled(String(id), new AbortController().signal);
  const task = await deps.catalog.get(tasks, String(id));
  if (!task) throw new Error(`no task ${id}`);
  return task;
}

/** All that an import may leave: nothing of it may be there when it has failed. */
export async function leftBy(server: TestServer) {
  const { deps } = server;
  const held: string[] = [];
  for await (const { holder } of deps.catalog.list(partials)) held.push(holder);
  const counted: object[] = [];
  for await (const { of, images, bytes } of deps.catalog.list(usage)) {
    if (images !== 0 || bytes !== 0) counted.push({ of, images, bytes });
  }
  return { ...(await kept(server)), partials: held, counted, awaited: deps.imports.awaited() };
}

export const NOTHING = { images: [], whole: 0, staged: 0, partials: [], counted: [], awaited: 0 };
