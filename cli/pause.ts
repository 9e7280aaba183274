import { setTimeout } from 'node:timers/promises';

/** So many milliseconds; who cancels it in the middle gives the reason. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
}
