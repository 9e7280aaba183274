import { useCallback, useEffect, useState } from 'preact/hooks';
import { ask, Refusal, Unreachable } from './ask.js';
import type { Results } from './types.js';
import { useAgain } from './use-asked.js';

export type History = Results['GetOverviewHistory'];
export type Series = History['what'];

/** How far back is looked, in milliseconds, and how many points that has at most; one more, as a step begins before it. */
export const stretches = {
  hour: { length: 3_600_000, points: 13 },
  day: { length: 86_400_000, points: 97 },
  week: { length: 7 * 86_400_000, points: 85 },
  month: { length: 30 * 86_400_000, points: 121 },
  year: { length: 365 * 86_400_000, points: 123 },
} as const;

export type Stretch = keyof typeof stretches;

const MINUTE = 60_000;

interface Wish {
  series: readonly Series[];
  stretch: Stretch;
  dc: string;
  /** What time it is, as the server tells it: the clock here may be another. */
  at: string;
  /** When there was something new; it is asked again then, and once a minute. */
  sampled: string | null;
}

export interface Courses {
  of: ReadonlyMap<Series, History> | undefined;
  failure: Refusal | Unreachable | undefined;
  again(): void;
}

/** How figures went up to now, all of them with the same points. */
export function useHistory({ series, stretch, dc, at, sampled }: Wish): Courses {
  const [state, setState] = useState<{ key: string } & Omit<Courses, 'again'>>({
    key: '',
    of: undefined,
    failure: undefined,
  });
  const [round, setRound] = useState(0);
  const key = JSON.stringify([series, stretch, dc]);
  // up to the end of the minute that it is
  const minute = Math.floor(Date.parse(at) / MINUTE) + 1;

  useEffect(() => {
    const abort = new AbortController();
    const { length, points } = stretches[stretch];
    const to = minute * MINUTE;
    const span = { from: new Date(to - length).toISOString(), to: new Date(to).toISOString() };
    const asked = series.map((what) =>
      ask<History>('/overview/history', { query: { what, dc, points, ...span }, signal: abort.signal }),
    );
    Promise.all(asked).then(
      (answers) =>
        setState({ key, of: new Map(answers.map(({ result }) => [result.what, result])), failure: undefined }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
        setState((last) => ({ key, of: last.key === key ? last.of : undefined, failure: error }));
      },
    );
    return () => abort.abort();
  }, [key, minute, sampled, round]);

  const again = useCallback(() => setRound((last) => last + 1), []);
  useAgain(state.failure, again);
  const isOfThis = state.key === key;
  return {
    of: isOfThis ? state.of : undefined,
    failure: isOfThis ? state.failure : undefined,
    again,
  };
}
