import { createHash } from 'node:crypto';

const MOST = 100_000;

/**
 * Which signatures were used already, for as long as their dates are good. It knows its bounds: when there are too many,
 * the oldest are forgotten, and with them everything dated as early is refused. So nothing passes twice.
 */
export class SeenSignatures {
  readonly #most: number;
  /** What was signed, as digests, by the second of its date. */
  readonly #bySecond = new Map<number, Set<string>>();
  #count = 0;
  /** The latest second of which something was forgotten. */
  #forgotten = Number.NEGATIVE_INFINITY;

  constructor(most = MOST) {
    this.#most = most;
  }

  /** Is this the first use? `oldest`: what is dated earlier is refused by its date. */
  admit(signed: string, date: Date, oldest: Date): boolean {
    this.#forgetBefore(secondOf(oldest));
    const second = secondOf(date);
    // What was signed, and not the signature: of some kinds there are several for the same.
    const digest = createHash('sha256').update(signed).digest('base64');
    if (this.#bySecond.get(second)?.has(digest)) return false;
    if (this.#count >= this.#most) this.#forget(Math.min(...this.#bySecond.keys()));
    if (second <= this.#forgotten) return false;
    this.#remember(second, digest);
    return true;
  }

  #remember(second: number, digest: string): void {
    const known = this.#bySecond.get(second);
    if (known) known.add(digest);
    else this.#bySecond.set(second, new Set([digest]));
    this.#count += 1;
  }

  #forgetBefore(limit: number): void {
    for (const second of this.#bySecond.keys()) if (second < limit) this.#forget(second);
  }

  #forget(second: number): void {
    this.#count -= this.#bySecond.get(second)?.size ?? 0;
    this.#bySecond.delete(second);
    this.#forgotten = Math.max(this.#forgotten, second);
  }
}

const secondOf = (date: Date) => Math.floor(date.getTime() / 1000);
