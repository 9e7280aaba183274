/** What was opened, to be closed in reverse. */
export class Closing {
  readonly #steps: (() => unknown)[] = [];

  /** Returns what was opened. */
  add<T>(opened: T, close: (opened: T) => unknown): T {
    this.#steps.push(() => close(opened));
    return opened;
  }

  /** Once, and to the end whatever fails on the way; the first failure is thrown then. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
