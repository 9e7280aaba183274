import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Head, type Signed, verifyExport } from '../../imgapi/audit-chain.js';
import { openAuditKey } from '../../server/audit/key.js';
import { auditEntries, auditHeads } from '../../server/model/audit.js';
import { images } from '../../server/model/image.js';
import { bytesOf, countsOf, usage } from '../../server/model/usage.js';
import { openCatalog } from '../../storage/open.js';
import type { Random } from '../imgapi/random.js';
import type { Daemon } from './daemon.js';
import { listen } from './events.js';

/** What a client knows of something that it manages: what must be there, and what may be there instead. */
interface Managed {
  path: string;
  sure: string | undefined;
  maybe: { after: string | undefined } | undefined;
}

/** Each with the field by which one state is told from another, and what a new one needs beside it. */
const sorts = [
  { path: () => `/api/dc/d-${randomUUID().slice(0, 8)}`, field: 'description', create: 'POST', more: {} },
  {
    path: () => `/api/group/g-${randomUUID().slice(0, 8)}`,
    field: 'alias',
    create: 'POST',
    more: { permissions: ['admin'] },
  },
  { path: () => `/api/vm/${randomUUID()}`, field: 'hostname', create: 'PUT', more: { images: [], dc: 'main' } },
] as const;

type Sort = (typeof sorts)[number];

const sortOf = ({ path }: Managed): Sort => sorts.find((sort) => sort.path().split('/')[2] === path.split('/')[2])!;

/** A client that manages data centers, groups, machines and tasks, one call after another, until the daemon dies. */
export class FleetWork {
  readonly #managed = new Map<string, Managed>();
  readonly #tasks = new Set<string>();
  /** The entries of what was acknowledged since events were last listened to, and the one before them. */
  #entries: string[] = [];
  acknowledged = 0;
  /** Events that were heard of after a kill. */
  resumed = 0;
  /** Tasks that a start has found unfinished, or whose end it has told. */
  ended = 0;

  constructor(private readonly random: Random) {}

  /** One call; resolves with whether it was answered. */
  async step(t: ExecutionContext, daemon: Daemon, uuids: readonly string[]): Promise<boolean> {
    if (this.random.chance(15) && uuids.length > 0) return this.#label(t, daemon, uuids);
    const known = [...this.#managed.values()].filter(({ sure, maybe }) => sure !== undefined && !maybe);
    const chosen =
      known.length > 6 || (known.length > 0 && this.random.chance(50)) ? this.random.pick(known) : undefined;
    const one = chosen ?? { path: this.random.pick(sorts).path(), sure: undefined, maybe: undefined };
    this.#managed.set(one.path, one);
    const { field, create, more } = sortOf(one);
    const after = chosen && this.random.chance(30) ? undefined : `state-${this.random.below(1_000_000)}`;
    one.maybe = { after };
    const method = after === undefined ? 'DELETE' : chosen ? 'PUT' : create;
    const body = after === undefined ? {} : { ...more, [field]: after };
    const answer = await daemon.ask(method, one.path, { body }).catch(() => undefined);
    if (!answer) return false;
    t.true(answer.status < 300, `${method} ${one.path}: ${answer.bytes}`);
    this.#entries.push(String(answer.json.task_id));
    one.sure = after;
    one.maybe = undefined;
    this.acknowledged += 1;
    return true;
  }

  async #label(t: ExecutionContext, daemon: Daemon, uuids: readonly string[]): Promise<boolean> {
    const body = { action: 'label', label: 'red', images: [...uuids] };
    const answer = await daemon.ask('POST', '/api/bulk/image', { body }).catch(() => undefined);
    if (!answer) return false;
    t.is(answer.status, 201, String(answer.bytes));
    this.#tasks.add(String(answer.json.task_id));
    this.acknowledged += 1;
    return true;
  }

  /** What was acknowledged is there, and what was open is as it was or as it would have been. */
  async checkServed(t: ExecutionContext, daemon: Daemon): Promise<void> {
    for (const one of [...this.#managed.values()]) {
      const { status, json } = await daemon.ask('GET', one.path, { as: 'admin' });
      const { field } = sortOf(one);
      const found = status === 404 ? undefined : String((json.result as Record<string, unknown>)[field]);
      if (one.maybe && found === one.maybe.after) one.sure = found;
      else t.is(found, one.sure, one.path);
      one.maybe = undefined;
      if (one.sure === undefined) this.#managed.delete(one.path);
    }
    for (const id of this.#tasks) {
      // Told when it has ended, however long that takes.
      for (;;) {
        const { status, json } = await daemon.ask('GET', `/api/task/${id}/status`, { as: 'admin' });
        if (status === 201) continue;
        t.is(`${status} ${json.status}`, '200 SUCCESS', `task ${id}: ${JSON.stringify(json)}`);
        this.ended += 1;
        this.#tasks.delete(id);
        break;
      }
    }
    await this.#checkEvents(t, daemon);
  }

  /** Whoever heard of the first of these changes before the kill hears of all the others after it, in their order. */
  async #checkEvents(t: ExecutionContext, { port, token }: Daemon): Promise<void> {
    const [known, ...missed] = this.#entries;
    const last = missed.at(-1);
    if (last === undefined) return;
    const events = await listen(port, { authorization: `Bearer ${token}` }, `/api/events?after=${known}`);
    const told: string[] = [];
    while (told.at(-1) !== last) {
      const { id, event } = await events.next();
      t.not(event, 'reset');
      if (id !== undefined) told.push(id);
    }
    events.close();
    t.deepEqual(
      told.filter((id) => missed.includes(id)),
      missed,
      'the events of what was acknowledged',
    );
    this.#entries = [last];
    this.resumed += missed.length;
  }
}

/** What a dead daemon has left: its chains are whole, its signed heads hold, its counts are those of its images. */
export async function checkRecords(t: ExecutionContext, data: string, changes: number): Promise<void> {
  const catalog = await openCatalog({ kind: 'leveldb', directory: join(data, 'catalog') });
  try {
    const key = await openAuditKey(join(data, 'audit-key'));
    const heads: Signed<Head>[] = [];
    for await (const head of catalog.list(auditHeads)) heads.push(key.sign({ ...head }));
    const report = await verifyExport(catalog.list(auditEntries), heads, key.public);
    t.deepEqual(report.faults, [], 'the chains of the audit');
    t.true((report.chains.find(({ chain }) => chain === 'changes')?.seq ?? 0) >= changes, 'every change has its entry');

    const kept = JSON.parse(await readFile(join(data, 'audit-head'), 'utf8').catch(() => '[]')) as Signed<Head>[];
    const sinceThen = await verifyExport(catalog.list(auditEntries), kept, key.public);
    t.deepEqual(sinceThen.faults, [], 'what the file of heads tells of');

    const counted: Record<string, { images: number; bytes: number }> = {};
    for await (const image of catalog.list(images)) {
      for (const of of countsOf(image)) {
        counted[of] ??= { images: 0, bytes: 0 };
        counted[of].images += 1;
        counted[of].bytes += bytesOf(image);
      }
    }
    const stored: typeof counted = {};
    for await (const { of, images, bytes } of catalog.list(usage))
      if (images > 0 || bytes > 0) stored[of] = { images, bytes };
    t.deepEqual(stored, counted, 'what the images of each come to');
  } finally {
    await catalog.close();
  }
}
