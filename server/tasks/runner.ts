import type { Logger } from 'pino';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Catalog, Tx } from '../../storage/catalog.js';
import {
  again,
  begin,
  end,
  hasEnded,
  INTERRUPTED,
  type Outcome,
  type Progress,
  revoke,
  type Task,
  tasks,
} from '../model/task.js';
import type { Work } from '../operations/work.js';
import { Lane } from './lane.js';
import { Pace } from './pace.js';

/** How tasks of a kind are performed. */
export interface TaskKind {
  /** Whether one that was interrupted is performed again, from what it had kept. Else it has failed. */
  resumes: boolean;
  /** Those of a lane wait for each other only; the quick ones have one together. */
  lane?: string | undefined;
  /** Resolves with the result. */
  perform(task: Task, work: Work): Promise<unknown>;
  /** What goes when one fails or is cancelled, in the write that says so. */
  undo?: ((tx: Tx, task: Task) => Promise<void>) | undefined;
}

export type TaskKinds = Readonly<Record<string, TaskKind>>;

interface Running {
  aborting: AbortController;
  ended: Promise<void>;
}

interface Options {
  catalog: Catalog;
  /** The catalog in the name of whoever wanted the task. */
  catalogOf: (task: Task) => Catalog;
  log: Logger;
  now: () => Date;
  atOnce?: number;
  /** How many of a lane run at the same time, where that is another number. */
  lanes?: Readonly<Record<string, number>>;
}

/** So many run at the same time unless told otherwise. */
const AT_ONCE = 4;

/** Of the objects of a task in the log. */
const MOST_NAMED = 10;

const STOPPING = new Error('the server stops');
const CANCELLED = new Error('the task was cancelled');

export type Watcher = (task: Task, progress: Progress) => void;

/** Where tasks run that hold nobody up. */
const QUICK = 'quick';

