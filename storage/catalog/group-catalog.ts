import { AsyncLocalStorage } from 'node:async_hooks';
import type { Catalog, Change, Entry, Kind, Sharing, Snapshot, Stored, Tx } from '../catalog.js';
import { StorageDown } from '../errors.js';
import type { Members } from '../members.js';
import type { Database } from './database.js';
import { type Changed, Followers } from './followers.js';
import type { Ground, Standing } from './ground.js';
import { everything, rangeOf, walk } from './keys.js';
import { Overlay } from './overlay.js';
import { pageSize, Records } from './records.js';
import { Transaction } from './transaction.js';
import type { FrozenView } from './view.js';

interface Waiting {
  run(pending: Overlay): Promise<Ran>;
  reject(error: unknown): void;
}

interface Ran {
  changed: Changed;
  settle(): void;
  reject(error: unknown): void;
}

const groupLimit = 1000;

/** Writes in groups, followers and snapshots, over whatever ground it stands on. */
export class GroupCatalog extends Records implements Catalog {
  readonly sharing?: () => Sharing;
  readonly #ground: Ground;
  readonly #waiting: Waiting[] = [];
  readonly #followers = new Followers();
  readonly #within = new AsyncLocalStorage<{ running: boolean }>();
  readonly #untaken = new Set<Promise<void>>();
  #committing: Promise<void> | undefined;
  #touched = false;
  #snapshots = 0;
  #closed = false;

  constructor(database: Database, groundFor: (standing: Standing) => Ground) {
    super(database);
    this.#ground = groundFor({
      tell: (changed) => this.#followers.tell(changed),
      touch: () => this.#touch(),
    });
    const ground = this.#ground;
    if (ground.sharing) this.sharing = () => ground.sharing!();
  }

  get members(): Members {
    return this.#ground.members;
  }

  current(): boolean {
    return this.#ground.current();
  }

  async write<R>(change: (tx: Tx) => Promise<R>): Promise<R> {
    if (this.#within.getStore()?.running) throw new Error('write inside write: use the transaction at hand');
    if (this.#closed) throw new StorageDown('writing the catalog', new Error('it is closed'));
    return new Promise<R>((resolve, reject) => {
      this.#waiting.push({ reject, run: (pending) => this.#run(change, pending, resolve, reject) });
      this.#committing ??= this.#commitAll();
    });
  }

  async *pages<T>(kind: Kind<T>): AsyncGenerator<Stored<T>[]> {
    const view = this.view.freeze();
    try {
      for await (const page of ahead(view.scan(rangeOf(walk(kind.name, 'id'), {}), pageSize))) {
        yield together(page.map(([, json]) => json)).map((json) => ({ record: JSON.parse(json) as T, json }));
      }
    } finally {
      await view.close();
    }
  }

  follow<T>(kind: Kind<T>, follower: (changes: Change<T>[]) => void): () => void {
    return this.#followers.add(kind, follower);
  }

  openSnapshots(): number {
    return this.#snapshots + this.#ground.snapshotsElsewhere();
  }

  async snapshot(): Promise<Snapshot> {
    const letGo = () => {
      this.#snapshots -= 1;
      this.#ground.keepSnapshots(this.#snapshots);
    };
    this.#snapshots += 1;
    this.#ground.keepSnapshots(this.#snapshots);
    try {
      await this.write(async () => {}); // those that have seen no snapshot are on disk when this has returned
      const token = this.members.self.id;
      return new Held(await this.#ground.database.hold(), letGo, () => this.#ground.stillHolds(token));
    } catch (error) {
      letGo();
      throw error;
    }
  }

  load(entries: AsyncIterable<Entry[]>): Promise<void> {
    return this.#ground.load(entries);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#committing;
    await Promise.all(this.#untaken);
    await this.#ground.close();
  }

  #touch(): void {
    if (this.#closed) return;
    this.#touched = true;
    this.#committing ??= this.#commitAll();
  }

  async #commitAll(): Promise<void> {
    await Promise.resolve(); // writes that start together are committed together
    while (this.#touched || this.#waiting.length > 0) {
      this.#touched = false;
      const group = this.#waiting.splice(0, groupLimit);
      try {
        await this.#commit(group);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#committing = undefined;
  }

  async #commit(group: Waiting[]): Promise<void> {
    const pending = new Overlay(await this.#ground.begin());
    const ran: Ran[] = [];
    const latest = performance.now() + this.#ground.longest;
    while (ran.length < group.length) {
      ran.push(await group[ran.length]!.run(pending));
      if (performance.now() > latest) this.#waiting.unshift(...group.splice(ran.length));
    }
    this.#within.disable(); // or Node would go on tracking every promise of the process

    const { taken } = await this.#ground.commit(
      pending.operations(),
      ran.map(({ changed }) => changed),
    );
    if (taken) this.#settleWhen(taken, ran);
    else for (const { settle } of ran) settle();
  }

  /** The next group does not wait for that. */
  #settleWhen(taken: Promise<void>, ran: Ran[]): void {
    const settled = taken
      .then(
        () => ran.forEach(({ settle }) => void settle()),
        (error) => ran.forEach(({ reject }) => void reject(error)),
      )
      .then(() => void this.#untaken.delete(settled));
    this.#untaken.add(settled);
  }

  async #run<R>(
    change: (tx: Tx) => Promise<R>,
    pending: Overlay,
    resolve: (result: R) => void,
    reject: (error: unknown) => void,
  ): Promise<Ran> {
    const tx = new Transaction(pending);
    const mark = { running: true };
    try {
      const result = await this.#within.run(mark, () => change(tx));
      pending.absorb(tx.writes);
      return { changed: tx.changed, settle: () => resolve(result), reject };
    } catch (error) {
      return { changed: new Map(), settle: () => reject(error), reject };
    } finally {
      mark.running = false;
      tx.end();
    }
  }
}

class Held extends Records implements Snapshot {
  #letGo: () => void;

  constructor(
    private readonly held: FrozenView,
    letGo: () => void,
    private readonly check: () => void,
  ) {
    super({ ...held, freeze: () => ({ ...held, close: async () => {} }) });
    this.#letGo = letGo;
  }

  async *entries(): AsyncGenerator<Entry[]> {
    for await (const page of ahead(this.held.scan(everything, pageSize))) {
      this.check();
      yield page;
    }
  }

  async close(): Promise<void> {
    this.#letGo();
    this.#letGo = () => {};
    await this.held.close();
  }
}

/** The next page is read while the one before is worked with. */
async function* ahead<T>(pages: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = pages[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    for (let step = await next; !step.done; step = await next) {
      next = iterator.next();
      next.catch(() => {}); // told to who asks for that page
      yield step.value;
    }
  } finally {
    await iterator.return?.();
  }
}

/**
 * The same texts as slices of a large one. Whoever keeps them keeps that, which the garbage collector neither copies nor
 * mixes with what stays when they go.
 */
function together(texts: string[]): string[] {
  const whole = texts.join('');
  let end = 0;
  return texts.map(({ length }) => {
    end += length;
    return whole.slice(end - length, end);
  });
}
