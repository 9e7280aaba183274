import { isRecord } from '../../imgapi/checks.js';
import type { Members } from '../../storage/members.js';
import type { Progress, Task } from '../model/task.js';

export type Watcher = (task: Task, progress: Progress) => void;

/** The others are told so often, in milliseconds, of what has changed meanwhile. */
const EVERY = 400;

/** Of so many tasks at once: what is told has to be small. */
const TOGETHER = 20;

const TOPIC = 'progress';

/** How far tasks are, wherever they run. Told among the members and kept by none of them: what is lost comes again. */
export class ProgressBoard {
  readonly #known = new Map<string, Progress>();
  readonly #watchers = new Set<Watcher>();
  readonly #untold = new Map<string, Progress>();
  #timer: NodeJS.Timeout | undefined;
  #last = Number.NEGATIVE_INFINITY;
  #unhear = () => {};

  constructor(private readonly members: Members) {}

  /** Hears of tasks that run elsewhere; `runs` finds one by its id and the member that runs it. */
  open(runs: (id: string, runner: string) => Task | undefined): void {
    this.#unhear = this.members.hear(TOPIC, (message, from) => {
      for (const [id, progress] of Array.isArray(message) ? message : []) {
        const task = runs(id, from);
        if (task && isRecord(progress)) this.#show(task, progress as unknown as Progress);
      }
    });
  }

  of(id: string): Progress | undefined {
    return this.#known.get(id);
  }

  /** Of a task that runs here. */
  report(task: Task, progress: Progress): void {
    this.#show(task, progress);
    if (this.members.all().length === 1) return;
    this.#untold.set(task.id, progress);
    const left = this.#last + EVERY - performance.now();
    if (left <= 0) this.#tell();
    else this.#timer ??= setTimeout(() => this.#tell(), left).unref();
  }

  forget(id: string): void {
    this.#known.delete(id);
    this.#untold.delete(id);
  }

  /** Tells of all progress; returns the way to stop. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#unhear();
  }

  #show(task: Task, progress: Progress): void {
    this.#known.set(task.id, progress);
    for (const watcher of this.#watchers) watcher(task, progress);
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#last = performance.now();
    const untold = [...this.#untold];
    this.#untold.clear();
    for (let at = 0; at < untold.length; at += TOGETHER) this.members.tell(TOPIC, untold.slice(at, at + TOGETHER));
  }
}
