import { createHash } from 'node:crypto';
import type { Checked } from './s3-bucket.js';

const MIB = 1 << 20;
const SMALLEST = 64 << 10;
/** Kept for the next part. */
const MOST_IDLE = 8;
const FIRST = 8 * MIB;

/**
 * How large a part is, by its number from 0. A thousand come to 60 GiB, since some stores take no more of them, and small
 * ones do where little is sent.
 */
export function partSize(number: number): number {
  if (number < 1000) return FIRST << Math.floor(number / 250);
  return 128 * MIB;
}

const idle: Buffer<ArrayBuffer>[] = [];

/** Bytes that are gathered until they are worth a request. */
export class GatheredPart {
  #buffer = Buffer.alloc(0);
  #length = 0;
  readonly #md5 = createHash('md5');

  constructor(
    /** Where in the blob it begins. */
    readonly start: number,
    readonly size: number,
  ) {}

  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    return this.#length === this.size;
  }

  /** Copies as much as there is room for, and says how much that is. */
  take(chunk: Uint8Array): number {
    const taken = chunk.subarray(0, this.size - this.#length);
    this.#makeRoom(this.#length + taken.length);
    this.#buffer.set(taken, this.#length);
    this.#md5.update(taken);
    this.#length += taken.length;
    return taken.length;
  }

  checked(): Checked {
    return { bytes: this.#buffer.subarray(0, this.#length), md5: this.#md5.copy().digest('hex') };
  }

  /** Nobody looks at its bytes any more. */
  giveBack(): void {
    if (this.#buffer.length === FIRST && idle.length < MOST_IDLE) idle.push(this.#buffer);
    this.#buffer = Buffer.alloc(0);
  }

  #makeRoom(length: number): void {
    if (length <= this.#buffer.length) return;
    const size = Math.min(this.size, Math.max(SMALLEST, length, this.#buffer.length * 4));
    const larger = (size === FIRST && idle.pop()) || Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
