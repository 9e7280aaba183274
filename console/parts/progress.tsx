import { bytes } from './words.js';

export interface Progress {
  done: number;
  total: number | null;
  unit: 'bytes' | 'things';
  rate: number | null;
  /** Seconds. */
  left: number | null;
}

/** How far something is, how fast, and how long it still takes. */
export function ProgressBar({ progress, what }: { progress: Progress; what: string }) {
  const { done, total, unit, rate, left } = progress;
  const count = unit === 'bytes' ? bytes : String;
  const words = [
    total === null ? count(done) : `${count(done)} of ${count(total)}`,
    rate && `${count(rate)}/s`,
    left && `${durationOf(left)} left`,
  ].filter(Boolean);
  return (
    <div class="progress">
      <progress aria-label={what} {...(total && { value: done, max: total })} />
      <small>{words.join(', ')}</small>
    </div>
  );
}

function durationOf(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}
