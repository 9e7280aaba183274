/** One at a time of what has the same name; the others wait for their turn, in order. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  async take<R>(name: string, work: () => Promise<R>): Promise<R> {
    const before = this.#last.get(name);
    const own = (before ?? Promise.resolve()).then(work, work);
    this.#last.set(name, own);
    try {
      return await own;
    } finally {
      if (this.#last.get(name) === own) this.#last.delete(name);
    }
  }
}
