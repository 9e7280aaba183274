import type { FileHandle } from 'node:fs/promises';
import { Writable } from 'node:stream';
import type { StagedBlob } from '../blobs.js';
import { StorageDown } from '../errors.js';
import type { FollowedFile, WriteBehind } from './write-behind.js';

interface Place {
  /** Moves the file, which is whole and synced, to where it is read. */
  land(): Promise<void>;
  /** Removes it, wherever it has got to. */
  remove(): Promise<void>;
}

/** A file on its way into the store. */
export class StagedFile implements StagedBlob {
  readonly writable: Writable;
  #closing: Promise<void> | undefined;
  #landing: Promise<void> | undefined;
  #discarded = false;
  readonly #behind: FollowedFile;

  constructor(
    readonly key: string,
    private readonly handle: FileHandle,
    private readonly place: Place,
    writeBehind: WriteBehind,
  ) {
    this.#behind = writeBehind.follow(handle);
    this.writable = new Writable({
      highWaterMark: 1 << 20,
      // the handle outlives the last write: commit still has to sync it
      autoDestroy: false,
      write: (chunk: Uint8Array, _encoding, done) => this.#append([chunk], done),
      writev: (writes: { chunk: Uint8Array }[], done) =>
        this.#append(
          writes.map(({ chunk }) => chunk),
          done,
        ),
      destroy: (error, done) => {
        this.#close().then(
          () => done(error),
          (closing) => done(error ?? this.#down(closing)),
        );
      },
    });
  }

  async commit(): Promise<void> {
    if (this.#landing || this.#discarded) throw new Error(`blob ${this.key} has been committed or discarded already`);
    if (!this.writable.writableFinished) throw new Error(`blob ${this.key} is committed before it is whole`);
    this.#landing = this.#land();
    await this.#landing;
  }

  async discard(): Promise<void> {
    this.#discarded = true;
    const committed = await this.#landing?.then(
      () => true,
      () => false, // told to whoever committed; what is left of it is removed here
    );
    if (committed) return;
    this.writable.destroy();
    await this.#close().catch(() => {}); // a file that is thrown away need not have been written
    await this.place.remove();
  }

  async #land(): Promise<void> {
    try {
      await this.#behind.settled();
      await this.handle.sync();
      await this.#close();
      await this.place.land();
    } catch (error) {
      throw this.#down(error);
    }
  }

  #append(chunks: Uint8Array[], done: (error?: Error) => void): void {
    writeAll(this.handle, chunks).then(
      () => {
        for (const { length } of chunks) this.#behind.wrote(length);
        done();
      },
      (error) => done(this.#down(error)),
    );
  }

  #close(): Promise<void> {
    this.#closing ??= this.handle.close();
    return this.#closing;
  }

  #down(error: unknown): StorageDown {
    return new StorageDown(`writing blob ${this.key}`, error);
  }
}

/** A disk that is getting full takes a part of what it is given before it refuses. */
async function writeAll(handle: FileHandle, chunks: Uint8Array[]): Promise<void> {
  let rest = chunks.filter((chunk) => chunk.length > 0);
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest);
    rest = unwritten(rest, bytesWritten);
  }
}

function unwritten(chunks: Uint8Array[], written: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = written;
  for (const chunk of chunks) {
    if (skip < chunk.length) rest.push(chunk.subarray(skip));
    skip = Math.max(skip - chunk.length, 0);
  }
  return rest;
}
