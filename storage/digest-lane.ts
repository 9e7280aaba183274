import { Worker } from 'node:worker_threads';
import type { Answer, Task } from './digest-worker.js';

export interface LaneTransfer {
  /** Settles when the worker is done with the bytes; with the last ones it resolves to the digests. */
  update(bytes: SharedArrayBuffer | undefined, length: number, last: boolean): Promise<Answer>;
  /** No more is coming and nobody wants the digests. */
  drop(): void;
}

/** Seconds for which a worker owed an answer, and bytes that it has been given. */
export interface LaneWork {
  seconds: number;
  bytes: number;
}

interface Asked {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/**
 * A worker thread that computes some of the digests for all transfers. It starts when it is first needed, is replaced
 * when it has died, and keeps the process alive only while it owes an answer.
 */
export class DigestLane {
  #worker: Worker | undefined;
  #asked: Asked[] = [];
  #transfers = 0;
  readonly #done: LaneWork = { seconds: 0, bytes: 0 };
  #busySince: number | undefined;

  constructor(readonly algorithms: string[]) {}

  get work(): LaneWork {
    const { seconds, bytes } = this.#done;
    return { seconds: seconds + this.#secondsOfNow(), bytes };
  }

  start(): LaneTransfer {
    this.#worker ??= this.#startWorker();
    this.#transfers += 1;
    const worker = this.#worker;
    const transfer = this.#transfers;
    return {
      update: (update, length, last) => this.#ask(worker, { transfer, update, length, last }),
      drop: () => worker.postMessage({ transfer, drop: true }),
    };
  }

  #ask(worker: Worker, task: Exclude<Task, { drop: true }>): Promise<Answer> {
    if (worker !== this.#worker) return Promise.reject(new Error('the digest worker of this transfer has died'));
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
      this.#busySince ??= performance.now();
      this.#done.bytes += task.length;
      worker.ref();
      worker.postMessage(task);
    });
  }

  #startWorker(): Worker {
    const worker = new Worker(new URL('./digest-worker.js', import.meta.url), { workerData: this.algorithms });
    let cause: unknown;
    worker.on('message', (answer: Answer) => {
      this.#asked.shift()?.resolve(answer);
      if (this.#asked.length > 0) return;
      this.#rest();
      worker.unref();
    });
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', (code) => {
      this.#worker = undefined;
      this.#rest();
      const error = new Error(`the digest worker has died (${code})`, { cause });
      for (const { reject } of this.#asked.splice(0)) reject(error);
    });
    worker.unref(); // listening for messages had made it count
    return worker;
  }

  #rest(): void {
    this.#done.seconds += this.#secondsOfNow();
    this.#busySince = undefined;
  }

  #secondsOfNow(): number {
    return this.#busySince === undefined ? 0 : (performance.now() - this.#busySince) / 1000;
  }
}
