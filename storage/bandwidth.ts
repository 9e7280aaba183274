import { pipeline, Transform, type TransformCallback } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RemoteFile } from './sources.js';

/** What was not used may be made up for so many milliseconds later. */
const SLACK = 250;

const PIECE = 64 << 10;

/** So many bytes a second, for all files together that are fetched or sent through it. */
export class Bandwidth {
  /** When the bytes that were let through so far should have come. */
  #due = 0;

  /** 0: as many as there are. */
  constructor(private readonly bytesPerSecond: number) {}

  limited(file: RemoteFile): RemoteFile {
    if (this.bytesPerSecond === 0) return file;
    return {
      what: file.what,
      open: async (at, signal) => {
        const opened = await file.open(at, signal);
        const throttle = new Throttle((bytes) => this.#turn(bytes, signal));
        // Whoever reads is told by the throttle what has failed.
        pipeline(opened.body, throttle, () => {});
        return { ...opened, body: throttle };
      },
    };
  }

  /** What is sent, in pieces that are small enough to keep to it. */
  async *paced(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += PIECE) {
        const piece = chunk.subarray(at, at + PIECE);
        if (this.bytesPerSecond > 0) await this.#turn(piece.length, signal);
        yield piece;
      }
    }
  }

  async #turn(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#due = Math.max(this.#due, now - SLACK) + (bytes * 1000) / this.bytesPerSecond;
    if (this.#due > now) await sleep(this.#due - now, undefined, { signal });
  }
}

class Throttle extends Transform {
  constructor(private readonly turn: (bytes: number) => Promise<void>) {
    super();
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    this.turn(chunk.length).then(() => done(null, chunk), done);
  }
}
