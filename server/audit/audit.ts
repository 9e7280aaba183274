import { createHash, randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Head, Signed } from '../../imgapi/audit-chain.js';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Catalog, Tx } from '../../storage/catalog.js';
import type { Metrics } from '../metrics/instruments.js';
import {
  accessesOf,
  auditEntries,
  auditHeads,
  type Content,
  describe,
  type Occasion,
  type Touched,
  union,
} from '../model/audit.js';
import { images } from '../model/image.js';
import { appendEntries } from '../operations/append-entries.js';
import { auditedCatalog } from '../operations/audited-catalog.js';
import type { HeadFile } from './head-file.js';
import type { HeadWebhook } from './head-webhook.js';
import type { AuditKey } from './key.js';

/** A pull, or something refused, as it is heard of. */
export interface Access extends Occasion {
  /** An image, by its uuid, or a path; how it was called then, and where it was. */
  object: { kind: string; id: string; name?: string; datacenters?: readonly string[] };
  result: string;
  bytes?: number;
  /** Those with the same text here are counted together; each stands for itself where there is none. */
  like?: string;
}

interface Waiting extends Access {
  id: string;
  time: string;
  count: number;
}

export interface AuditOptions {
  /** As it is, without anybody who notes what changes. */
  catalog: Catalog;
  key: AuditKey;
  /** What tells its chain of pulls from those of others, whatever key signs them all; from the key unless given. */
  daemon?: string;
  /** Absent where nothing is kept on a disk. */
  heads?: HeadFile;
  /** Absent where nobody elsewhere is told. */
  webhook?: HeadWebhook | undefined;
  now: () => Date;
  log: Logger;
  metrics: Metrics;
}

/** What waits to be written when the catalog can not be. */
const MOST_WAITING = 20_000;

/** In milliseconds. */
const EVERY = 1000;

/** Who did what: changes in the writes that make them, all else gathered and written every second. */
export class Audit {
  readonly #options: AuditOptions;
  readonly #chain: string;
  readonly #heads = new Map<string, Head>();
  #unfollow = () => {};
  #waiting = new Map<string, Waiting>();
  #lost = 0;
  #failed = false;
  #told = '';
  #flushing: Promise<void> | undefined;

