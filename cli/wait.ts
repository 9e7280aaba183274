import type { Io } from './command.js';
import { isRunning, type Management, type Outcome } from './management.js';

const FACES = ['|', '/', '-', '\\'];

/** What a call came to in the end. On a terminal it shows that, and how long, a task is waited for. */
export async function awaited(management: Management, outcome: Outcome, io: Io): Promise<Outcome> {
  if (!isRunning(outcome) || !io.stderr.isTTY) return management.finished(outcome);
  const begun = performance.now();
  let looks = 0;
  try {
    return await management.finished(outcome, () => {
      looks += 1;
      const seconds = Math.round((performance.now() - begun) / 1000);
      io.stderr.write(`\r${FACES[looks % FACES.length]} task ${outcome.task}, ${seconds} s\x1b[K`);
    });
  } finally {
    io.stderr.write('\r\x1b[K');
  }
}
