import { Worker } from 'node:worker_threads';
import type { Answer, Task } from './digest-worker.js';

export interface LaneTransfer {
  /** Settles when the worker is done with the bytes; with the last ones it resolves to the digests. */
  update(bytes: SharedArrayBuffer | undefined, length: number, last: boolean): Promise<Answer>;
  /** No more is coming and nobody wants the digests. */
  drop(): void;
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

  constructor(private readonly algorithms: string[]) {}

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

  #ask(worker: Worker, task: Task): Promise<Answer> {
    if (worker !== this.#worker) return Promise.reject(new Error('the digest worker of this transfer has died'));
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
      worker.ref();
      worker.postMessage(task);
    });
  }

  #startWorker(): Worker {
    const worker = new Worker(new URL('./digest-worker.js', import.meta.url), { workerData: this.algorithms });
    let cause: unknown;
    worker.on('message', (answer: Answer) => {
      this.#asked.shift()?.resolve(answer);
      if (this.#asked.length === 0) worker.unref();
    });
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', (code) => {
      this.#worker = undefined;
      const error = new Error(`the digest worker has died (${code})`, { cause });
      for (const { reject } of this.#asked.splice(0)) reject(error);
    });
    worker.unref(); // listening for messages had made it count
    return worker;
  }
}
