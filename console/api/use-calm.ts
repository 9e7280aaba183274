import { useCallback, useEffect, useRef } from 'preact/hooks';
import { useFresh } from './use-asked.js';

/** As `useFresh`, but at most once in so many milliseconds, however much happens: the last of it is never missed. */
export function useCalm(kinds: readonly string[], pause: number, refresh: () => void): void {
  const latest = useRef(refresh);
  latest.current = refresh;
  const waiting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const last = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => () => clearTimeout(waiting.current), []);
  const calmly = useCallback(() => {
    if (waiting.current !== undefined) return;
    const act = () => {
      waiting.current = undefined;
      last.current = performance.now();
      latest.current();
    };
    waiting.current = setTimeout(act, Math.max(0, last.current + pause - performance.now()));
  }, [pause]);
  useFresh(kinds, calmly);
}
