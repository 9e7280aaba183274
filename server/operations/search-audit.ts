import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import {
  type AuditEntry,
  auditEntries,
  auditSeals,
  EVERYWHERE,
  entryId,
  type SeenEntry,
  seenBy,
} from '../model/audit.js';
import { type Caller, isOperator } from '../model/caller.js';
import { answer } from '../model/permissions.js';

export interface AuditQuery {
  dc?: string | undefined;
  /** An id or a name. */
  object?: string | undefined;
  /** Of what is touched: `images`, `users` … */
  kind?: string | undefined;
  user?: string | undefined;
  what?: string | undefined;
  /** Times as they stand in entries. */
  since?: string | undefined;
  until?: string | undefined;
  /** Only what is older than the entry of this id. */
  after?: string | undefined;
}

/** The newest first, along the index that holds fewest; only what the caller may know of. */
export async function* searchAudit(
  { catalog, directory }: Pick<Deps, 'catalog' | 'directory'>,
  caller: Caller,
  query: AuditQuery,
): AsyncGenerator<SeenEntry> {
  checkDatacenter(caller, query.dc, directory);
  const cursor = query.after === undefined ? undefined : await cursorAt(catalog, caller, query.after);
  const until = [query.until, cursor?.time].filter((time) => time !== undefined).sort()[0];
  const walks = walksOf(caller, query).map(([index, prefix]) =>
    // "~" stands behind all that a time is spelt with
    entriesIn(catalog, index, { prefix, reverse: true, ...(until !== undefined && { below: `${prefix}${until}~` }) }),
  );
  let last: string | undefined;
  for await (const entry of newestFirst(walks)) {
    if (query.since !== undefined && entry.time < query.since) return;
    if (cursor && !isOlder(entry, cursor)) continue;
    if (entry.id === last) continue;
    last = entry.id;
    const seen = seenBy(caller, entry);
    // What is asked for is looked for in what is seen, or the answer would tell of what is not.
    if (seen && isMeant(seen, query)) yield seen;
  }
}

/** The last thing that the caller may know of. */
export async function lastSeen(
  deps: Pick<Deps, 'catalog' | 'directory'>,
  caller: Caller,
): Promise<SeenEntry | undefined> {
  for await (const entry of searchAudit(deps, caller, {})) return entry;
  return undefined;
}

/** Everything, chain by chain, as it can be verified. */
export async function* wholeAudit({ catalog }: Pick<Deps, 'catalog'>): AsyncGenerator<object> {
  for await (const seal of catalog.list(auditSeals)) yield { seal };
  for await (const entry of catalog.list(auditEntries)) yield entry;
}

function checkDatacenter(caller: Caller, dc: string | undefined, { datacenters }: Deps['directory']): void {
  if (dc === undefined) return;
  const verdict = answer(caller, 'list in a data center', { datacenter: dc });
  if (verdict === 'hidden' || (verdict === 'yes' && !datacenters.has(dc) && !isOperator(caller))) {
    throw new ImgapiError('ResourceNotFound', `there is no data center "${dc}"`);
  }
  if (verdict === 'forbidden') throw new ImgapiError('NotPermitted', `you do not administer data center "${dc}"`);
}

async function cursorAt(reader: Reader, caller: Caller, id: string): Promise<AuditEntry> {
  const entry = await reader.find(auditEntries, `id:${id}`);
  if (entry && seenBy(caller, entry)) return entry;
  throw new ImgapiError('ResourceNotFound', `there is no entry "${id}"`);
}

type Walk = [index: string, prefix: string];

function walksOf(caller: Caller, { object, user, dc }: AuditQuery): Walk[] {
  if (object !== undefined) return [['object', `${object}/`]];
  if (user !== undefined) return [['user', `${user}/`]];
  const inDatacenters = (names: Iterable<string>): Walk[] =>
    [...names, EVERYWHERE].map((name) => ['datacenter', `${name}/`]);
  if (dc !== undefined) return inDatacenters([dc]);
  if (isOperator(caller)) return [['time', '']];
  return caller.kind === 'user' ? inDatacenters(caller.rights.admin) : [];
}

async function* entriesIn(reader: Reader, index: string, options: { prefix: string; below?: string; reverse: true }) {
  for await (const { record } of reader.range(auditEntries, index, options)) yield record;
}

const isOlder = (one: AuditEntry, other: AuditEntry) =>
  one.time === other.time ? entryId(one) < entryId(other) : one.time < other.time;

/** Each walk brings its newest first. */
async function* newestFirst(walks: AsyncGenerator<AuditEntry>[]): AsyncGenerator<AuditEntry> {
  try {
    const next = await Promise.all(walks.map(async (walk) => ({ walk, step: await walk.next() })));
    for (;;) {
      const [first, ...others] = next.filter(({ step }) => !step.done);
      if (!first) return;
      const newest = others.reduce((one, other) => (isOlder(one.step.value, other.step.value) ? other : one), first);
      yield newest.step.value;
      newest.step = await newest.walk.next();
    }
  } finally {
    for (const walk of walks) await walk.return(undefined);
  }
}

function isMeant(entry: SeenEntry, { object, kind, user, dc, what, since, until }: AuditQuery): boolean {
  return (
    (object === undefined || entry.objects.some(({ id, name }) => id === object || name === object)) &&
    (kind === undefined || entry.objects.some((one) => one.kind === kind)) &&
    (user === undefined || entry.who.name === user) &&
    (dc === undefined || entry.datacenters.some((name) => name === dc || name === EVERYWHERE)) &&
    (what === undefined || entry.what === what || entry.what.startsWith(`${what} `)) &&
    (since === undefined || entry.time >= since) &&
    (until === undefined || entry.time <= until)
  );
}
