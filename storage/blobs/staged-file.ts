import type { FileHandle } from 'node:fs/promises';
import { Writable } from 'node:stream';
import type { ResumedBlob } from '../blobs.js';
import { Changed, StorageDown } from '../errors.js';
import { FileReading } from './file-reading.js';
import type { FollowedFile, WriteBehind } from './write-behind.js';

interface Place {
  /** Opens the file once more. */
  reopen(): Promise<FileHandle>;
  /** Moves the file, which is whole and synced, to where it is read. */
  land(): Promise<void>;
  /** Removes it, wherever it has got to. */
  remove(): Promise<void>;
}

/** A file on its way into the store. */
export class StagedFile implements ResumedBlob {
  readonly writable: Writable;
  #closing: Promise<void> | undefined;
  #landing: Promise<void> | undefined;
  #ended = false;
  /** Where in the file the next byte belongs. */
  #position = 0;
  readonly #behind: FollowedFile;

  constructor(
    readonly key: string,
    private readonly handle: FileHandle,
    private readonly place: Place,
    writeBehind: WriteBehind,
    /** Bytes that the file has already. */
    readonly kept = 0,
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
    if (this.#landing || this.#ended) throw new Error(`blob ${this.key} has been committed or discarded already`);
    if (!this.writable.writableFinished) throw new Error(`blob ${this.key} is committed before it is whole`);
    this.#landing = this.#land();
    await this.#landing;
  }

  async discard(): Promise<void> {
    this.#ended = true;
    const committed = await this.#landing?.then(
      () => true,
      () => false, // told to whoever committed; what is left of it is removed here
    );
    if (committed) return;
    this.writable.destroy();
    await this.#close().catch(() => {}); // a file that is thrown away need not have been written
    await this.place.remove();
  }

  async suspend(): Promise<void> {
    if (this.#landing) throw new Error(`blob ${this.key} has been committed already`);
    this.#ended = true;
    try {
      await this.#behind.settled();
      await this.handle.datasync();
    } catch {
      // what the disk did not take is not there when it is resumed; whoever resumes holds it against its digest
    }
    this.writable.destroy();
    await this.#close().catch(() => {});
  }

  skip(): void {
    this.#position = this.kept;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    if (this.kept > 0) yield* new FileReading(this.key, await this.place.reopen(), { start: 0, end: this.kept - 1 });
  }

  async #land(): Promise<void> {
    try {
      await this.#behind.settled();
      await this.handle.sync();
      await this.#close();
      await this.place.land();
    } catch (error) {
      throw error instanceof Changed ? error : this.#down(error);
    }
  }

  #append(chunks: Uint8Array[], done: (error?: Error) => void): void {
    const fresh = unwritten(chunks, Math.max(0, this.kept - this.#position));
    const at = Math.max(this.#position, this.kept);
    this.#position += lengthOf(chunks);
    writeAll(this.handle, fresh, at).then(
      () => {
        this.#behind.wrote(lengthOf(fresh));
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
async function writeAll(handle: FileHandle, chunks: Uint8Array[], from: number): Promise<void> {
  let rest = chunks.filter((chunk) => chunk.length > 0);
  let position = from;
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest, position);
    position += bytesWritten;
    rest = unwritten(rest, bytesWritten);
  }
}

const lengthOf = (chunks: readonly Uint8Array[]) => chunks.reduce((sum, { length }) => sum + length, 0);

function unwritten(chunks: Uint8Array[], written: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = written;
  for (const chunk of chunks) {
    if (skip < chunk.length) rest.push(chunk.subarray(skip));
    skip = Math.max(skip - chunk.length, 0);
  }
  return rest;
}
