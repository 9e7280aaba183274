interface Limits {
  smallest: number;
  largest: number;
  /** About how much may be lent before everybody gets the smallest. */
  budget: number;
  /** How much is kept that nobody has: where that is less than what is lent now and then, it is allocated again and again. */
  idle: number;
}

/**
 * Large buffers that are used again and again. Nobody ever waits for one: the more are lent, the smaller is the next, so
 * that a thousand slow readers hold little and a few fast ones a lot.
 */
export class BufferPool<B extends ArrayBufferLike> {
  readonly #idle = new Map<number, B[]>();
  #idleBytes = 0;
  #lentBytes = 0;

  constructor(
    private readonly allocate: (size: number) => B,
    private readonly limits: Limits,
  ) {}

  get lentBytes(): number {
    return this.#lentBytes;
  }

  /** At least one byte, and as near to what is wanted as there is room for. */
  take(wanted: number): B {
    const { smallest, largest, budget } = this.limits;
    const share = Math.max((budget - this.#lentBytes) / 8, smallest);
    const size = Math.min(powerOfTwoFrom(wanted), powerOfTwoUpTo(share), largest);
    const buffer = this.#idleOf(size) ?? this.allocate(size);
    this.#lentBytes += buffer.byteLength;
    return buffer;
  }

  /**
   * One of this size, or a larger one. Where all that there is comes to the budget, a smaller one is better than a new one:
   * memory outside of the heap is not collected before there is much of it.
   */
  #idleOf(size: number): B | undefined {
    const sizes = [...this.#idle.keys()].sort((a, b) => a - b);
    const isFull = this.#lentBytes + this.#idleBytes + size > this.limits.budget;
    const smaller = isFull ? sizes.filter((other) => other < size).reverse() : [];
    for (const other of [...sizes.filter((other) => other >= size), ...smaller]) {
      const buffer = this.#idle.get(other)?.pop();
      if (!buffer) continue;
      this.#idleBytes -= other;
      return buffer;
    }
    return undefined;
  }

  give(buffer: B): void {
    const size = buffer.byteLength;
    this.#lentBytes -= size;
    if (this.#idleBytes + size > this.limits.idle) return;
    const idle = this.#idle.get(size) ?? [];
    this.#idle.set(size, idle);
    idle.push(buffer);
    this.#idleBytes += size;
  }
}

const powerOfTwoUpTo = (size: number) => 2 ** Math.floor(Math.log2(size));
const powerOfTwoFrom = (size: number) => 2 ** Math.ceil(Math.log2(Math.max(size, 4096)));
