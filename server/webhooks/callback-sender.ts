import type { Deps } from '../deps.js';
import { type Callback, callbacks } from '../model/callback.js';
import { hasEnded, tasks } from '../model/task.js';
import { PAUSES, sendCallback } from '../operations/send-callback.js';

/** So many at the same time. */
const AT_ONCE = 8;

/** No timer waits longer, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** Tells the end of tasks to whoever wanted to be told. What it must remember is in the catalog. */
export class CallbackSender {
  /** When each of those that wait is due; of those whose task goes on, never. */
  readonly #due = new Map<string, number>();
  readonly #sending = new Map<string, Promise<void>>();
  readonly #closed = new AbortController();
  readonly #unfollow: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly deps: Deps,
    private readonly pauses: readonly number[],
  ) {}

  static async open(deps: Deps, pauses: readonly number[] = PAUSES): Promise<CallbackSender> {
    const sender = new CallbackSender(deps, pauses);
    const { catalog } = deps;
    sender.#unfollow.push(
      catalog.follow(callbacks, (changes) => {
        for (const { id, record } of changes) sender.#take(id, record);
        sender.#wake();
      }),
      catalog.follow(tasks, (changes) => {
        const ended = changes.filter(({ id, record }) => record && hasEnded(record) && sender.#due.has(id));
        for (const { id } of ended) sender.#due.set(id, 0);
        if (ended.length > 0) sender.#wake();
      }),
    );
    for await (const { record } of catalog.range(callbacks, 'waiting')) {
      const task = await catalog.get(tasks, record.task);
      sender.#take(record.task, record);
      if ((!task || hasEnded(task)) && record.next === undefined) sender.#due.set(record.task, 0);
    }
    sender.#wake();
    return sender;
  }

  /** What is on its way is tried again after the next start. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('the server stops'));
    clearTimeout(this.#timer);
    for (const unfollow of this.#unfollow) unfollow();
    await Promise.all(this.#sending.values());
  }

  #take(id: string, callback: Callback | undefined): void {
    if (callback?.state !== 'waiting') this.#due.delete(id);
    else if (callback.next !== undefined) this.#due.set(id, Date.parse(callback.next));
    else this.#due.set(id, callback.atOnce ? 0 : Number.POSITIVE_INFINITY);
  }

  /** In a moment: whoever follows the catalog must not read it. */
  #wake(): void {
    clearTimeout(this.#timer);
    if (this.#closed.signal.aborted || this.#sending.size >= AT_ONCE) return;
    const waiting = [...this.#due].filter(([id]) => !this.#sending.has(id)).map(([, due]) => due);
    const soonest = Math.min(...waiting);
    if (soonest === Number.POSITIVE_INFINITY) return;
    const left = Math.max(0, soonest - this.deps.now().getTime());
    this.#timer = setTimeout(() => this.#fill(), Math.min(left, LONGEST)).unref();
  }

  #fill(): void {
    const now = this.deps.now().getTime();
    for (const [id, due] of this.#due) {
      if (this.#sending.size >= AT_ONCE || this.#closed.signal.aborted) return;
      if (due > now || this.#sending.has(id)) continue;
      const sending = sendCallback(this.deps, id, this.#closed.signal, this.pauses)
        .catch((err: unknown) => {
          if (this.#closed.signal.aborted) return;
          // The catalog fails: it is tried again like any other.
          this.#due.set(id, this.deps.now().getTime() + (this.pauses[0] ?? 0));
          this.deps.log.error({ err, task: id }, 'a callback could not be sent; it will be tried again');
        })
        .finally(() => {
          this.#sending.delete(id);
          this.#wake();
        });
      this.#sending.set(id, sending);
    }
    this.#wake();
  }
}
