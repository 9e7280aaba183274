import { type FileHandle, open } from 'node:fs/promises';
import { assertBlobKey } from '../blob-key.js';
import type { BlobFile, BlobStat, BlobStore, ByteRange, ResumedBlob, StagedBlob } from '../blobs.js';
import { InUse, StorageDown } from '../errors.js';
import { CacheDirectory, type Entry } from './cache-directory.js';
import { CachedFile, CachedReading } from './cached-file.js';
import { Filling } from './filling.js';

export interface CachedChoice {
  inside: BlobStore;
  directory: string;
  /** Most bytes that lie in the directory. */
  limit: number;
}

/** Those who want more go to the store. */
const MOST_FILLING = 8;
/** What is so small is read through before it is given to the first who asks after a start. */
const QUICKLY_VERIFIED = 8 << 20;
/** For how long a store that did not answer is taken for away where the cache can answer. */
const AWAY = 5000;
/** How often it is looked whether what is cached is still in the store. */
const LOOK_EVERY = 60 * 60 * 1000;
const MOST_SIZES = 10_000;

/**
 * A store that is far away, with what is read of it on a disk of ours. A blob is filled in once while all who want it
 * follow; whatever is wrong with the disk, they are given what the store has.
 */
export async function openCachedBlobs({ inside, directory, limit }: CachedChoice): Promise<BlobStore> {
  try {
    return new CachedBlobs(inside, await CacheDirectory.open(directory, limit));
  } catch (error) {
    throw error instanceof InUse ? error : new StorageDown(`opening the cache in ${directory}`, error);
  }
}

class CachedBlobs implements BlobStore {
  readonly #beginnings = new Map<string, Promise<Filling | undefined>>();
  readonly #fillings = new Map<string, Filling>();
  readonly #running = new Set<Promise<void>>();
  /** Of blobs that were looked at lately: they never change. */
  readonly #sizes = new Map<string, number>();
  #awayUntil = 0;
  #isClosed = false;
  readonly #looking: NodeJS.Timeout;

  readonly openBody?: NonNullable<BlobStore['openBody']>;
  readonly presign?: NonNullable<BlobStore['presign']>;
  readonly check?: NonNullable<BlobStore['check']>;

  constructor(
    private readonly inside: BlobStore,
    private readonly cache: CacheDirectory,
  ) {
    if (inside.openBody) this.openBody = (key, range) => inside.openBody!(key, range);
    if (inside.presign) this.presign = (key, options) => inside.presign!(key, options);
    if (inside.check) this.check = () => inside.check!();
    this.#looking = setInterval(() => void this.#forgetDeleted(), LOOK_EVERY);
    this.#looking.unref();
    void this.#forgetDeleted();
  }

  stage(key?: string): Promise<StagedBlob> {
    return this.inside.stage(key);
  }

  async resume(key: string): Promise<ResumedBlob | undefined> {
    await this.#forget(key);
    return this.inside.resume(key);
  }

