import { DAY } from './sample.js';

/** How much of a disk was free at a time. */
export interface Free {
  at: number;
  free: number;
  size: number;
}

/** Of so many days. */
const WINDOW = 28 * DAY;
const WEEK = 7 * DAY;
const HALF_A_DAY = DAY / 2;
/** Less than that says nothing: days from the first to the last, and how many. */
const LEAST_SPAN = 3 * DAY;
const LEAST = 4;
/** What is farther away than ten years is not told. */
const FARTHEST = 3650;

export interface Forecast {
  /** By how many bytes the free part changes in a day. */
  perDay: number;
  /** Whole days until nothing is free; absent where that is not to be foreseen. */
  fullIn?: number;
}

/**
 * Where it goes, by the median of the slopes between days of the last four weeks that lie near each other: a day on which
 * very much came or went does not change it, and neither does that most comes on one day of the week. Nothing where there is
 * too little to say; what was known of a disk of another size does not count.
 */
export function forecast(known: readonly Free[], now: Date): Forecast | undefined {
  const last = known.reduce<Free | undefined>((one, other) => (one && one.at > other.at ? one : other), undefined);
  if (!last) return undefined;
  const recent = known.filter(({ at, size }) => size === last.size && at > now.getTime() - WINDOW);
  const span = last.at - Math.min(...recent.map(({ at }) => at));
  if (recent.length < LEAST || span < LEAST_SPAN) return undefined;
  const near = slopesBetween(recent, Math.min(WEEK, span / 4) + HALF_A_DAY);
  const perDay = Math.round(median(near.length >= LEAST - 1 ? near : slopesBetween(recent, span)));
  const left = perDay < 0 ? Math.max(0, Math.floor(last.free / -perDay)) : Number.POSITIVE_INFINITY;
  return left > FARTHEST ? { perDay } : { perDay, fullIn: left };
}

/** In bytes a day. What lies closer together than half a day says more of the hour than of the days. */
function slopesBetween(known: readonly Free[], apart: number): number[] {
  return known.flatMap((one) =>
    known
      .filter(({ at }) => at - one.at >= HALF_A_DAY && at - one.at <= apart)
      .map((other) => ((other.free - one.free) / (other.at - one.at)) * DAY),
  );
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
