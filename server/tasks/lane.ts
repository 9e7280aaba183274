/** What a task is told apart by while it waits. */
interface Waiting {
  id: string;
  datacenter?: string | undefined;
}

/**
 * Tasks that wait for one of so many places. Data centers take turns, whichever has most of them; within one, the oldest
 * goes first.
 */
export class Lane {
  /** By data center; the first one has the next turn. */
  readonly #queues = new Map<string, string[]>();
  #taken = 0;

  constructor(private readonly places: number) {}

  add({ id, datacenter = '' }: Waiting): void {
    const queue = this.#queues.get(datacenter);
    if (queue) queue.push(id);
    else this.#queues.set(datacenter, [id]);
  }

  /** The next task that waits still, which holds a place from now on; none where there is no place or no task. */
  take(waits: (id: string) => boolean = () => true): string | undefined {
    if (this.#taken >= this.places) return undefined;
    for (const [datacenter, queue] of this.#queues) {
      this.#queues.delete(datacenter);
      let id = queue.shift();
      while (id !== undefined && !waits(id)) id = queue.shift();
      if (queue.length > 0) this.#queues.set(datacenter, queue);
      if (id === undefined) continue;
      this.#taken += 1;
      return id;
    }
    return undefined;
  }

  /** A place is free again. */
  leave(): void {
    this.#taken -= 1;
  }

  clear(): void {
    this.#queues.clear();
  }
}
