interface Limits {
  smallest: number;
  largest: number;
  /** About how much may be lent before everybody gets the smallest. */
  budget: number;
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
    const idle = this.#idle.get(size)?.pop();
    if (idle) this.#idleBytes -= size;
    this.#lentBytes += size;
    return idle ?? this.allocate(size);
  }

  give(buffer: B): void {
    const size = buffer.byteLength;
    this.#lentBytes -= size;
    if (this.#idleBytes + size > this.limits.budget / 4) return;
    const idle = this.#idle.get(size) ?? [];
    this.#idle.set(size, idle);
    idle.push(buffer);
    this.#idleBytes += size;
  }
}

const powerOfTwoUpTo = (size: number) => 2 ** Math.floor(Math.log2(size));
const powerOfTwoFrom = (size: number) => 2 ** Math.ceil(Math.log2(Math.max(size, 4096)));
