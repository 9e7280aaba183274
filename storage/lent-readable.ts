import { Readable } from 'node:stream';

/** A stream of the chunks of an iterable that only lends them: each is copied, since a stream holds several at a time. */
export class LentReadable extends Readable {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #asking = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    super();
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** What is pushed of a chunk. */
  protected keep(chunk: Uint8Array): Uint8Array {
    return Buffer.from(chunk);
  }

  override _read(): void {
    this.#asking = true;
    this.#iterator.next().then(
      ({ done, value }) => {
        this.#asking = false;
        if (done) this.push(null);
        else if (value.length > 0) this.push(this.keep(value));
        else this._read(); // an empty chunk would not wake the reader
      },
      (error: Error) => {
        this.#asking = false;
        this.destroy(error);
      },
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const returned = Promise.resolve(this.#iterator.return?.());
    // an iterator that hangs must not hold up whoever gives up on it
    const waited = this.#asking ? Promise.race([returned, undefined]) : returned;
    waited.then(
      () => done(error),
      (closing) => done(error ?? closing),
    );
  }
}

/** A stream of the chunks of an iterable that gives them away. */
export class GivenReadable extends LentReadable {
  protected override keep(chunk: Uint8Array): Uint8Array {
    return chunk;
  }
}
