import { type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { isBlobKey } from '../blob-key.js';
import { type DirectoryLock, lockDirectory } from '../lock.js';

/** A blob that lies in the cache, whole. */
export interface Entry {
  key: string;
  size: number;
  /** Of its bytes, when they were written. */
  sum: string;
  used: number;
}

/** How exactly it is remembered when a blob was used last. */
const USED_ONCE_IN = 60_000;
const READ_AT_A_TIME = 1 << 20;
const NAMED = { what: 'cache directory', option: '--store-cache-directory' };

/**
 *   <directory>/filling/<key>             coming; nothing after a start
 *   <directory>/whole/<key>.<size>.<sum>  whole; written to when it was used last
 *
 * Bounded: what was not used for longest makes room. What was there before this start is held against its sum before it is
 * given to anybody. One daemon's only: another would remove what is coming.
 */
export class CacheDirectory {
  readonly #entries = new Map<string, Entry>();
  /** What is known to be as it was written. */
  readonly #sound = new Set<Entry>();
  readonly #verifying = new Map<Entry, Promise<boolean>>();
  #lastVerifying: Promise<unknown> = Promise.resolve();
  #held = 0;

  private constructor(
    private readonly directory: string,
    private readonly limit: number,
    private readonly lock: DirectoryLock,
  ) {}

  static async open(directory: string, limit: number): Promise<CacheDirectory> {
    const opened = new CacheDirectory(directory, limit, await lockDirectory(directory, NAMED));
    try {
      await opened.#prepare();
      return opened;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  async #prepare(): Promise<void> {
    await rm(join(this.directory, 'filling'), { recursive: true, force: true });
    for (const name of ['filling', 'whole']) await mkdir(join(this.directory, name), { recursive: true, mode: 0o700 });
    for (const name of await readdir(join(this.directory, 'whole'))) await this.#load(name);
    await this.#makeRoom(0);
  }

  close(): Promise<void> {
    return this.lock.release();
  }

  /** Bytes of all that is there or has room. */
  get held(): number {
    return this.#held;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  keys(): string[] {
    return [...this.#entries.keys()];
  }

  isSound(entry: Entry): boolean {
    return this.#sound.has(entry);
  }

  /** Undefined where it has gone. */
  async read(entry: Entry): Promise<FileHandle | undefined> {
    try {
      const handle = await open(this.#whole(entry), 'r');
      this.#use(entry);
      return handle;
    } catch {
      await this.drop(entry.key);
      return undefined;
    }
  }

  /** Whether it is as it was written; where it is not, it goes. One at a time: it reads all of it. */
  verify(entry: Entry): Promise<boolean> {
    if (this.#sound.has(entry)) return Promise.resolve(true);
    const known = this.#verifying.get(entry);
    if (known) return known;
    const verifying = this.#lastVerifying.then(async () => {
      const isSound = (await sumOf(this.#whole(entry)).catch(() => undefined)) === `${entry.size}.${entry.sum}`;
      if (isSound) this.#sound.add(entry);
      else await this.drop(entry.key);
      this.#verifying.delete(entry);
      return isSound;
    });
    this.#verifying.set(entry, verifying);
    this.#lastVerifying = verifying;
    return verifying;
  }

  /** Room for a blob that comes, which `land` or `giveUp` ends. False where it is larger than the cache. */
  async reserve(size: number): Promise<boolean> {
    if (size > this.limit) return false;
    this.#held += size;
    await this.#makeRoom(size);
    if (this.#held <= this.limit) return true;
    this.#held -= size;
    return false;
  }

  create(key: string): Promise<FileHandle> {
    return open(this.filling(key), 'wx+', 0o600);
  }

  filling(key: string): string {
    return join(this.directory, 'filling', key);
  }

  async land(key: string, size: number, sum: number): Promise<void> {
    const entry: Entry = { key, size, sum: sum.toString(16).padStart(8, '0'), used: Date.now() };
    await rename(this.filling(key), this.#whole(entry));
    this.#entries.set(key, entry);
    this.#sound.add(entry);
  }

  async giveUp(key: string, size: number): Promise<void> {
    this.#held -= size;
    await rm(this.filling(key), { force: true }).catch(() => {}); // a start finds it
  }

  /** Those who read it have it open. */
  async drop(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#sound.delete(entry);
    this.#held -= entry.size;
    await rm(this.#whole(entry), { force: true }).catch(() => {}); // a start finds it
  }

  async #load(name: string): Promise<void> {
    const path = join(this.directory, 'whole', name);
    const [, key = '', size = '', sum = ''] = /^([^.]+)\.(\d+)\.([0-9a-f]{8})$/.exec(name) ?? [];
    const found = await stat(path).catch(() => undefined);
    if (!isBlobKey(key) || found?.size !== Number(size) || this.#entries.has(key)) {
      await rm(path, { recursive: true, force: true }).catch(() => {});
      return;
    }
    this.#entries.set(key, { key, size: found.size, sum, used: found.mtimeMs });
    this.#held += found.size;
  }

  async #makeRoom(wanted: number): Promise<void> {
    if (this.#held <= this.limit || wanted > this.limit) return;
    const oldest = [...this.#entries.values()].sort((a, b) => a.used - b.used);
    for (const { key } of oldest) {
      if (this.#held <= this.limit) return;
      await this.drop(key);
    }
  }

  #use(entry: Entry): void {
    const now = Date.now();
    const isToBeWritten = now - entry.used > USED_ONCE_IN;
    entry.used = now;
    if (isToBeWritten) utimes(this.#whole(entry), new Date(now), new Date(now)).catch(() => {});
  }

  #whole({ key, size, sum }: Entry): string {
    return join(this.directory, 'whole', `${key}.${size}.${sum}`);
  }
}

async function sumOf(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const buffer = new Uint8Array(READ_AT_A_TIME);
    let sum = 0;
    let size = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, size);
      if (bytesRead === 0) return `${size}.${sum.toString(16).padStart(8, '0')}`;
      sum = crc32(buffer.subarray(0, bytesRead), sum);
      size += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
