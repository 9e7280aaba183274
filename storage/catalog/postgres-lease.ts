/**
 * A daemon's own leave to answer, by no clock but its own that only counts. It runs from the start of an exchange that
 * gave all there was, and is over sooner than anybody who counts a whole lease can have given this daemon up.
 */
export class Lease {
  #from = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly length: number,
    private readonly lapsed: () => void,
  ) {}

  isGood(): boolean {
    return this.age < this.#own;
  }

  /** For how long, in milliseconds. */
  get age(): number {
    return performance.now() - this.#from;
  }

  renew(from: number): void {
    this.#from = Math.max(from, this.#from);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.lapsed(), Math.max(0, from + this.#own - performance.now()) + 1);
    this.#timer.unref();
  }

  /** Given up before it is over, as what was taken in is worth nothing. */
  lose(): void {
    clearTimeout(this.#timer);
    this.#from = Number.NEGATIVE_INFINITY;
    this.lapsed();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#from = Number.NEGATIVE_INFINITY;
  }

  get #own(): number {
    return (this.length * 3) / 4;
  }
}
