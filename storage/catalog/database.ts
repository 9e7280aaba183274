import type { AbstractIterator, AbstractLevel } from 'abstract-level';
import { StorageDown } from '../errors.js';
import { behind, type KeyRange, keyEncoding } from './keys.js';
import type { Operation } from './overlay.js';
import type { Entry, FrozenView, LiveView } from './view.js';

export type Engine = AbstractLevel<string | Buffer | Uint8Array, string, string>;
type Snapshot = ReturnType<Engine['snapshot']>;

const encodings = { keyEncoding, valueEncoding: 'utf8' };
const pageBytes = 1 << 20;

/**
 * What is committed: a LevelDB that is closed and opened again before anything is written after a failed batch, because
 * it may hold half a log record or have latched an error. Reads in progress survive that and go on where they were.
 */
export class Database implements LiveView {
  #opening: Promise<void> | undefined;
  #openings = 0;
  #suspect = false;
  #closed = false;
  /** What was there before the batch that is being written: nobody sees a write sooner than those who follow it hear of it. */
  #before: Shared | undefined;

  /** `ready` throws while a reopening would fail, so that the old one, which can still be read, is kept until then. */
  constructor(
    private readonly engine: Engine,
    private readonly ready: () => Promise<void> = async () => {},
    /** Whether what is committed has to survive a power cut. */
    private readonly sync = true,
  ) {}

  get(key: string): Promise<string | undefined> {
    return this.#get(key, () => this.#before?.snapshot);
  }

  getMany(keys: string[]): Promise<(string | undefined)[]> {
    return this.#getMany(keys, () => this.#before?.snapshot);
  }

  scan(range: KeyRange, page: number): AsyncIterable<Entry[]> {
    return this.#scan(range, page, () => this.#before?.snapshot);
  }

  freeze(): FrozenView {
    const before = this.#before?.use();
    let snapshot = before?.snapshot;
    let taken = before && this.#openings;
    // a snapshot ends with the opening that it was taken from; the next one is as good, nothing uncommitted is in it
    const current = () => {
      if (taken !== this.#openings) snapshot = this.engine.snapshot();
      taken = this.#openings;
      return snapshot;
    };
    if (this.engine.status === 'open') current();
    return {
      get: (key) => this.#get(key, current),
      getMany: (keys) => this.#getMany(keys, current),
      scan: (range, page) => this.#scan(range, page, current),
      close: async () => {
        if (snapshot !== before?.snapshot) await snapshot?.close();
        await before?.leave();
      },
    };
  }

  /** As it is now, and never otherwise: when the database has been opened again, that moment is lost. */
  async hold(): Promise<FrozenView> {
    await this.#opened();
    const snapshot = this.engine.snapshot();
    const taken = this.#openings;
    const held = () => {
      if (taken === this.#openings) return snapshot;
      throw new StorageDown('reading a snapshot of the catalog', new Error('the catalog was opened again meanwhile'));
    };
    return {
      get: (key) => this.#get(key, held),
      getMany: (keys) => this.#getMany(keys, held),
      scan: (range, page) => this.#scan(range, page, held),
      close: () => snapshot.close(),
    };
  }

  async commit(operations: Operation[]): Promise<void> {
    const before = new Shared(this.engine.snapshot());
    this.#before = before;
    try {
      const options = { ...encodings, sync: this.sync };
      await this.engine.batch(operations, options);
    } catch (error) {
      this.#suspect = true;
      throw new StorageDown('writing the catalog', error);
    } finally {
      this.#before = undefined;
      void before.leave(); // whoever reads it may take long
    }
  }

  /** To be called before each group of writes; throws StorageDown while the disk is not fit for it. */
  async revive(): Promise<void> {
    if (this.#suspect) {
      try {
        await this.ready();
      } catch (error) {
        throw new StorageDown('reopening the catalog', error);
      }
      await this.#open();
    } else await this.#opened();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#opening?.catch(() => {}); // told to those who asked for it
    await this.engine.close();
  }

  async #opened(): Promise<void> {
    if (this.#opening) await this.#opening;
    else if (this.engine.status !== 'open') await this.#open();
  }

  #open(): Promise<void> {
    this.#opening ??= this.#reopen().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #reopen(): Promise<void> {
    if (this.#closed) throw new StorageDown('using the catalog', new Error('it is closed'));
    this.#openings += 1;
    try {
      await this.engine.close();
      await this.engine.open();
    } catch (error) {
      throw new StorageDown('reopening the catalog', error);
    }
    this.#suspect = false;
  }

  // LevelDB maps its files: a record that the kernel has is read in less time than a thread takes to wake
  #get(key: string, snapshot: () => Snapshot | undefined): Promise<string | undefined> {
    return this.#read(() => this.engine.getSync<string, string>(key, { ...encodings, snapshot: snapshot() }));
  }

  async #getMany(keys: string[], snapshot: () => Snapshot | undefined): Promise<(string | undefined)[]> {
    if (keys.length === 1) return [await this.#get(keys[0]!, snapshot)];
    return this.#read(() => this.engine.getMany<string, string>(keys, { ...encodings, snapshot: snapshot() }));
  }

  async *#scan(range: KeyRange, page: number, snapshot: () => Snapshot | undefined): AsyncGenerator<Entry[]> {
    let rest = range;
    let opening: number | undefined;
    let iterator: AbstractIterator<Engine, string, string> | undefined;
    try {
      while (rest.from < rest.to) {
        const entries = await this.#read(async () => {
          if (opening !== this.#openings) iterator = this.#iterate(rest, snapshot());
          opening = this.#openings;
          return iterator!.nextv(page);
        });
        if (entries.length === 0) return;
        rest = behind(rest, entries.at(-1)![0]);
        yield entries;
      }
    } finally {
      await iterator?.close();
    }
  }

  #iterate({ from, to, reverse }: KeyRange, snapshot: Snapshot | undefined) {
    const options = { ...encodings, gte: from, lt: to, reverse, snapshot, highWaterMarkBytes: pageBytes };
    return this.engine.iterator<string, string>(options);
  }

  async #read<T>(attempt: () => T | Promise<T>): Promise<T> {
    for (;;) {
      if (this.#opening || this.engine.status !== 'open') await this.#opened();
      const openings = this.#openings;
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof StorageDown) throw error;
        if (openings === this.#openings) throw new StorageDown('reading the catalog', error);
      }
    }
  }
}

/** A snapshot that goes with the last who uses it. */
class Shared {
  #users = 1;

  constructor(readonly snapshot: Snapshot) {}

  use(): this {
    this.#users += 1;
    return this;
  }

  async leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users === 0) await this.snapshot.close();
  }
}
