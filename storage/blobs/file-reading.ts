import type { FileHandle } from 'node:fs/promises';
import type { ByteRange } from '../blobs.js';
import { BufferPool } from '../buffer-pool.js';
import { StorageDown } from '../errors.js';

export const readBuffers = new BufferPool((size) => new ArrayBuffer(size), {
  smallest: 16 << 10,
  largest: 512 << 10,
  budget: 32 << 20,
  idle: 8 << 20,
});

/**
 * A range of an open file, read once: while the consumer holds one buffer, the next is being filled. The file is closed
 * when the iteration ends in whatever way; if it never starts, `return()` closes it too.
 */
export class FileReading implements AsyncIterableIterator<Uint8Array> {
  #position: number;
  readonly #end: number;
  #ahead: Promise<Uint8Array<ArrayBuffer>> | undefined;
  #lent: ArrayBuffer | undefined;
  #finishing: Promise<void> | undefined;

  constructor(
    private readonly key: string,
    private readonly handle: FileHandle,
    { start, end }: ByteRange,
  ) {
    this.#position = start;
    this.#end = end + 1;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#giveBack();
    if (this.#finishing || this.#position >= this.#end) return this.return();
    try {
      this.#ahead ??= this.#fill();
      const chunk = await this.#ahead;
      if (this.#finishing) return this.return();
      this.#ahead = undefined;
      this.#lent = chunk.buffer;
      this.#position += chunk.length;
      if (this.#position < this.#end) this.#readAhead();
      return { done: false, value: chunk };
    } catch (error) {
      await this.return();
      throw new StorageDown(`reading blob ${this.key}`, error);
    }
  }

  async return(): Promise<{ done: true; value: undefined }> {
    this.#finishing ??= this.#finish();
    await this.#finishing;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #readAhead(): void {
    this.#ahead = this.#fill();
    this.#ahead.catch(() => {}); // thrown by the next(), if there is one
  }

  async #fill(): Promise<Uint8Array<ArrayBuffer>> {
    const left = this.#end - this.#position;
    const buffer = readBuffers.take(left);
    try {
      const length = Math.min(left, buffer.byteLength);
      const { bytesRead } = await this.handle.read(new Uint8Array(buffer), 0, length, this.#position);
      if (bytesRead === 0) throw new Error(`it ends at byte ${this.#position}, ${left} short of what was asked for`);
      return new Uint8Array(buffer, 0, bytesRead);
    } catch (error) {
      readBuffers.give(buffer);
      throw error;
    }
  }

  async #finish(): Promise<void> {
    this.#giveBack();
    const unread = await this.#ahead?.catch(() => undefined); // nobody waits for it any more
    if (unread) readBuffers.give(unread.buffer);
    await this.handle.close();
  }

  #giveBack(): void {
    if (this.#lent) readBuffers.give(this.#lent);
    this.#lent = undefined;
  }
}
