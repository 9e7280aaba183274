import type { Deps } from '../deps.js';
import { type AuditEntry, auditEntries, CHANGES, entryId, type SeenEntry, seenBy } from '../model/audit.js';
import type { Caller } from '../model/caller.js';
import { seesTask, tasks } from '../model/task.js';

type Means = Pick<Deps, 'catalog' | 'events'>;

/** Behind which entry to go on; none where it is not known to the caller, or too far back. */
export async function positionAt({ catalog, events }: Means, caller: Caller, id: string): Promise<number | undefined> {
  const entry = await catalog.find(auditEntries, `id:${id}`);
  if (!entry || entry.chain !== CHANGES || events.head - entry.seq > events.limits.mostBehind) return undefined;
  return (await eventFor({ catalog }, caller, entry)) ? entry.seq : undefined;
}

export const changeAt = ({ catalog }: Pick<Deps, 'catalog'>, seq: number): Promise<AuditEntry | undefined> =>
  catalog.get(auditEntries, entryId({ chain: CHANGES, seq }));

/** What of an entry the caller is told: what administrators see of it, and the caller's own tasks. */
export async function eventFor(
  { catalog }: Pick<Deps, 'catalog'>,
  caller: Caller,
  entry: AuditEntry,
): Promise<SeenEntry | undefined> {
  const seen = seenBy(caller, entry);
  if (seen && seen.objects.length === entry.objects.length) return seen;
  const own = [];
  for (const object of entry.objects) {
    if (object.kind !== tasks.name || seen?.objects.some(({ id }) => id === object.id)) continue;
    const task = await catalog.get(tasks, object.id);
    if (task && seesTask(caller, task)) own.push({ ...object, datacenters: [] });
  }
  if (own.length === 0) return seen;
  if (seen) return { ...seen, objects: [...seen.objects, ...own] };
  const { chain, seq, previous, hash, ...told } = entry;
  return { ...told, objects: own, datacenters: [] };
}