  private constructor(options: AuditOptions) {
    this.#options = options;
    this.#chain = accessesOf(
      options.daemon ?? createHash('sha256').update(options.key.public).digest('hex').slice(0, 12),
    );
  }

  static async open(options: AuditOptions): Promise<Audit> {
    const audit = new Audit(options);
    audit.#unfollow = options.catalog.follow(auditHeads, (changes) => {
      for (const { id, record } of changes) if (record) audit.#heads.set(id, record);
    });
    for await (const head of options.catalog.list(auditHeads)) {
      if (!audit.#heads.has(head.chain)) audit.#heads.set(head.chain, head);
    }
    options.metrics.atScrape(() => options.metrics.instruments.audit_waiting.set(audit.#waiting.size));
    return audit;
  }

  get publicKey(): string {
    return this.#options.key.public;
  }

  /** In PEM: for backups, in which the chains go on to be signed by it. */
  get privateKey(): string {
    return this.#options.key.toPem();
  }

  /** The catalog, in somebody's hands. */
  as(occasion: () => Occasion, onEntry?: (id: string) => void): Catalog {
    const { catalog, now } = this.#options;
    return auditedCatalog({ catalog, now, ...(onEntry && { onEntry }) }, occasion);
  }

  /** Something that is told beside the changes. Costs next to nothing. */
  note({ like = randomUUID(), ...access }: Access): void {
    const known = this.#waiting.get(like);
    if (known) {
      known.count += 1;
      known.bytes = (known.bytes ?? 0) + (access.bytes ?? 0);
    } else if (this.#waiting.size < MOST_WAITING) {
      this.#waiting.set(like, { ...access, id: randomUUID(), time: this.#options.now().toISOString(), count: 1 });
    } else this.#lose(1);
  }

  /** How far the chains go, signed now. */
  signedHeads(): Signed<Head>[] {
    const time = this.#options.now().toISOString();
    const heads = [...this.#heads.values()].sort((a, b) => (a.chain < b.chain ? -1 : 1));
    return heads.map(({ chain, seq, hash }) => this.#options.key.sign({ chain, seq, hash, time }));
  }

  sign<T extends object>(content: T): Signed<T> {
    return this.#options.key.sign(content);
  }

  /** What operators should know of it; nothing while all is well. */
  get remark(): string | undefined {
    if (this.#failed) return `the audit can not be written: ${this.#waiting.size} pulls and refusals wait`;
    return this.#lost > 0 ? `${this.#lost} pulls and refusals are missing in the audit` : undefined;
  }

  /** Writes what has gathered, then how far the chains go. Never throws: what could not be written is tried again. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  /** Flushes every second; returns the way to stop. */
  keepFlushing(): () => void {
    const timer = setInterval(() => void this.flush(), EVERY).unref();
    return () => clearInterval(timer);
  }

  async close(): Promise<void> {
    await this.#flushing;
    await this.#write().catch((err: unknown) => {
      const lost = this.#waiting.size;
      const what = 'the last pulls and refusals are missing in the audit';
      // Refused, and not failed: the server has moved.
      if (err instanceof ImgapiError) this.#options.log.info({ lost, reason: err.message }, what);
      else this.#options.log.error({ lost, err }, what);
    });
    await this.#keepHeads().catch(() => {}); // they lag behind, as after a kill
    this.#unfollow();
  }

  async #flush(): Promise<void> {
    const { log } = this.#options;
    try {
      await this.#write();
      await this.#keepHeads();
      this.#offerHeads();
      if (this.#failed) log.info('the audit can be written again');
      this.#failed = false;
    } catch (err) {
      if (!this.#failed) log.error({ err }, 'the audit could not be written; it will be tried again');
      this.#failed = true;
    }
  }

  /** One of all daemons is enough. */
  #offerHeads(): void {
    const { webhook, catalog } = this.#options;
    if (!webhook || !catalog.members.isFirst()) return;
    webhook.offer(this.#state(), () => ({ heads: this.signedHeads(), key: this.publicKey }));
  }

  async #write(): Promise<void> {
    const taken = this.#waiting;
    if (taken.size === 0) return;
    this.#waiting = new Map();
    try {
      await this.#options.catalog.write(async (tx) => {
        // a write that has failed may be on the disk after all
        const fresh = this.#failed ? await unwritten(tx, taken.values()) : [...taken.values()];
        if (fresh.length > 0) await appendEntries(tx, this.#chain, await contentsOf(tx, fresh));
      });
    } catch (error) {
      this.#putBack(taken);
      throw error;
    }
  }

  #state(): string {
    return JSON.stringify([...this.#heads.values()]);
  }

  async #keepHeads(): Promise<void> {
    const now = this.#state();
    if (!this.#options.heads || now === this.#told) return;
    await this.#options.heads.write(this.signedHeads());
    this.#told = now;
  }

  #putBack(taken: Map<string, Waiting>): void {
    const fresh = this.#waiting;
    this.#waiting = taken;
    for (const [like, waiting] of fresh) {
      const known = taken.get(like);
      if (known) {
        known.count += waiting.count;
        known.bytes = (known.bytes ?? 0) + (waiting.bytes ?? 0);
      } else if (taken.size < MOST_WAITING) taken.set(like, waiting);
      else this.#lose(waiting.count);
    }
  }

  #lose(count: number): void {
    this.#lost += count;
    this.#options.metrics.instruments.audit_lost_total.inc(count);
  }
}

async function unwritten(tx: Tx, waiting: Iterable<Waiting>): Promise<Waiting[]> {
  const fresh: Waiting[] = [];
  for (const one of waiting) if (!(await tx.find(auditEntries, `id:${one.id}`))) fresh.push(one);
  return fresh;
}

async function contentsOf(tx: Tx, waiting: Iterable<Waiting>): Promise<Content[]> {
  const known = new Map<string, Touched>();
  const contents: Content[] = [];
  for (const { object, time, count, bytes, ...access } of waiting) {
    const key = `${object.kind} ${object.id}`;
    const touched = known.get(key) ?? (await named(tx, object));
    known.set(key, touched);
    contents.push({
      ...access,
      time,
      objects: [touched],
      datacenters: union([touched.datacenters]),
      ...(count > 1 && { count }),
      ...(bytes !== undefined && { bytes }),
    });
  }
  return contents;
}

/** Its name, and where it is, are looked up when it is written: nobody waits for that. What is gone by then has those it had. */
async function named(tx: Tx, { kind, id, name = id, datacenters = [] }: Access['object']): Promise<Touched> {
  const image = kind === images.name ? await tx.get(images, id) : undefined;
  return image ? describe(kind, id, image) : { kind, id, name, datacenters };
}
