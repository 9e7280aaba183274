import type { Deps } from '../deps.js';
import {
  type AuditEntry,
  auditEntries,
  CHANGES,
  entryId,
  type SeenEntry,
  seenBy,
  type Touched,
} from '../model/audit.js';
import type { Caller } from '../model/caller.js';
import { datacenters } from '../model/datacenter.js';
import { groups } from '../model/group.js';
import { seesTask, tasks } from '../model/task.js';
import { users } from '../model/user.js';

type Means = Pick<Deps, 'catalog' | 'events'>;

/**
 * Behind which entry to go on; none where it is not known to the caller, or too far back, or where what the caller may see
 * can have changed since: no event tells of what has come into view, or is not to be seen any more.
 */
export async function positionAt({ catalog, events }: Means, caller: Caller, id: string): Promise<number | undefined> {
  const entry = await catalog.find(auditEntries, `id:${id}`);
  if (!entry || entry.chain !== CHANGES || events.head - entry.seq > events.limits.mostBehind) return undefined;
  if (!(await eventFor({ catalog }, caller, entry))) return undefined;
  for (let seq = entry.seq + 1; seq <= events.head; seq += 1) {
    const later = await changeAt({ catalog }, seq);
    if (!later || later.objects.some((object) => makesRights(caller, object))) return undefined;
  }
  return entry.seq;
}

/** SuperAdmins see all there is, wherever it is. */
const makesRights = (caller: Caller, { kind, id }: Touched): boolean => {
  if (kind === users.name) return id === caller.user?.uuid;
  const seesAll = caller.kind === 'user' && caller.rights.superAdmin;
  return !seesAll && (kind === groups.name || kind === datacenters.name);
};

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