/** Runs tasks, one behind another, several side by side. What it must remember is in the catalog. */
export class TaskRunner {
  readonly #options: Options;
  #kinds: TaskKinds = {};
  readonly #lanes = new Map<string, Lane>();
  readonly #running = new Map<string, Running>();
  readonly #progress = new Map<string, Progress>();
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #watchers = new Set<Watcher>();
  #stopped = true;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Queues what was left behind; from now on tasks are run. */
  async open(kinds: TaskKinds): Promise<void> {
    this.#kinds = kinds;
    const left: Task[] = [];
    for (const status of ['STARTED', 'PENDING']) {
      for await (const { record } of this.#options.catalog.range(tasks, 'status', { prefix: `${status}/` }))
        left.push(record);
    }
    for (const task of left) if (await this.#recover(task)) this.#laneOf(task).add(task);
    this.#stopped = false;
    this.#fill();
  }

  /** A task that is kept already. */
  enqueue(task: Pick<Task, 'id' | 'what' | 'datacenter'>): void {
    this.#laneOf(task).add(task);
    this.#fill();
  }

  /** What is running is told to stop, and what it has kept stays; throws where there is nothing to be cancelled. */
  async cancel(catalog: Catalog, id: string): Promise<Task> {
    const revoked = await catalog.write(async (tx) => {
      const task = await tx.get(tasks, id);
      if (!task) throw new ImgapiError('ResourceNotFound', `there is no task ${id}`);
      const after = revoke(task, this.#options.now());
      await tx.replace(tasks, after);
      await this.#kinds[task.what]?.undo?.(tx, after);
      return after;
    });
    this.#running.get(id)?.aborting.abort(CANCELLED);
    this.#tellEnd(id);
    return revoked;
  }

  /** As it runs, where it runs. */
  progressOf({ id, progress }: Task): Progress | undefined {
    return this.#progress.get(id) ?? progress;
  }

  /** Resolves when the task has ended, or the signal is aborted, or the server stops. */
  async settled(id: string, signal: AbortSignal): Promise<void> {
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting);
    let tell = () => {};
    const told = new Promise<void>((resolve) => {
      tell = resolve;
    });
    waiting.add(tell);
    signal.addEventListener('abort', tell, { once: true });
    try {
      // It may have ended before anybody waited.
      const task = await this.#options.catalog.get(tasks, id);
      if (task && !hasEnded(task) && !signal.aborted && !this.#stopped) await told;
    } finally {
      signal.removeEventListener('abort', tell);
      waiting.delete(tell);
      if (waiting.size === 0) this.#waiting.delete(id);
    }
  }

  /** Tells of all progress; returns the way to stop. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** What runs is aborted and waited for; the next start goes on with it, or tells that it was interrupted. */
  async close(): Promise<void> {
    this.#stopped = true;
    for (const lane of this.#lanes.values()) lane.clear();
    for (const { aborting } of this.#running.values()) aborting.abort(STOPPING);
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    for (const id of this.#waiting.keys()) this.#tellEnd(id);
  }

  /** Whether it shall run. */
  async #recover(task: Task): Promise<boolean> {
    const kind = this.#kinds[task.what];
    if (task.status === 'PENDING') return true;
    const left = kind?.resumes ? again(task) : end(task, INTERRUPTED, this.#options.now());
    await this.#options.catalogOf(task).write(async (tx) => {
      await tx.replace(tasks, left);
      if (hasEnded(left)) await kind?.undo?.(tx, left);
    });
    return !hasEnded(left);
  }

  #laneOf({ what }: Pick<Task, 'what'>): Lane {
    const name = this.#kinds[what]?.lane ?? QUICK;
    const { lanes = {}, atOnce = AT_ONCE } = this.#options;
    const lane = this.#lanes.get(name) ?? new Lane(lanes[name] ?? atOnce);
    this.#lanes.set(name, lane);
    return lane;
  }

  #fill(): void {
    for (const lane of this.#lanes.values()) this.#fillFrom(lane);
  }

  #fillFrom(lane: Lane): void {
    while (!this.#stopped) {
      const id = lane.take();
      if (id === undefined) return;
      const aborting = new AbortController();
      const ended = this.#run(id, aborting.signal)
        .catch((err: unknown) => this.#options.log.error({ err, task: id }, 'a task could not be run'))
        .finally(() => {
          this.#running.delete(id);
          this.#progress.delete(id);
          lane.leave();
          this.#tellEnd(id);
          this.#fill();
        });
      this.#running.set(id, { aborting, ended });
    }
  }

  async #run(id: string, signal: AbortSignal): Promise<void> {
    const { catalog, catalogOf, now } = this.#options;
    const found = await catalog.get(tasks, id);
    if (!found) return;
    const own = catalogOf(found);
    const task = await own.write(async (tx) => {
      const queued = await tx.get(tasks, id);
      if (queued?.status !== 'PENDING') return undefined;
      const begun = begin(queued, now());
      await tx.replace(tasks, begun);
      return begun;
    });
    if (!task) return;
    const { what, who, objects } = task;
    const told = { task: id, what, who: who.name, of: objects.map(({ name }) => name).slice(0, MOST_NAMED) };
    this.#options.log.info(told, task.progress ? 'a task goes on' : 'a task begins');
    const outcome = await this.#outcomeOf(task, signal);
    if (!outcome) return;
    const why = outcome.status === 'FAILURE' && { why: Object(outcome.result).detail };
    this.#options.log.info({ ...told, status: outcome.status, ...why }, 'a task ends');
    await own.write(async (tx) => {
      const running = await tx.get(tasks, id);
      if (running?.status !== 'STARTED') return;
      const ended = end(running, outcome, now());
      await tx.replace(tasks, ended);
      if (ended.status === 'FAILURE') await this.#kinds[ended.what]?.undo?.(tx, ended);
    });
  }

  /** None where it is not at an end: it was cancelled, or the server stops. */
  async #outcomeOf(task: Task, signal: AbortSignal): Promise<Outcome | undefined> {
    try {
      const kind = this.#kinds[task.what];
      if (!kind) throw new ImgapiError('NotAvailable', `this server has no tasks of the kind "${task.what}"`);
      return { status: 'SUCCESS', result: (await kind.perform(task, this.#workOf(task, signal))) ?? null };
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof ImgapiError)
        return { status: 'FAILURE', result: { ...error.toJSON(), detail: error.message } };
      this.#options.log.error({ err: error, task: task.id }, `task ${task.what} failed`);
      const detail = 'the server failed; its log tells why, under the id of the task';
      return { status: 'FAILURE', result: { code: 'InternalError', detail } };
    }
  }

  #workOf(task: Task, signal: AbortSignal): Work {
    const pace = new Pace();
    const report = (told: Progress) => {
      const progress = told.unit === 'bytes' ? pace.of(told, performance.now()) : told;
      this.#progress.set(task.id, progress);
      for (const watcher of this.#watchers) watcher(task, progress);
    };
    return {
      signal,
      report,
      keep: async (tx, { progress, result, steps }) => {
        signal.throwIfAborted();
        const running = await tx.get(tasks, task.id);
        if (running?.status !== 'STARTED') throw CANCELLED;
        await tx.replace(tasks, { ...running, progress, result, ...(steps && { steps }) });
        report(progress);
      },
    };
  }

  #tellEnd(id: string): void {
    for (const resolve of this.#waiting.get(id) ?? []) resolve();
  }
}
