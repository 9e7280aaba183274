/** Aborts its signal when something that is waited for takes too long. Only time that is spent waiting counts. */
export class Watchdog {
  readonly #controller = new AbortController();
  readonly #patience: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(patience: number) {
    this.#patience = patience;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async during<T>(wait: Promise<T>): Promise<T> {
    this.stir();
    try {
      return await wait;
    } finally {
      this.rest();
    }
  }

  /** There was a sign of life: count again from here. */
  stir(): void {
    this.rest();
    const silent = new Error(`nothing was heard for ${this.#patience} ms`);
    this.#timer = setTimeout(() => this.#controller.abort(silent), this.#patience).unref();
  }

  rest(): void {
    clearTimeout(this.#timer);
  }
}
