import { setTimeout as sleep } from 'node:timers/promises';
import { doJob } from './load.js';
import { clients, mixedLoad, type Target } from './mixed.js';

export interface LongRunJob {
  on: Target;
  which: string[];
  seconds: number;
}

export interface LongRun {
  requests: number;
  unexpected: string[];
  /** Milliseconds, of each kind. */
  took: Record<string, number[]>;
}

/** Milliseconds of rest after each round: small requests come at a rate, so that their latency can be compared. */
const rest: Record<string, number> = {
  upload: 500,
  'cut upload': 500,
  'cut download': 100,
  'cut request': 100,
  change: 100,
  list: 100,
  'filtered list': 50,
  manifest: 10,
  ping: 10,
};

doJob(async ({ on, which, seconds }: LongRunJob): Promise<LongRun> => {
  const end = performance.now() + seconds * 1000;
  const run: LongRun = { requests: 0, unexpected: [], took: Object.fromEntries(which.map((what) => [what, []])) };
  const chosen = clients.filter(({ what }) => which.includes(what));
  const goOn = async (what: string, round: number) => {
    if (round > 0 && rest[what] !== undefined) await sleep(rest[what]);
    return performance.now() < end;
  };
  await mixedLoad(on, chosen, goOn, {
    took: (what, milliseconds) => {
      run.requests += 1;
      run.took[what]!.push(milliseconds);
    },
    failed: (what, error) => {
      run.unexpected.push(`${what}: ${error.message}`);
    },
  });
  return run;
});
