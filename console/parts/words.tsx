import { useEffect, useState } from 'preact/hooks';
import { serverNow } from '../api/clock.js';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** As the command line says it: `1.5 GiB`. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toPrecision(3).replace(/\.?0+$/, '')} ${UNITS[unit]}`;
}

const spans: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

export function since(time: string, now: number): string {
  const seconds = (Date.parse(time) - now) / 1000;
  const [unit, length] = spans.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return relative.format(Math.round(seconds / length), unit);
}

const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });

/** How long ago, by the clock of the server; when exactly, where one points at it. */
export function Time({ at }: { at: string | null }) {
  useTicks();
  if (at === null) return <>never</>;
  return (
    <time dateTime={at} title={exact.format(new Date(at))}>
      {since(at, serverNow())}
    </time>
  );
}

const ticks = new Set<(now: number) => void>();
setInterval(() => {
  for (const tick of ticks) tick(Date.now());
}, 10_000);

/** Has it shown anew as time goes on. */
function useTicks(): void {
  const [, setNow] = useState(0);
  useEffect(() => {
    ticks.add(setNow);
    return () => void ticks.delete(setNow);
  }, []);
}
