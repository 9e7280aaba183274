import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Catalog, Change, Tx } from '../../storage/catalog.js';
import {
  again,
  begin,
  end,
  hasEnded,
  interrupted,
  type Outcome,
  type Progress,
  revoke,
  type Task,
  tasks,
} from '../model/task.js';
import { heldCatalog, NotHeld } from '../operations/held-catalog.js';
import type { Work } from '../operations/work.js';
import { Lane } from './lane.js';
import { Pace } from './pace.js';
import { ProgressBoard, type Watcher } from './progress-board.js';

/** How tasks of a kind are performed. */
export interface TaskKind {
  /** Whether one that was interrupted is performed again, from what it had kept. Else it has failed. */
  resumes: boolean;
  /** Those of a lane wait for each other only; the quick ones have one together. */
  lane?: string | undefined;
  /** Resolves with the result. What it writes goes through this catalog, which knows whose the task is. */
  perform(task: Task, work: Work, catalog: Catalog): Promise<unknown>;
  /** What goes when one fails or is cancelled, in the write that says so. */
  undo?: ((tx: Tx, task: Task) => Promise<void>) | undefined;
}

export type TaskKinds = Readonly<Record<string, TaskKind>>;

/** What a task is told apart by while it waits. */
type Waiting = Pick<Task, 'id' | 'what' | 'datacenter'>;

interface Running {
  aborting: AbortController;
  /** The member that has taken it, which this one may be no more. */
  as?: string;
  /** What it has come to is being written. */
  isOver?: true;
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
  /** In milliseconds. */
  pauses?: Partial<Pauses>;
}

interface Pauses {
  /** Who has queued a task takes it first; the others when it is left for so long. */
  headStart: number;
  /** What could not be written is tried again after so long. */
  again: number;
}

const usual: Pauses = { headStart: 100, again: 1000 };

/** So many run at the same time unless told otherwise. */
const AT_ONCE = 4;

/** Of the objects of a task in the log. */
const MOST_NAMED = 10;

const STOPPING = new Error('the server stops');
const CANCELLED = new Error('the task was cancelled');
const LOST = new Error('the task is not of this daemon any more');

/** Where tasks run that hold nobody up. */
const QUICK = 'quick';

/**
 * Runs tasks, one behind another, several side by side, beside the other members: the queue is in the catalog, and so is
 * who has taken what. Those whose member is gone are put back by the first.
 */
export class TaskRunner {
  readonly #options: Options;
  readonly #pauses: Pauses;
  readonly #board: ProgressBoard;
  #kinds: TaskKinds = {};
  readonly #lanes = new Map<string, Lane>();
  /** All that wait, as far as it is known here. */
  readonly #queued = new Map<string, Waiting>();
  readonly #running = new Map<string, Running>();
  readonly #elsewhere = new Map<string, Task>();
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #unfollow: (() => void)[] = [];
  readonly #stopping = new AbortController();
  #filling: NodeJS.Timeout | undefined;
  #recovering = Promise.resolve();
  #isOpen = false;

  constructor(options: Options) {
    this.#options = options;
    this.#pauses = { ...usual, ...options.pauses };
    this.#board = new ProgressBoard(options.catalog.members);
  }

