import { useEffect } from 'preact/hooks';

/** Again and again after so many milliseconds, while the window is to be seen, whoever is there. */
export function useEvery(pause: number, act: () => void): void {
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) act();
    }, pause);
    return () => clearInterval(timer);
  }, [pause, act]);
}
