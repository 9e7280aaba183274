import { Writable } from 'node:stream';
import { assertBlobKey, newBlobKey } from '../blob-key.js';
import type { BlobStat, BlobStore, ByteRange, StagedBlob } from '../blobs.js';
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

  async stage(): Promise<StagedBlob> {
    const staged = new StagedInMemory((blob) => {
      const there = this.#staged.delete(staged.key);
      if (blob && !there) throw new StorageDown(`writing blob ${staged.key}`, new Error('it is gone'));
      if (blob) this.#whole.set(staged.key, blob);
    });
    this.#staged.set(staged.key, staged);
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

class StagedInMemory implements StagedBlob {
  readonly key = newBlobKey();
  readonly writable: Writable;
  touched = new Date();
  #chunks: Buffer[] = [];
  #ended = false;

  /** `leave` takes it out of the stage, and into the store with the bytes it is given. */
  constructor(private readonly leave: (blob?: Blob) => void) {
    this.writable = new Writable({
      write: (chunk: Uint8Array, _encoding, done) => {
        this.#chunks.push(Buffer.from(chunk));
        this.touched = new Date();
        done();
      },
    });
  }

  async commit(): Promise<void> {
    if (this.#ended) throw new Error(`blob ${this.key} has been committed or discarded already`);
    if (!this.writable.writableFinished) throw new Error(`blob ${this.key} is committed before it is whole`);
    this.#ended = true;
    this.leave({ bytes: Buffer.concat(this.#chunks), touched: this.touched });
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
