import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** A blob on its way into a file of the cache, followed by those who read it. */
export class Filling {
  #written = 0;
  #sum = 0;
  #isOver = false;
  #isStopped = false;
  #wake: (() => void)[] = [];

  constructor(
    readonly size: number,
    private readonly handle: FileHandle,
  ) {}

  get written(): number {
    return this.#written;
  }

  get sum(): number {
    return this.#sum;
  }

  /** Writes all of it, and throws where that does not go well. */
  async fill(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) {
      if (this.#isStopped) throw new Error('the store is being closed');
      await this.#write(chunk);
    }
    if (this.#written !== this.size) throw new Error(`${this.#written} of ${this.size} bytes have come`);
  }

  /** Nobody needs to wait for more. */
  end(): void {
    this.#isOver = true;
    this.#tell();
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Whether a byte is there; waits for it as long as it may still come. */
  async has(position: number): Promise<boolean> {
    while (position >= this.#written && !this.#isOver) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return position < this.#written;
  }

  async #write(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      const { bytesWritten } = await this.handle.write(rest, 0, rest.length, this.#written);
      this.#sum = crc32(rest.subarray(0, bytesWritten), this.#sum);
      this.#written += bytesWritten;
      rest = rest.subarray(bytesWritten);
    }
    this.#tell();
  }

  #tell(): void {
    const waking = this.#wake;
    this.#wake = [];
    for (const wake of waking) wake();
  }
}
