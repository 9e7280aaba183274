import type { Io } from './command.js';
import { isRunning, type Management, type Outcome } from './management.js';

/** What a call came to in the end. On a terminal it shows that, and how far, its task has come. */
export async function awaited(management: Management, outcome: Outcome, io: Io): Promise<Outcome> {
  if (!isRunning(outcome) || !io.stderr.isTTY) return management.finished(outcome);
  const begun = performance.now();
  try {
    return await management.finished(outcome, async (task) => {
      const { result } = await management.ask('GET', `/api/task/${encodeURIComponent(task)}`);
      const { progress } = Object(result);
      const { done, total } = Object(progress);
      const far = typeof total === 'number' ? `, ${done} of ${total}` : '';
      io.stderr.write(`\rtask ${task}${far}, ${Math.round((performance.now() - begun) / 1000)} s\x1b[K`);
    });
  } finally {
    io.stderr.write('\r\x1b[K');
  }
}
