import { ImgapiError } from '../../imgapi/errors.js';
import type { Catalog } from '../../storage/catalog.js';
import { auditHeads, CHANGES } from '../model/audit.js';
import type { Progress, Task } from '../model/task.js';
import type { TaskRunner } from '../tasks/runner.js';

export interface Progressed {
  task: Task;
  progress: Progress;
}

/** Somebody who listens: woken when there is something new, and told where to look for it. */
export interface EventStream {
  /** What has been reported since it was taken last; of each task the latest. */
  takeProgress(): Progressed[];
  /** Resolves when there is something new, or the time is over, or the stream is closed. */
  woken(milliseconds: number): Promise<void>;
  readonly isClosed: boolean;
  close(): void;
}

export interface EventLimits {
  /** In milliseconds: a sign of life so often, and how long a client may leave what it was sent. */
  keepAlive: number;
  patience: number;
  /** Who asks for what lies further back has to begin anew. */
  mostBehind: number;
}

const usual: EventLimits = { keepAlive: 15_000, patience: 30_000, mostBehind: 10_000 };

/** So many streams of one caller. */
const MOST_OF_ONE = 16;

/** Everybody who listens to what happens. Nothing is kept for them: each reads what is new from the audit. */
export class EventStreams {
  readonly #streams = new Set<Listening>();
  #head = 0;
  #unfollow: (() => void)[] = [];
  #closed = false;

  private constructor(readonly limits: EventLimits) {}

  static async open(
    { catalog, tasks }: { catalog: Catalog; tasks: TaskRunner },
    limits = usual,
  ): Promise<EventStreams> {
    const streams = new EventStreams(limits);
    streams.#unfollow.push(
      catalog.follow(auditHeads, (changes) => {
        for (const { id, record } of changes) if (id === CHANGES && record) streams.#advance(record.seq);
      }),
      tasks.watch((task, progress) => {
        for (const stream of streams.#streams) stream.progressed({ task, progress });
      }),
    );
    streams.#advance((await catalog.get(auditHeads, CHANGES))?.seq ?? 0);
    return streams;
  }

  /** The last entry of the chain of changes. */
  get head(): number {
    return this.#head;
  }

  get listeners(): number {
    return this.#streams.size;
  }

  listen(listener: string): EventStream {
    if (this.#closed) throw new ImgapiError('ServiceUnavailableError', 'the server is stopping');
    const own = [...this.#streams].filter((stream) => stream.listener === listener);
    if (own.length >= MOST_OF_ONE) {
      throw new ImgapiError('TooManyRequests', `you listen with ${own.length} streams already: close one of them`);
    }
    const stream = new Listening(listener, () => this.#streams.delete(stream));
    this.#streams.add(stream);
    return stream;
  }

  close(): void {
    this.#closed = true;
    for (const stream of [...this.#streams]) stream.close();
    for (const unfollow of this.#unfollow.splice(0)) unfollow();
  }

  #advance(seq: number): void {
    this.#head = Math.max(this.#head, seq);
    for (const stream of this.#streams) stream.wake();
  }
}

class Listening implements EventStream {
  #progress = new Map<string, Progressed>();
  #isNew = false;
  #wake = () => {};
  isClosed = false;

  constructor(
    readonly listener: string,
    private readonly onClose: () => void,
  ) {}

  wake(): void {
    this.#isNew = true;
    this.#wake();
  }

  progressed(one: Progressed): void {
    this.#progress.set(one.task.id, one);
    this.wake();
  }

  takeProgress(): Progressed[] {
    const taken = [...this.#progress.values()];
    this.#progress.clear();
    return taken;
  }

  async woken(milliseconds: number): Promise<void> {
    if (!this.#isNew && !this.isClosed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isNew = false;
    this.#wake = () => {};
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClose();
    this.#wake();
  }
}