  async stat(key: string): Promise<BlobStat | undefined> {
    assertBlobKey(key);
    const entry = this.cache.get(key);
    const cached = entry && { size: entry.size, touched: new Date(entry.used) };
    if (cached && Date.now() < this.#awayUntil) return cached;
    try {
      const found = await this.inside.stat(key);
      this.#awayUntil = 0;
      if (found) this.#noteSize(key, found.size);
      else await this.#forget(key);
      return found;
    } catch (error) {
      if (!(error instanceof StorageDown) || !cached) throw error;
      this.#awayUntil = Date.now() + AWAY;
      return cached;
    }
  }

  async read(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    assertBlobKey(key);
    const start = range?.start ?? 0;
    const file = await this.#open(key, start === 0);
    // what lies behind the end is the store's to refuse
    if (file && (range?.end ?? 0) < file.size) return new CachedReading(file, start, range?.end ?? file.size - 1);
    await file?.close();
    return this.inside.read(key, range);
  }

  /** Nothing where the blob is not in the cache, and does not come into it. */
  openFile(key: string): Promise<BlobFile | undefined> {
    assertBlobKey(key);
    return this.#open(key, true);
  }

  async delete(key: string): Promise<void> {
    await this.inside.delete(key);
    await this.#forget(key);
  }

  list(): AsyncIterable<{ key: string; staged: boolean; touched: Date }> {
    return this.inside.list();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#looking);
    for (const filling of this.#fillings.values()) filling.stop();
    await Promise.all(this.#running);
    await this.cache.close();
    await this.inside.close();
  }

  /** `follows`: whoever asks begins at the beginning, and so may go along with a filling. */
  async #open(key: string, follows: boolean): Promise<CachedFile | undefined> {
    const entry = this.cache.get(key);
    if (entry) return this.#openWhole(entry);
    const filling = this.#fillings.get(key) ?? (await this.#fill(key));
    return filling && follows ? this.#openFilling(key, filling) : undefined;
  }

  async #openWhole(entry: Entry): Promise<CachedFile | undefined> {
    if (!this.cache.isSound(entry)) {
      const verified = this.cache.verify(entry);
      const isWaitedFor = entry.size <= QUICKLY_VERIFIED || (await this.#isAway());
      if (!isWaitedFor || !(await verified)) return undefined;
    }
    const handle = await this.cache.read(entry);
    return handle && this.#file(entry.key, entry.size, handle);
  }

  async #openFilling(key: string, filling: Filling): Promise<CachedFile | undefined> {
    const handle = await open(this.cache.filling(key), 'r').catch(() => undefined);
    if (handle) return this.#file(key, filling.size, handle, filling);
    // it has just got to its place
    await filling.has(Number.POSITIVE_INFINITY);
    const entry = this.cache.get(key);
    return entry && this.#openWhole(entry);
  }

  #file(key: string, size: number, handle: FileHandle, filling?: Filling): CachedFile {
    const { inside } = this;
    return new CachedFile({ key, size, handle, filling, inside, onDamage: () => void this.#forget(key) });
  }

  /** Begins to fill it in, where there is room. */
  #fill(key: string): Promise<Filling | undefined> {
    const known = this.#beginnings.get(key);
    if (known) return known;
    const beginning = this.#begin(key).finally(() => this.#beginnings.delete(key));
    this.#beginnings.set(key, beginning);
    return beginning;
  }

  async #begin(key: string): Promise<Filling | undefined> {
    if (this.#isClosed || this.#running.size >= MOST_FILLING) return undefined;
    const size = this.#sizes.get(key) ?? (await this.stat(key))?.size;
    if (!size || !(await this.cache.reserve(size).catch(() => false))) return undefined;
    const handle = await this.cache.create(key).catch(() => undefined);
    const chunks = handle && (await this.inside.read(key).catch(() => undefined));
    if (!chunks) {
      await handle?.close();
      await this.cache.giveUp(key, size);
      return undefined;
    }
    const filling = new Filling(size, handle);
    this.#fillings.set(key, filling);
    const over = this.#fillIn(key, filling, chunks, handle).finally(() => this.#running.delete(over));
    this.#running.add(over);
    return filling;
  }

  /** Nobody hears of what goes wrong: those who follow go on with the store. */
  async #fillIn(key: string, filling: Filling, chunks: AsyncIterable<Uint8Array>, handle: FileHandle): Promise<void> {
    try {
      await filling.fill(chunks);
      await handle.close();
      // what was deleted meanwhile is for those only who were reading it
      if (this.#fillings.get(key) !== filling) throw new Error('it was deleted');
      await this.cache.land(key, filling.size, filling.sum);
    } catch {
      await handle.close().catch(() => {});
      await this.cache.giveUp(key, filling.size);
    } finally {
      if (this.#fillings.get(key) === filling) this.#fillings.delete(key);
      filling.end();
    }
  }

  async #forget(key: string): Promise<void> {
    this.#sizes.delete(key);
    this.#fillings.delete(key);
    await this.cache.drop(key);
  }

  #noteSize(key: string, size: number): void {
    if (this.#sizes.size >= MOST_SIZES) this.#sizes.clear();
    this.#sizes.set(key, size);
  }

  async #isAway(): Promise<boolean> {
    if (Date.now() < this.#awayUntil) return true;
    try {
      await this.inside.check?.();
      return false;
    } catch {
      this.#awayUntil = Date.now() + AWAY;
      return true;
    }
  }

  /** Those that another daemon has deleted. */
  async #forgetDeleted(): Promise<void> {
    for (const key of this.cache.keys()) {
      if (this.#isClosed) return;
      const found = await this.inside.stat(key).catch(() => ({}));
      if (!found) await this.#forget(key);
    }
  }
}
