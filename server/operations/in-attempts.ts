import { setTimeout as sleep } from 'node:timers/promises';
import { isPassing } from '../../imgapi/exchange-errors.js';

/** Tries again after each of the pauses, in milliseconds; what will not change by waiting is thrown at once. */
export async function inAttempts(
  pauses: readonly number[],
  signal: AbortSignal,
  attempt: () => Promise<void>,
): Promise<void> {
  for (const pause of pauses) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      await sleep(pause, undefined, { signal });
    }
  }
  return attempt();
}
