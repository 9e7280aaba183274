import { constants, type Dirent, type Stats } from 'node:fs';
import { chmod, type FileHandle, link, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { assertBlobKey, isBlobKey, newBlobKey } from '../blob-key.js';
import type { BlobFile, BlobStat, BlobStore, ByteRange, ResumedBlob, StagedBlob } from '../blobs.js';
import { makeDirectory, syncDirectory } from '../durable.js';
import { Changed, StorageDown } from '../errors.js';
import { FileReading } from './file-reading.js';
import { OpenFile } from './open-file.js';
import { StagedFile } from './staged-file.js';
import { WriteBehind } from './write-behind.js';

/**
 *   <directory>/
 *     tmp/<key>         staged: being written, or left behind by a crash
 *     blobs/ab/<key>    whole; ab are the first two digits of the key
 */
export async function openFilesystemBlobs(directory: string): Promise<BlobStore> {
  try {
    await makeDirectory(join(directory, 'tmp'));
    await makeDirectory(join(directory, 'blobs'));
    const shards = await readdir(join(directory, 'blobs'));
    await syncDirectory(join(directory, 'blobs'));
    return new FilesystemBlobs(directory, shards);
  } catch (error) {
    throw new StorageDown(`opening the blobs in ${directory}`, error);
  }
}

class FilesystemBlobs implements BlobStore {
  /** Shard directories that are known to be on disk, or are just being made. */
  readonly #shards: Map<string, Promise<void>>;
  readonly #writeBehind = new WriteBehind();

  constructor(
    private readonly directory: string,
    shards: string[],
  ) {
    this.#shards = new Map(shards.map((shard) => [shard, Promise.resolve()]));
  }

  async stage(key = newBlobKey()): Promise<StagedBlob> {
    const path = this.#staged(key);
    const handle = await open(path, 'wx', 0o600).catch(down(`staging blob ${key}`));
    return new StagedFile(key, handle, this.#placeOf(key), this.#writeBehind);
  }

  async resume(key: string): Promise<ResumedBlob | undefined> {
    const path = this.#staged(key);
    try {
      await orAbsent(rename(this.#whole(key), path));
      const handle = await orAbsent(open(path, 'r+'));
      if (!handle) return undefined;
      const { size } = await handle.stat();
      return new StagedFile(key, handle, this.#placeOf(key), this.#writeBehind, size);
    } catch (error) {
      throw new StorageDown(`resuming blob ${key}`, error);
    }
  }

  async adopt(path: string): Promise<ResumedBlob | undefined> {
    const key = newBlobKey();
    const linked = await linkedFile(path, this.#staged(key));
    if (!linked) return undefined;
    const { handle, mode, found } = linked;
    const place = {
      ...this.#placeOf(key),
      land: async () => {
        const now = await stat(this.#staged(key));
        if (now.size !== found.size || now.mtimeMs !== found.mtimeMs)
          throw new Changed(`${path} was changed meanwhile`);
        await this.#land(key);
      },
      remove: async () => {
        await orAbsent(chmod(this.#staged(key), mode));
        await this.delete(key);
      },
    };
    return new StagedFile(key, handle, place, this.#writeBehind, found.size);
  }

  async stat(key: string): Promise<BlobStat | undefined> {
    const found = await orAbsent(stat(this.#whole(key))).catch(down(`looking for blob ${key}`));
    return found && { size: found.size, touched: touchedOf(found) };
  }

  async read(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    const handle = await orAbsent(open(this.#whole(key), 'r')).catch(down(`opening blob ${key}`));
    return handle && new FileReading(key, handle, range ?? (await wholeOf(key, handle)));
  }

  async openFile(key: string): Promise<BlobFile | undefined> {
    const handle = await orAbsent(open(this.#whole(key), 'r')).catch(down(`opening blob ${key}`));
    return handle && new OpenFile(key, handle, (await wholeOf(key, handle)).end + 1);
  }

  async delete(key: string): Promise<void> {
    const paths = [this.#whole(key), this.#staged(key)];
    for (const path of paths) await rm(path, { force: true }).catch(down(`deleting blob ${key}`));
  }

  async *list(): AsyncGenerator<{ key: string; staged: boolean; touched: Date }> {
    yield* listed(join(this.directory, 'tmp'), true);
    const shards = await entries(join(this.directory, 'blobs'));
    for (const shard of shards) if (shard.isDirectory()) yield* listed(join(shard.parentPath, shard.name), false);
  }

  async close(): Promise<void> {}

  #placeOf(key: string) {
    return {
      reopen: () => open(this.#staged(key), 'r').catch(down(`reading blob ${key}`)),
      land: () => this.#land(key),
      remove: () => this.delete(key),
    };
  }

  async #land(key: string): Promise<void> {
    await this.#makeShard(shardOf(key));
    await rename(this.#staged(key), this.#whole(key));
    await syncDirectory(this.#shard(shardOf(key)));
  }

  /** Shared by all that commit into a new shard: none may report success before the shard itself is safe. */
  #makeShard(shard: string): Promise<void> {
    const known = this.#shards.get(shard);
    if (known) return known;
    const making = mkdir(this.#shard(shard), { recursive: true, mode: 0o700 }).then(() =>
      syncDirectory(join(this.directory, 'blobs')),
    );
    this.#shards.set(shard, making);
    return making.catch((error: unknown) => {
      this.#shards.delete(shard);
      throw error;
    });
  }

  #staged(key: string): string {
    assertBlobKey(key);
    return join(this.directory, 'tmp', key);
  }

  #whole(key: string): string {
    assertBlobKey(key);
    return join(this.#shard(shardOf(key)), key);
  }

  #shard(shard: string): string {
    return join(this.directory, 'blobs', shard);
  }
}

const shardOf = (key: string) => key.slice(0, 2);

/** A file that was adopted is as old as it was where it came from; what counts is when it came. */
const touchedOf = ({ nlink, mtime, ctime }: Stats) => (nlink > 1 && ctime > mtime ? ctime : mtime);

/** Under a second name here, and read-only. Nothing where it is no file, is on another disk, or is somebody else's. */
async function linkedFile(path: string, own: string) {
  if (!(await lstat(path)).isFile()) return undefined;
  try {
    await link(path, own);
  } catch (error) {
    if (unlinkable.has(String((error as NodeJS.ErrnoException).code))) return undefined;
    throw new StorageDown(`adopting ${path}`, error);
  }
  try {
    const handle = await open(own, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { mode } = await handle.stat();
      await handle.chmod(0o400);
      return { handle, mode, found: await handle.stat() };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch {
    await rm(own, { force: true });
    return undefined;
  }
}

const unlinkable: ReadonlySet<string> = new Set(['EXDEV', 'EPERM', 'EACCES', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP']);

async function wholeOf(key: string, handle: FileHandle): Promise<ByteRange> {
  try {
    return { start: 0, end: (await handle.stat()).size - 1 };
  } catch (error) {
    await handle.close();
    throw new StorageDown(`opening blob ${key}`, error);
  }
}

async function* listed(path: string, staged: boolean) {
  for (const { name } of await entries(path)) {
    if (!isBlobKey(name)) continue;
    const found: Stats | undefined = await orAbsent(stat(join(path, name))).catch(down(`listing ${path}`));
    if (found) yield { key: name, staged, touched: touchedOf(found) };
  }
}

async function entries(path: string): Promise<Dirent[]> {
  return (await orAbsent(readdir(path, { withFileTypes: true })).catch(down(`listing ${path}`))) ?? [];
}

async function orAbsent<T>(finding: Promise<T>): Promise<T | undefined> {
  try {
    return await finding;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function down(what: string): (error: unknown) => never {
  return (error) => {
    throw new StorageDown(what, error);
  };
}
