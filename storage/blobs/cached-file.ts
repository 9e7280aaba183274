import type { FileHandle } from 'node:fs/promises';
import type { BlobFile, BlobStore } from '../blobs.js';
import { StorageDown } from '../errors.js';
import { readBuffers } from './file-reading.js';
import type { Filling } from './filling.js';

/** Who wants what comes so much later asks the store for it. */
const FAR = 16 << 20;

export interface CachedBlob {
  key: string;
  size: number;
  handle: FileHandle;
  /** Where it is still coming. */
  filling?: Filling | undefined;
  inside: BlobStore;
  /** Told when the file turns out not to be what it should be. */
  onDamage(): void;
}

/** A file of the cache. What it has not, or can not give, comes from the store. */
export class CachedFile implements BlobFile {
  /** What the store gives, and where it has got to. */
  #rest: { chunks: AsyncIterator<Uint8Array>; chunk: Uint8Array; position: number } | undefined;

  constructor(private readonly blob: CachedBlob) {}

  get descriptor(): number {
    return this.blob.handle.fd;
  }

  get size(): number {
    return this.blob.size;
  }

  async read(into: Uint8Array, position: number): Promise<Uint8Array> {
    if (this.#rest) return this.#fromStore(into, position);
    const { filling, handle, onDamage } = this.blob;
    if (filling && position - filling.written > FAR) return this.#fromStore(into, position);
    if (filling && !(await filling.has(position))) return this.#fromStore(into, position);
    const { bytesRead } = await handle.read(into, 0, into.length, position).catch(() => ({ bytesRead: 0 }));
    if (bytesRead > 0) return into.subarray(0, bytesRead);
    onDamage();
    return this.#fromStore(into, position);
  }

  async close(): Promise<void> {
    await this.#giveUp();
    await this.blob.handle.close();
  }

  async #fromStore(into: Uint8Array, position: number): Promise<Uint8Array> {
    const { key, size, inside } = this.blob;
    if (this.#rest?.position !== position) {
      await this.#giveUp();
      const chunks = await inside.read(key, { start: position, end: size - 1 });
      if (!chunks) throw new StorageDown(`reading blob ${key}`, 'it disappeared');
      this.#rest = { chunks: chunks[Symbol.asyncIterator](), chunk: new Uint8Array(), position };
    }
    const rest = this.#rest!;
    while (rest.chunk.length === 0) {
      const { done, value } = await rest.chunks.next();
      if (done) throw new StorageDown(`reading blob ${key}`, `it ends at byte ${position}`);
      rest.chunk = value;
    }
    const given = rest.chunk.subarray(0, into.length);
    into.set(given);
    rest.chunk = rest.chunk.subarray(given.length);
    rest.position += given.length;
    return into.subarray(0, given.length);
  }

  async #giveUp(): Promise<void> {
    await this.#rest?.chunks.return?.();
    this.#rest = undefined;
  }
}

/** A range of an open file, read once; the file is closed at the end, however that comes. */
export class CachedReading implements AsyncIterableIterator<Uint8Array> {
  #position: number;
  #lent: ArrayBuffer | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    private readonly file: CachedFile,
    start: number,
    private readonly end: number,
  ) {
    this.#position = start;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#giveBack();
    const left = this.end + 1 - this.#position;
    if (this.#closing || left <= 0) return this.return();
    const buffer = readBuffers.take(left);
    this.#lent = buffer;
    try {
      const chunk = await this.file.read(new Uint8Array(buffer, 0, Math.min(left, buffer.byteLength)), this.#position);
      this.#position += chunk.length;
      return { done: false, value: chunk };
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  async return(): Promise<{ done: true; value: undefined }> {
    this.#giveBack();
    this.#closing ??= this.file.close();
    await this.#closing;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #giveBack(): void {
    if (this.#lent) readBuffers.give(this.#lent);
    this.#lent = undefined;
  }
}