  /** Puts back what was left behind; from now on tasks are run. */
  async open(kinds: TaskKinds): Promise<void> {
    this.#kinds = kinds;
    const { catalog } = this.#options;
    let told: Set<string> | undefined = new Set();
    const follower = (changes: Change<Task>[]) => {
      for (const change of changes) {
        told?.add(change.id);
        this.#take(change);
      }
    };
    this.#unfollow.push(catalog.follow(tasks, follower));
    this.#board.open((id, runner) => {
      const task = this.#elsewhere.get(id);
      return task?.runner === runner ? task : undefined;
    });
    this.#isOpen = true;
    this.#unfollow.push(catalog.members.follow(() => this.#look()));
    if (catalog.members.isFirst()) await this.#recover();
    for (const status of ['STARTED', 'PENDING']) {
      for await (const { record } of catalog.range(tasks, 'status', { prefix: `${status}/` })) {
        if (!told.has(record.id)) this.#take({ id: record.id, record });
      }
    }
    told = undefined;
    this.#fill();
  }

  /** One that is kept already is taken at once, where there is a place for it. */
  enqueue({ id }: Pick<Task, 'id'>): void {
    if (this.#queued.has(id)) this.#fill();
  }

  /** What is running is told to stop, wherever it runs, and what it has kept stays; throws where there is nothing to be cancelled. */
  async cancel(catalog: Catalog, id: string): Promise<Task> {
    return catalog.write(async (tx) => {
      const task = await tx.get(tasks, id);
      if (!task) throw new ImgapiError('ResourceNotFound', `there is no task ${id}`);
      const after = revoke(task, this.#options.now());
      await tx.replace(tasks, after);
      await this.#kinds[task.what]?.undo?.(tx, after);
      return after;
    });
  }

  /** As it runs, wherever it runs. */
  progressOf({ id, progress }: Task): Progress | undefined {
    return this.#board.of(id) ?? progress;
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
      if (task && !hasEnded(task) && !signal.aborted && this.#isOpen) await told;
    } finally {
      signal.removeEventListener('abort', tell);
      waiting.delete(tell);
      if (waiting.size === 0) this.#waiting.delete(id);
    }
  }

  /** Tells of all progress; returns the way to stop. */
  watch(watcher: Watcher): () => void {
    return this.#board.watch(watcher);
  }

  /** What runs is aborted and waited for. Others go on with it at once; where there are none, the next start does. */
  async close(): Promise<void> {
    this.#isOpen = false;
    clearTimeout(this.#filling);
    for (const unfollow of this.#unfollow.splice(0)) unfollow();
    this.#board.close();
    this.#stopping.abort(STOPPING);
    for (const { aborting } of this.#running.values()) aborting.abort(STOPPING);
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    await this.#recovering;
    for (const id of this.#waiting.keys()) this.#tellEnd(id);
  }

  /** A change of a task, whoever has made it. */
  #take({ id, record }: Change<Task>): void {
    const running = this.#running.get(id);
    const isOwn = record?.status === 'STARTED' && record.runner === running?.as;
    if (running?.as !== undefined && !running.isOver && !isOwn) {
      running.aborting.abort(record?.status === 'REVOKED' ? CANCELLED : LOST);
    }
    if (record?.status === 'STARTED' && !isOwn) this.#elsewhere.set(id, record);
    else this.#elsewhere.delete(id);
    if (record?.status !== 'STARTED') this.#board.forget(id);
    if (record?.status === 'PENDING') this.#queue(record);
    else this.#queued.delete(id);
    if (!record || hasEnded(record)) this.#tellEnd(id);
  }

  #queue({ id, what, datacenter }: Waiting): void {
    if (this.#queued.has(id)) return;
    const waiting = { id, what, ...(datacenter !== undefined && { datacenter }) };
    this.#queued.set(id, waiting);
    this.#laneOf(waiting).add(waiting);
    this.#fillSoon();
  }

  /** Somebody has come or gone, this one perhaps. */
  #look(): void {
    const { catalog } = this.#options;
    for (const { as, aborting } of this.#running.values()) {
      if (as !== undefined && (as !== catalog.members.self.id || !catalog.current())) aborting.abort(LOST);
    }
    if (catalog.members.isFirst()) void this.#recover();
    // What was left to others may be this one's by now.
    for (const lane of this.#lanes.values()) lane.clear();
    for (const waiting of this.#queued.values()) this.#laneOf(waiting).add(waiting);
    this.#fill();
  }

  #recover(): Promise<void> {
    this.#recovering = this.#recovering.then(() => this.#persistently(() => this.#recoverOnce()));
    return this.#recovering;
  }

  /** Puts back what members have taken that are gone. */
  async #recoverOnce(): Promise<void> {
    const { catalog } = this.#options;
    const { members } = catalog;
    const strange: Task[] = [];
    for await (const { record } of catalog.range(tasks, 'status', { prefix: 'STARTED/' })) {
      if (this.#isLeft(record)) strange.push(record);
    }
    if (strange.length === 0) return;
    // Whoever has just come may have taken it.
    await members.look();
    for (const task of strange) {
      if (!members.isFirst()) return;
      if (this.#isLeft(task)) await this.#putBack(task, task.runner);
    }
  }

  /** Nobody works on it. */
  #isLeft({ id, runner }: Task): boolean {
    const { members } = this.#options.catalog;
    if (runner === members.self.id) return !this.#running.has(id);
    return runner === undefined || !members.isIn(runner);
  }

  /** Whatever it had done; where it can not be gone on with, it has failed. */
  async #putBack(task: Task, runner: string | undefined): Promise<void> {
    const { catalogOf, now, log } = this.#options;
    const kind = this.#kinds[task.what];
    const left = await catalogOf(task).write(async (tx) => {
      const found = await tx.get(tasks, task.id);
      if (found?.status !== 'STARTED' || found.runner !== runner) return undefined;
      const after = kind?.resumes ? again(found) : interrupted(found, now());
      await tx.replace(tasks, after);
      if (hasEnded(after)) await kind?.undo?.(tx, after);
      return after;
    });
    if (!left) return;
    log.info({ task: left.id, what: left.what, status: left.status, runner }, 'a task was left behind');
    this.#fill();
  }

  /** Until it has worked, or the server stops: while nothing can be written, tasks wait. */
  async #persistently(work: () => Promise<unknown>): Promise<void> {
    let told = false;
    for (;;) {
      try {
        await work();
        return;
      } catch (err) {
        if (err instanceof NotHeld || this.#stopping.signal.aborted) return;
        if (!told) this.#options.log.warn({ err }, 'what becomes of tasks can not be written; it will be tried again');
        told = true;
      }
      await this.#pause();
    }
  }

  #laneOf({ what }: Waiting): Lane {
    const name = this.#kinds[what]?.lane ?? QUICK;
    const { lanes = {}, atOnce = AT_ONCE } = this.#options;
    const lane = this.#lanes.get(name) ?? new Lane(lanes[name] ?? atOnce);
    this.#lanes.set(name, lane);
    return lane;
  }

  /** What somebody else has queued, and does not take. */
  #fillSoon(): void {
    if (!this.#isOpen || this.#options.catalog.members.all().length === 1) return;
    this.#filling ??= setTimeout(() => this.#fill(), this.#pauses.headStart).unref();
  }

  #fill(): void {
    clearTimeout(this.#filling);
    this.#filling = undefined;
    for (const lane of this.#lanes.values()) this.#fillFrom(lane);
  }

  #fillFrom(lane: Lane): void {
    const isOpenTo = (id: string) => {
      const waiting = this.#queued.get(id);
      return waiting !== undefined && !this.#running.has(id) && this.#performs(waiting);
    };
    while (this.#isOpen && this.#options.catalog.current()) {
      const id = lane.take(isOpenTo);
      if (id === undefined) return;
      const running: Running = { aborting: new AbortController(), ended: Promise.resolve() };
      this.#running.set(id, running);
      running.ended = this.#run(id, running)
        .catch(async (err: unknown) => {
          this.#options.log.error({ err, task: id }, 'a task could not be run; it will be tried again');
          await this.#pause(); // it is still queued, and the catalog may go on to fail
        })
        .finally(() => {
          this.#running.delete(id);
          this.#board.forget(id);
          lane.leave();
          const waiting = this.#queued.get(id);
          if (waiting) lane.add(waiting);
          this.#fill();
        });
    }
  }

  /** What another version knows is left to it. */
  #performs({ what }: Waiting): boolean {
    const { members } = this.#options.catalog;
    return what in this.#kinds || members.all().every(({ version }) => version === members.self.version);
  }

  async #run(id: string, running: Running): Promise<void> {
    const { catalog, catalogOf, log } = this.#options;
    const found = await catalog.get(tasks, id);
    if (found?.status !== 'PENDING') return;
    const own = catalogOf(found);
    let task: Task | undefined;
    try {
      task = await this.#begin(own, found, running);
    } catch (err) {
      log.warn({ err, task: id }, 'a task could not be begun; it will be tried again');
      running.aborting.abort(LOST);
      return this.#letGo(found, running);
    }
    if (!task || running.as === undefined) return;
    const { what, who, objects } = task;
    const told = { task: id, what, who: who.name, of: objects.map(({ name }) => name).slice(0, MOST_NAMED) };
    log.info(told, task.progress ? 'a task goes on' : 'a task begins');
    const lose = () => running.aborting.abort(LOST);
    const held = heldCatalog(own, { task: id, runner: running.as, lose });
    const outcome = await this.#outcomeOf(task, held, running.aborting.signal);
    running.isOver = true;
    if (!outcome) return this.#letGo(task, running);
    const why = outcome.status === 'FAILURE' && { why: Object(outcome.result).detail };
    log.info({ ...told, status: outcome.status, ...why }, 'a task ends');
    await this.#persistently(() => this.#end(held, task, outcome));
  }

  /** Of all members one only takes it. */
  #begin(own: Catalog, { id }: Task, running: Running): Promise<Task | undefined> {
    const { catalog, now } = this.#options;
    return own.write(async (tx) => {
      const queued = await tx.get(tasks, id);
      if (queued?.status !== 'PENDING' || !this.#isOpen) return undefined;
      running.as = catalog.members.self.id;
      const begun = begin(queued, running.as, now());
      await tx.replace(tasks, begun);
      return begun;
    });
  }

  #end(held: Catalog, { id }: Task, outcome: Outcome): Promise<void> {
    return held.write(async (tx) => {
      const running = await tx.get(tasks, id);
      if (running?.status !== 'STARTED') return;
      const ended = end(running, outcome, this.#options.now());
      await tx.replace(tasks, ended);
      if (ended.status === 'FAILURE') await this.#kinds[ended.what]?.undo?.(tx, ended);
    });
  }

  /** It has not come to its end here. */
  async #letGo(task: Task, { as, aborting }: Running): Promise<void> {
    const { reason } = aborting.signal;
    if (reason === CANCELLED) return;
    if (reason === LOST) {
      await this.#pause();
      return this.#persistently(() => this.#putBack(task, as));
    }
    if (this.#options.catalog.members.all().length === 1) return;
    await this.#putBack(task, as).catch((err: unknown) =>
      this.#options.log.warn({ err, task: task.id }, 'a task could not be left to others; they find it by themselves'),
    );
  }

  #pause(): Promise<void> {
    return sleep(this.#pauses.again, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => {});
  }

  /** None where it is not at an end: it was cancelled, or lost, or the server stops. */
  async #outcomeOf(task: Task, held: Catalog, signal: AbortSignal): Promise<Outcome | undefined> {
    try {
      const kind = this.#kinds[task.what];
      if (!kind) throw new ImgapiError('NotAvailable', `this server has no tasks of the kind "${task.what}"`);
      return { status: 'SUCCESS', result: (await kind.perform(task, this.#workOf(task, signal), held)) ?? null };
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
      if (signal.aborted) return;
      this.#board.report(task, told.unit === 'bytes' ? pace.of(told, performance.now()) : told);
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
