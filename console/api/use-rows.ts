import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ask, Refusal, Unreachable, type Wish } from './ask.js';
import type { Change } from './live.js';
import { useAgain, useFresh } from './use-asked.js';

/** So many rows are asked for at a time. */
const CHUNK = 100;
/** In milliseconds: while one scrolls fast, not all that is passed over is asked for. */
const PAUSE = 100;

export interface Rows<T> {
  /** Undefined while nothing is known yet. */
  total: number | undefined;
  /** There are more than anybody has counted. */
  isOpen?: boolean;
  /** Undefined where the row has not come yet. */
  at(index: number): T | undefined;
  /** What is looked at now: it is fetched, and kept fresh. */
  show(first: number, last: number): void;
  failure: Refusal | Unreachable | undefined;
  refresh(): void;
}

interface Options {
  query?: Wish['query'];
  kinds?: readonly string[];
  concerns?: (change: Change) => boolean;
}

interface Known<T> {
  key: string;
  total?: number;
  chunks: ReadonlyMap<number, readonly T[]>;
  failure?: Refusal | Unreachable;
}

/** A list of any length, of which only what is looked at is fetched. */
export function useRows<T>(path: string, { query = {}, kinds = [], concerns }: Options = {}): Rows<T> {
  const key = JSON.stringify([path, query]);
  const [known, setKnown] = useState<Known<T>>({ key, chunks: new Map() });
  const [round, setRound] = useState(0);
  const [wanted, show] = useWanted();
  const fetched = useRef(nothingFetched('', -1));

  useEffect(() => {
    const have = fetched.current;
    if (have.key !== key || have.round !== round) {
      leave(have, () => true);
      fetched.current = nothingFetched(key, round);
    }
    const mine = fetched.current;
    const { chunks } = mine;
    leave(mine, (chunk) => chunk < wanted[0] || chunk > wanted[1]);
    for (let chunk = wanted[0]; chunk <= wanted[1]; chunk += 1) {
      if (chunks.has(chunk)) continue;
      const abort = new AbortController();
      chunks.set(chunk, abort);
      const isStill = () => fetched.current === mine;
      mine.running += 1;
      const end = () => {
        mine.running -= 1;
        if (isStill() && mine.isStale && mine.running === 0) setRound((last) => last + 1);
      };
      const part = { ...query, full: true, limit: CHUNK, offset: chunk * CHUNK };
      ask<T[]>(path, { query: part, signal: abort.signal })
        .then(
          ({ result, total = result.length }) => {
            if (abort.signal.aborted || !isStill()) return;
            chunks.set(chunk, 'here');
            setKnown((last) => ({
              key,
              total,
              // Until all is read anew, what was known of the other rows is better than nothing.
              chunks: new Map([...(last.key === key ? last.chunks : []), [chunk, result]]),
            }));
          },
          (error: unknown) => {
            if (abort.signal.aborted) return;
            if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
            chunks.delete(chunk);
            if (!isStill()) return;
            const isGone = error instanceof Refusal && error.status < 500;
            setKnown((last) => ({
              ...(last.key === key && !isGone ? last : { key, chunks: new Map() }),
              failure: error,
            }));
          },
        )
        .finally(end);
    }
  }, [key, round, wanted[0], wanted[1]]);

  const refresh = useCallback(() => {
    // What is under way comes to its end first: else nothing would ever be shown while much happens.
    if (fetched.current.running > 0) fetched.current.isStale = true;
    else setRound((last) => last + 1);
  }, []);
  useAgain(known.failure, refresh);
  useFresh(kinds, refresh, concerns);

  const isOfThis = known.key === key;
  return {
    total: isOfThis ? known.total : undefined,
    at: (index) => (isOfThis ? known.chunks.get(Math.floor(index / CHUNK))?.[index % CHUNK] : undefined),
    show,
    failure: isOfThis ? known.failure : undefined,
    refresh,
  };
}

/** Of one reading of a list: each part that is here, or on its way. */
interface Fetched {
  key: string;
  round: number;
  chunks: Map<number, AbortController | 'here'>;
  running: number;
  isStale: boolean;
}

const nothingFetched = (key: string, round: number): Fetched => ({
  ...{ key, round, running: 0, isStale: false },
  chunks: new Map(),
});

/** What nobody looks at any more need not come. */
function leave({ chunks }: Fetched, isLeft: (chunk: number) => boolean): void {
  for (const [chunk, abort] of [...chunks]) {
    if (abort === 'here' || !isLeft(chunk)) continue;
    abort.abort();
    chunks.delete(chunk);
  }
}

type Span = readonly [first: number, last: number];

/** The parts that are looked at: at once, and while that changes again and again, as it is then. */
function useWanted(): [Span, Rows<unknown>['show']] {
  const [wanted, setWanted] = useState<Span>([0, 0]);
  const latest = useRef<{ next: Span; timer?: ReturnType<typeof setTimeout> | undefined }>({ next: [0, 0] });
  useEffect(() => () => clearTimeout(latest.current.timer), []);
  const show = useCallback((first: number, last: number) => {
    const mine = latest.current;
    mine.next = [Math.floor(first / CHUNK), Math.floor(Math.max(first, last) / CHUNK)];
    if (mine.timer !== undefined) return;
    const take = () => {
      const { next } = mine;
      setWanted((now) => (now[0] === next[0] && now[1] === next[1] ? now : next));
    };
    take();
    mine.timer = setTimeout(() => {
      mine.timer = undefined;
      take();
    }, PAUSE);
  }, []);
  return [wanted, show];
}
