/** Work that waits its turn. */
export class Queue {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly atOnce: number) {}

  get waiting(): number {
    return this.#waiting.length;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running === this.atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // whoever is next takes the place over
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
