import { isRecord } from '../imgapi/checks.js';
import type { Io } from './command.js';
import { Interrupted } from './errors.js';
import { isRunning, type Management, type Outcome } from './management.js';
import { note } from './output.js';
import { lineOf } from './progress.js';

/** What a call came to in the end. Whoever stops waiting for it does not stop the server. */
export async function awaited(management: Management, outcome: Outcome, io: Io): Promise<Outcome> {
  try {
    return await shown(management, outcome, io);
  } catch (error) {
    const { task } = outcome;
    if (error instanceof Interrupted && isRunning(outcome))
      note(io, `the task goes on; "slipway task wait ${task}" waits for it, "slipway task cancel ${task}" ends it`);
    throw error;
  }
}

/** On a terminal that, and how far, its task has come. */
async function shown(management: Management, outcome: Outcome, io: Io): Promise<Outcome> {
  if (!isRunning(outcome) || !io.stderr.isTTY) return management.finished(outcome);
  const begun = performance.now();
  try {
    return await management.finished(outcome, async (task) => {
      const { result } = await management.ask('GET', `/api/task/${encodeURIComponent(task)}`);
      const seconds = Math.round((performance.now() - begun) / 1000);
      const line = lineOfTask(task, Object(result).progress, seconds);
      io.stderr.write(`\r${line.slice(0, (io.stderr.columns || 80) - 1)}\x1b[K`);
    });
  } finally {
    io.stderr.write('\r\x1b[K');
  }
}

/** Bytes as a bar, with the rate and the time that is left; all else in numbers. */
export function lineOfTask(task: string, progress: unknown, seconds: number): string {
  const { done, total, ceiling, unit, rate } = isRecord(progress) ? progress : {};
  if (unit === 'bytes' && typeof done === 'number') {
    const known = typeof total === 'number' ? total : undefined;
    const told = { label: `task ${task.slice(0, 8)}`, total: known, ceiling: ceiling === true };
    return lineOf(told, done, typeof rate === 'number' ? rate : 0);
  }
  const far = typeof total === 'number' ? `, ${done} of ${total}` : '';
  return `task ${task}${far}, ${seconds} s`;
}
