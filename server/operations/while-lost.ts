import { setTimeout as sleep } from 'node:timers/promises';
import type { Deps } from '../deps.js';
import { HostUnreachable, type Unreached } from '../hypervisors/host.js';

/** What will not change by waiting is not among them. */
const passing: ReadonlySet<Unreached> = new Set(['unreachable', 'timeout', 'lost']);

/** Tries again, after pauses, for as long as a node is lost on the way; gives what the last attempt came to. */
export async function whileLost<R>(
  { nodeWork }: Pick<Deps, 'nodeWork'>,
  signal: AbortSignal,
  attempt: () => Promise<R>,
): Promise<R> {
  for (const pause of nodeWork.patience.pauses) {
    try {
      return await attempt();
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (signal.aborted || !(cause instanceof HostUnreachable && passing.has(cause.reason))) throw error;
      await sleep(pause, undefined, { signal });
    }
  }
  return attempt();
}
