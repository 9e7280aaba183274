import type { Metrics } from './instruments.js';
import { secondsSince } from './timed.js';

type Swept = Record<'expired' | 'uploads' | 'unheld' | 'orphans' | 'staged', number>;

/** A sweep, how long it takes, and what it removes. */
export async function measuredSweep(
  { instruments: { sweeps_total, swept_total, sweep_duration_seconds, last_sweep_timestamp_seconds } }: Metrics,
  sweep: () => Promise<Swept>,
): Promise<void> {
  const start = performance.now();
  try {
    for (const [what, count] of Object.entries(await sweep())) swept_total.inc({ what }, count);
    sweeps_total.inc({ outcome: 'done' });
    last_sweep_timestamp_seconds.setToCurrentTime();
  } catch (error) {
    sweeps_total.inc({ outcome: 'failed' });
    throw error;
  } finally {
    sweep_duration_seconds.observe(secondsSince(start));
  }
}
