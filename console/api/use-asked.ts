import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type Answer, ask, Refusal, Unreachable, type Wish } from './ask.js';
import { type Change, EVERYTHING, listen } from './live.js';

export interface Asked<T> {
  /** As it was told last; stays while it is asked for again, and where that fails. */
  answer: Answer<T> | undefined;
  failure: Refusal | Unreachable | undefined;
  isLoading: boolean;
  refresh(): void;
  /** The same where nobody has asked for it: a session is not prolonged by that. */
  poll(): void;
}

interface Options {
  query?: Wish['query'];
  /** It is asked again when something of these kinds has changed. */
  kinds?: readonly string[];
  /** Only where this says so of one of the changes. */
  concerns?: (change: Change) => boolean;
}

/** What the server knows, kept fresh. Nothing is asked for while there is no path. */
export function useAsked<T>(path: string | undefined, { query = {}, kinds = [], concerns }: Options = {}): Asked<T> {
  const [state, setState] = useState<{ key: string; answer?: Answer<T>; failure?: Refusal | Unreachable }>({ key: '' });
  const [round, setRound] = useState(0);
  const [isLoading, setLoading] = useState(true);
  const key = JSON.stringify([path, query]);
  const running = useRef<{ isStale: boolean } | undefined>(undefined);
  const refresh = useCallback(() => {
    // One that is under way comes to its end first: else nothing would ever be shown while much happens.
    if (running.current) running.current.isStale = true;
    else setRound((last) => last + 1);
  }, []);
  const isPolled = useRef(false);
  const poll = useCallback(() => {
    if (running.current) return;
    isPolled.current = true;
    setRound((last) => last + 1);
  }, []);

  useEffect(() => {
    if (path === undefined) return;
    const abort = new AbortController();
    const mine = { isStale: false };
    const isUnasked = isPolled.current;
    isPolled.current = false;
    running.current = mine;
    const end = () => {
      if (running.current === mine) running.current = undefined;
      if (mine.isStale) refresh();
    };
    setLoading(true);
    ask<T>(path, { query, isUnasked, signal: abort.signal }).then(
      (answer) => {
        setState({ key, answer });
        setLoading(false);
        end();
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
        // What was shown may be kept where the server is away, and not where it may not be seen any more.
        const isGone = error instanceof Refusal && error.status < 500;
        setState((last) => ({ key, ...(!isGone && last.key === key && last), failure: error }));
        setLoading(false);
        end();
      },
    );
    return () => {
      if (running.current === mine) running.current = undefined;
      abort.abort();
    };
  }, [key, round]);

  useAgain(state.failure, poll);
  useFresh(kinds, refresh, concerns);
  const isOfThis = state.key === key;
  return {
    answer: isOfThis ? state.answer : undefined,
    failure: isOfThis ? state.failure : undefined,
    isLoading,
    refresh,
    poll,
  };
}

/** In milliseconds. */
const AGAIN = 4000;

/** What is away, or has failed behind the server's door, is asked for again by itself until it answers. */
export function useAgain(failure: Refusal | Unreachable | undefined, refresh: () => void): void {
  useEffect(() => {
    if (!failure || (failure instanceof Refusal && failure.status < 500)) return;
    const timer = setTimeout(refresh, AGAIN);
    return () => clearTimeout(timer);
  }, [failure, refresh]);
}

/** Calls back when something of these kinds has changed, and when nobody knows what has. */
export function useFresh(kinds: readonly string[], refresh: () => void, concerns?: (change: Change) => boolean): void {
  const latest = useRef({ refresh, concerns });
  latest.current = { refresh, concerns };
  const wanted = kinds.join(' ');
  useEffect(() => {
    if (wanted === '') return;
    const of = new Set(wanted.split(' '));
    return listen((changes) => {
      const { refresh, concerns = () => true } = latest.current;
      if (changes === EVERYTHING || changes.some((change) => of.has(change.kind) && concerns(change))) refresh();
    });
  }, [wanted]);
}
