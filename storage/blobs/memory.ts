import { Writable } from 'node:stream';
import { assertBlobKey, newBlobKey } from '../blob-key.js';
import type { BlobStat, BlobStore, ByteRange, ResumedBlob, StagedBlob } from '../blobs.js';
import { StorageDown } from '../errors.js';

interface Blob {
  bytes: Buffer;
  touched: Date;
}

const chunkSize = 16 * 1024;

export async function openMemoryBlobs(): Promise<BlobStore> {
  return new MemoryBlobs();
}

class MemoryBlobs implements BlobStore {
  readonly #staged = new Map<string, StagedInMemory>();
  readonly #whole = new Map<string, Blob>();

  async stage(key = newBlobKey()): Promise<StagedBlob> {
    assertBlobKey(key);
    return this.#stage(key, Buffer.alloc(0));
  }

  async resume(key: string): Promise<ResumedBlob | undefined> {
    const there = this.#staged.get(key)?.bytes ?? this.#whole.get(key)?.bytes;
    if (!there) return undefined;
    this.#whole.delete(key);
    return this.#stage(key, there);
  }

  #stage(key: string, there: Buffer): StagedInMemory {
    const staged = new StagedInMemory(key, there, (blob) => {
      const isThere = this.#staged.delete(staged.key);
      if (blob && !isThere) throw new StorageDown(`writing blob ${staged.key}`, new Error('it is gone'));
      if (blob) this.#whole.set(staged.key, blob);
    });
    this.#staged.set(key, staged);
    return staged;
  }

  async stat(key: string): Promise<BlobStat | undefined> {
    assertBlobKey(key);
    const blob = this.#whole.get(key);
    return blob && { size: blob.bytes.length, touched: blob.touched };
  }

  async read(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    assertBlobKey(key);
    const blob = this.#whole.get(key);
    return blob && lend(key, blob.bytes, range ?? { start: 0, end: blob.bytes.length - 1 });
  }

  async delete(key: string): Promise<void> {
    assertBlobKey(key);
    this.#whole.delete(key);
    this.#staged.delete(key);
  }

  async *list(): AsyncGenerator<{ key: string; staged: boolean; touched: Date }> {
    for (const [key, { touched }] of [...this.#staged]) yield { key, staged: true, touched };
    for (const [key, { touched }] of [...this.#whole]) yield { key, staged: false, touched };
  }

  async close(): Promise<void> {}
}

class StagedInMemory implements ResumedBlob {
  readonly writable: Writable;
  readonly kept: number;
  touched = new Date();
  #chunks: Buffer[];
  #position = 0;
  #ended = false;

  /** `leave` takes it out of the stage, and into the store with the bytes it is given. */
  constructor(
    readonly key: string,
    private readonly there: Buffer,
    private readonly leave: (blob?: Blob) => void,
  ) {
    this.kept = there.length;
    this.#chunks = [there];
    this.writable = new Writable({
      write: (chunk: Uint8Array, _encoding, done) => {
        this.#chunks.push(Buffer.from(chunk.subarray(Math.max(0, this.kept - this.#position))));
        this.#position += chunk.length;
        this.touched = new Date();
        done();
      },
    });
  }

  async commit(): Promise<void> {
    if (this.#ended) throw new Error(`blob ${this.key} has been committed or discarded already`);
    if (!this.writable.writableFinished) throw new Error(`blob ${this.key} is committed before it is whole`);
    this.#ended = true;
    this.leave({ bytes: this.bytes, touched: this.touched });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  async suspend(): Promise<void> {
    if (this.#ended) throw new Error(`blob ${this.key} has been committed or discarded already`);
    this.#ended = true;
    this.writable.destroy();
  }

  skip(): void {
    this.#position = this.kept;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    if (this.kept > 0) yield* lend(this.key, this.there, { start: 0, end: this.kept - 1 });
  }

  async discard(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.writable.destroy();
    this.#chunks = [];
    this.leave();
  }
}

/** A chunk is spoilt as soon as its time is over, so that tests find those who keep one. */
async function* lend(key: string, bytes: Buffer, { start, end }: ByteRange): AsyncGenerator<Uint8Array> {
  for (let position = start; position <= end; position += chunkSize) {
    if (position >= bytes.length) throw new StorageDown(`reading blob ${key}`, new Error(`it ends at ${bytes.length}`));
    const chunk = Uint8Array.from(bytes.subarray(position, Math.min(position + chunkSize, end + 1)));
    try {
      yield chunk;
    } finally {
      chunk.fill(0x58);
    }
  }
}
