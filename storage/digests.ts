import { Writable } from 'node:stream';
import { BufferPool } from './buffer-pool.js';
import { DigestLane, type LaneTransfer } from './digest-lane.js';
import type { Answer } from './digest-worker.js';

/** What arrived, to the byte. */
export interface Content {
  size: number;
  md5: string;
  sha1: string;
  sha256: string;
}

// md5 alone takes about as long as the two others together
const lanes = [new DigestLane(['md5']), new DigestLane(['sha1', 'sha256'])];

/** What each worker has done for all transfers so far. */
export const digestWork = () => lanes.map(({ algorithms, work }) => ({ algorithms, ...work }));

export const digestBlocks = new BufferPool((size) => new SharedArrayBuffer(size), {
  smallest: 64 << 10,
  largest: 1 << 20,
  budget: 16 << 20,
  idle: 16 << 20,
});
const blocksUnderWay = 4;

interface Block {
  buffer: SharedArrayBuffer;
  bytes: Uint8Array;
  filled: number;
}

type Done = (error?: Error | null) => void;

/**
 * On the way to a target: gathers what comes into blocks of shared memory, which the digest workers and the target read
 * side by side, so that the main thread pays for one copy and the target gets few, large writes.
 * `content` can be read when the stream has finished, and the target with it.
 */
export class Digests extends Writable {
  readonly #transfers: LaneTransfer[] = lanes.map((lane) => lane.start());
  #block: Block | undefined;
  #underWay = 0;
  #resume: (() => void) | undefined;
  #size = 0;
  #content: Content | undefined;

  constructor(
    private readonly target: Writable,
    /** Told of each chunk that has been taken: its memory is not needed any more. */
    private readonly release?: (chunk: Uint8Array) => void,
  ) {
    super();
    target.on('error', (error) => this.destroy(error));
  }

  get content(): Content {
    if (!this.#content) throw new Error('digests were asked for before the end');
    return this.#content;
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    this.#gather(chunk, 0, done);
  }

  override _final(done: Done): void {
    this.#finish().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: Done): void {
    if (this.#block) digestBlocks.give(this.#block.buffer);
    this.#block = undefined;
    this.#resume = undefined;
    if (!this.#content) for (const transfer of this.#transfers) transfer.drop();
    done(error);
  }

  #gather(chunk: Uint8Array, from: number, done: Done): void {
    let position = from;
    while (position < chunk.length) {
      if (this.#underWay >= blocksUnderWay) {
        this.#resume = () => this.#gather(chunk, position, done);
        return;
      }
      position += this.#fill(chunk, position);
    }
    this.release?.(chunk);
    done();
  }

  #fill(chunk: Uint8Array, from: number): number {
    this.#block ??= this.#takeBlock(chunk.length - from);
    const { bytes, filled } = this.#block;
    const taken = chunk.subarray(from, from + bytes.length - filled);
    bytes.set(taken, filled);
    this.#block.filled += taken.length;
    this.#size += taken.length;
    if (this.#block.filled === bytes.length) this.#handOver(false).catch((error: Error) => this.destroy(error));
    return taken.length;
  }

  /** Blocks grow with what has come so far, so that a small or a slow transfer does not sit on a large one. */
  #takeBlock(wanted: number): Block {
    const buffer = digestBlocks.take(Math.max(wanted, this.#size, 64 << 10));
    return { buffer, bytes: new Uint8Array(buffer), filled: 0 };
  }

  async #handOver(last: boolean): Promise<Answer[]> {
    const block = this.#block;
    this.#block = undefined;
    this.#underWay += 1;
    const asked = this.#transfers.map((transfer) => transfer.update(block?.buffer, block?.filled ?? 0, last));
    const stored = block && this.#store(block.bytes.subarray(0, block.filled));
    await Promise.allSettled([...asked, stored]); // the block is in use until all three have let go of it
    if (block) digestBlocks.give(block.buffer);
    this.#underWay -= 1;
    await stored;
    const answers = await Promise.all(asked);
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
    return answers;
  }

  #store(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.target.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  async #finish(): Promise<void> {
    const { md5 = '', sha1 = '', sha256 = '' } = Object.assign({}, ...(await this.#handOver(true))) as Partial<Content>;
    await new Promise<void>((resolve, reject) => {
      this.target.end((error?: Error | null) => (error ? reject(error) : resolve()));
    });
    this.#content = { size: this.#size, md5, sha1, sha256 };
  }
}
