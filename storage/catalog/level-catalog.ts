import { AsyncLocalStorage } from 'node:async_hooks';
import type { Catalog, Change, Entry, Kind, Snapshot, Stored, Tx } from '../catalog.js';
import { StorageDown } from '../errors.js';
import { onlyMember } from '../only-member.js';
import { Database, type Engine } from './database.js';
import { everything, rangeOf, recordKey, walk } from './keys.js';
import { Overlay } from './overlay.js';
import { pageSize, Records } from './records.js';
import { ResidentKeys } from './resident-keys.js';
import { Transaction } from './transaction.js';
import type { FrozenView } from './view.js';

/** What a write has changed, as it is told to followers: kind → id → record as JSON. */
type Changed = Transaction['changed'];
type Follower = (changes: Iterable<[id: string, json: string | undefined]>) => void;

interface Waiting {
  run(pending: Overlay): Promise<Ran>;
  reject(error: unknown): void;
}

interface Ran {
  changed: Changed;
  settle(): void;
}

const groupLimit = 1000;

/** The catalog over any open abstract-level database. `ready` is asked before one that has failed is opened again. */
export class LevelCatalog extends Records implements Catalog {
  readonly members = onlyMember();
  readonly #database: Database;
  readonly #committed: ResidentKeys;
  readonly #waiting: Waiting[] = [];
  readonly #followers = new Map<string, Set<Follower>>();
  readonly #within = new AsyncLocalStorage<{ running: boolean }>();
  #committing: Promise<void> | undefined;
  #doubtful: Changed[] = [];
  #snapshots = 0;
  #closed = false;

  constructor(engine: Engine, ready?: () => Promise<void>) {
    const database = new Database(engine, ready);
    super(database);
    this.#database = database;
    this.#committed = new ResidentKeys(database);
  }

  current(): boolean {
    return true;
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
    const followers = this.#followers.get(kind.name) ?? new Set();
    this.#followers.set(kind.name, followers);
    const tell: Follower = (changes) =>
      follower(Array.from(changes, ([id, json]) => (json === undefined ? { id } : { id, record: JSON.parse(json) })));
    followers.add(tell);
    return () => void followers.delete(tell);
  }

  openSnapshots(): number {
    return this.#snapshots;
  }

  async snapshot(): Promise<Snapshot> {
    this.#snapshots += 1;
    const letGo = () => {
      this.#snapshots -= 1;
    };
    try {
      await this.write(async () => {}); // those that have seen no snapshot are on disk when this has returned
      return new Held(await this.#database.hold(), letGo);
    } catch (error) {
      letGo();
      throw error;
    }
  }

  async load(entries: AsyncIterable<Entry[]>): Promise<void> {
    for await (const found of this.#database.scan(everything, 1)) {
      if (found.length > 0) throw new Error('a catalog that holds something already can not be loaded');
    }
    this.#committed.forget();
    for await (const page of entries) {
      await this.#database.commit(page.map(([key, value]) => ({ type: 'put', key, value })));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#committing;
    await this.#database.close();
  }

  async #commitAll(): Promise<void> {
    await Promise.resolve(); // writes that start together are committed together
    while (this.#waiting.length > 0) {
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
    await this.#database.revive();
    await this.#resolveDoubts();

    const pending = new Overlay(this.#committed);
    const ran: Ran[] = [];
    for (const waiting of group) ran.push(await waiting.run(pending));
    this.#within.disable(); // or Node would go on tracking every promise of the process

    const operations = pending.operations();
    if (operations.length > 0) {
      try {
        await this.#database.commit(operations);
        this.#committed.committed(operations);
      } catch (error) {
        this.#committed.forget();
        this.#doubtful.push(...ran.map(({ changed }) => changed));
        throw error;
      }
    }
    for (const { changed, settle } of ran) {
      this.#tell(changed);
      settle();
    }
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
      return { changed: tx.changed, settle: () => resolve(result) };
    } catch (error) {
      return { changed: new Map(), settle: () => reject(error) };
    } finally {
      mark.running = false;
      tx.end();
    }
  }

  /** What a failed batch has touched is told again as it was found: the batch may have reached the disk after all. */
  async #resolveDoubts(): Promise<void> {
    if (this.#doubtful.length === 0) return;
    for (const changed of this.#doubtful) {
      for (const [kind, records] of changed) {
        const ids = [...records.keys()];
        const found = await this.#database.getMany(ids.map((id) => recordKey(kind, id)));
        for (const [n, id] of ids.entries()) records.set(id, found[n]);
      }
    }
    for (const changed of this.#doubtful.splice(0)) this.#tell(changed);
  }

  #tell(changed: Changed): void {
    for (const [kind, records] of changed) {
      for (const follower of this.#followers.get(kind) ?? []) {
        try {
          follower(records);
        } catch (error) {
          // the write is on disk whatever a follower thinks of it; a follower that throws is a bug and shows as one
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    }
  }
}

class Held extends Records implements Snapshot {
  #letGo: () => void;

  constructor(
    private readonly held: FrozenView,
    letGo: () => void,
  ) {
    super({ ...held, freeze: () => ({ ...held, close: async () => {} }) });
    this.#letGo = letGo;
  }

  entries(): AsyncIterable<Entry[]> {
    return ahead(this.held.scan(everything, pageSize));
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
