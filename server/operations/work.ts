import type { Tx } from '../../storage/catalog.js';
import type { Progress, Step } from '../model/task.js';

/** What an operation that runs as a task may reach of the one who runs it. */
export interface Work {
  /** Aborted when the task is cancelled, and when the server stops. */
  signal: AbortSignal;
  /** For those who watch; not kept. */
  report(progress: Progress): void;
  /**
   * What is done so far, kept in the very write that did it: from here a task goes on after a crash. Throws, and so
   * undoes that write, where the task has ended meanwhile.
   */
  keep(tx: Tx, soFar: { progress: Progress; result: unknown; steps?: Step[] }): Promise<void>;
}
