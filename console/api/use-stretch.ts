import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ask, Refusal, Unreachable, type Wish } from './ask.js';
import { EVERYTHING, listen } from './live.js';
import { type Known, nothingKnown, withNewer, withOlder } from './stretch.js';
import { useAgain } from './use-asked.js';
import type { Rows } from './use-rows.js';

/** So many are asked for at a time. */
const CHUNK = 100;

interface Identified {
  id: string;
}

/** A list that nobody has counted, the newest first: the older ones are fetched as they are looked for. */
export function useStretch<T extends Identified>(path: string, query: NonNullable<Wish['query']>): Rows<T> {
  const key = JSON.stringify([path, query]);
  const [state, setState] = useState<{ key: string; known: Known<T>; failure?: Refusal | Unreachable }>({
    key,
    known: nothingKnown(),
  });
  const latest = useRef({ key, known: state.known, isAsking: false, isStale: false });
  if (latest.current.key !== key) latest.current = { key, known: nothingKnown(), isAsking: false, isStale: false };

  const fetchPart = useCallback(
    async (after: string | undefined) => {
      const mine = latest.current;
      if (mine.isAsking) {
        mine.isStale ||= after === undefined;
        return;
      }
      mine.isAsking = true;
      try {
        const { result, next } = await ask<T[]>(path, { query: { ...query, limit: CHUNK, after } });
        if (latest.current !== mine) return;
        mine.known = after === undefined ? withNewer(mine.known, result, next) : withOlder(mine.known, result, next);
        setState({ key, known: mine.known });
      } catch (error) {
        if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
        if (latest.current !== mine) return;
        if (error instanceof Refusal && error.status < 500) mine.known = nothingKnown();
        setState({ key, known: mine.known, failure: error });
      } finally {
        mine.isAsking = false;
        if (mine.isStale && latest.current === mine) {
          mine.isStale = false;
          void fetchPart(undefined);
        }
      }
    },
    [key],
  );

  const refresh = useCallback(() => void fetchPart(undefined), [fetchPart]);
  useEffect(refresh, [refresh]);
  useAgain(state.failure, refresh);
  // Whatever changes is one of them.
  useEffect(
    () =>
      listen((changes) => {
        if (changes === EVERYTHING || changes.some(({ action }) => action !== 'progress')) refresh();
      }),
    [refresh],
  );

  const isOfThis = state.key === key;
  const known = isOfThis ? state.known : nothingKnown<T>();
  const show = useCallback(
    (_: number, last: number) => {
      const { rows, next } = latest.current.known;
      if (next !== undefined && last >= rows.length) void fetchPart(next);
    },
    [fetchPart, known],
  );
  return {
    // One more than are known, where there are more: whoever gets to it has it fetched.
    total: known.isRead ? known.rows.length + (known.next === undefined ? 0 : 1) : undefined,
    isOpen: known.next !== undefined,
    at: (index) => known.rows[index],
    show,
    failure: isOfThis ? state.failure : undefined,
    refresh,
  };
}
