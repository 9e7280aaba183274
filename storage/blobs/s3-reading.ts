import { setTimeout as pause } from 'node:timers/promises';
import type { ByteRange } from '../blobs.js';
import { StorageDown } from '../errors.js';
import type { Opened, S3Bucket } from './s3-bucket.js';

/**
 * A range of an object, read once. Where its connection breaks it is gone on with from the byte where it was, of the same
 * object or not at all. The connection is given up when the iteration ends in whatever way.
 */
export class ObjectReading implements AsyncIterableIterator<Uint8Array> {
  #opened: Opened;
  #chunks: AsyncIterator<Uint8Array>;
  #position: number;
  readonly #end: number;
  #breaks = 0;
  #isOver = false;
  #isWaiting = false;
  readonly #watch: NodeJS.Timeout;

  constructor(
    private readonly bucket: S3Bucket,
    private readonly name: string,
    opened: Opened,
    { start, end }: ByteRange,
  ) {
    this.#position = start;
    this.#end = end;
    this.#opened = opened;
    this.#chunks = chunksOf(opened);
    const { idle } = bucket.patience;
    // a reader that takes its time is no fault of the store
    this.#watch = setInterval(() => {
      if (this.#isWaiting) this.#opened.body.destroy(new Error(`nothing has come for ${idle} ms`));
    }, idle);
    this.#watch.unref();
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (!this.#isOver && this.#position <= this.#end) {
      try {
        const chunk = await this.#come();
        if (!chunk) throw new Error(`it ended at byte ${this.#position}`);
        this.#position += chunk.length;
        this.#breaks = 0;
        return { done: false, value: chunk };
      } catch (error) {
        if (this.#isOver) break;
        await this.#goOn(error).catch(async (failure: unknown) => {
          await this.return();
          throw failure;
        });
      }
    }
    return this.return();
  }

  async return(): Promise<{ done: true; value: undefined }> {
    this.#isOver = true;
    clearInterval(this.#watch);
    const { body } = this.#opened;
    // all that was asked for may have come, and only the end be missing: such a connection is used again
    if (this.#position > this.#end) body.resume();
    else body.destroy();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #come(): Promise<Uint8Array | undefined> {
    this.#isWaiting = true;
    this.#watch.refresh();
    try {
      const { done, value } = await this.#chunks.next();
      return done ? undefined : value.subarray(0, this.#end + 1 - this.#position);
    } finally {
      this.#isWaiting = false;
    }
  }

  async #goOn(error: unknown): Promise<void> {
    const { size, etag, body } = this.#opened;
    body.destroy();
    const left = this.#end + 1 - this.#position;
    if (this.#position >= size) throw this.#down(`it ends at byte ${size}, ${left} short of what was asked for`);
    const wait = this.bucket.patience.pauses[this.#breaks];
    if (wait === undefined) throw this.#down(error);
    if (this.#breaks > 0) await pause(wait);
    this.#breaks += 1;
    const opened = await this.bucket.open(this.name, { start: this.#position, end: this.#end }, etag);
    if (opened?.etag !== etag || opened.start !== this.#position) {
      opened?.body.destroy();
      throw this.#down('it was cut, and can not be gone on with: it is not there any more');
    }
    this.#opened = opened;
    this.#chunks = chunksOf(opened);
  }

  #down(cause: unknown): StorageDown {
    return new StorageDown(`reading ${this.name}`, cause);
  }
}

function chunksOf({ body }: Opened): AsyncIterator<Uint8Array> {
  body.on('error', () => {}); // told to whoever asks for the next chunk
  return body[Symbol.asyncIterator]();
}
