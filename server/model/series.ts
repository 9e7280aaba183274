import { type Density, densities, eachDensity, type Figures, flows, type Sample, type Sight, sumIn } from './sample.js';

interface Row {
  value(sample: Sample, sees: Sight): number | undefined;
  /** It happened in a stretch of time and adds up, instead of standing until it changes. */
  flows?: boolean;
  /** It tells of the server as a whole. */
  whole?: true;
}

const summed = (figure: keyof Figures): Row => ({
  value: (sample, sees) => sumIn(sample, figure, sees),
  flows: flows.some((flow) => flow === figure),
});
const whole = (value: (sample: Sample) => number | undefined): Row => ({ value, whole: true });

/** What there is a history of. */
export const series = {
  images: summed('images'),
  logical_bytes: summed('bytes'),
  stored_bytes: whole(({ stored }) => stored),
  saved_bytes: whole(({ saved }) => saved),
  free_bytes: whole(({ disk }) => disk?.free),
  downloads: summed('downloads'),
  served_bytes: summed('served'),
  uploads: summed('uploads'),
  taken_bytes: summed('taken'),
  imports: summed('imports'),
  imported_bytes: summed('imported'),
  failed_tasks: summed('failed'),
} as const satisfies Record<string, Row>;

export type Series = keyof typeof series;
export const eachSeries = Object.keys(series) as [Series, ...Series[]];

export const isOfTheWhole = (what: Series): boolean => series[what].whole === true;

export interface Stretch {
  from: Date;
  to: Date;
  /** At most so many. */
  points: number;
}

export interface Point {
  at: string;
  /** Null where nothing is known. */
  value: number | null;
}

export interface Course {
  /** Seconds from one point to the next. */
  step: number;
  points: Point[];
}

interface Grid {
  density: Density;
  start: number;
  step: number;
  count: number;
}

/** The closest samples that reach back so far, so many of them together that there are no more points than are wanted. */
export function gridOf({ from, to, points }: Stretch, now: Date): Grid {
  const reaches = (density: Density) => from.getTime() >= now.getTime() - densities[density].kept;
  const density = eachDensity.find(reaches) ?? 'days';
  const { every } = densities[density];
  const start = Math.floor(from.getTime() / every) * every;
  const span = to.getTime() - start;
  const step = Math.ceil(span / points / every) * every;
  return { density, start, step, count: Math.ceil(span / step) };
}

export interface Known {
  /** Of the density of the grid, in the order of time. */
  samples: readonly Sample[];
  /** How it stood when the grid begins. */
  before: Sample | undefined;
  /** Since when samples are taken at all, in milliseconds. */
  since: number;
}

/** A point for each step: what has happened in it, or how it stood at its end. */
export function courseOf(
  what: Series,
  { samples, before, since }: Known,
  { start, step, count }: Grid,
  { sees, now }: { sees: Sight; now: Date },
): Course {
  const { value, flows } = series[what];
  const values: (number | undefined)[] = new Array(count).fill(undefined);
  for (const sample of samples) {
    const slot = Math.floor((Date.parse(sample.from) - start) / step);
    if (slot >= count) break;
    if (slot < 0) continue;
    const told = value(sample, sees);
    values[slot] = flows ? (values[slot] ?? 0) + (told ?? 0) : told;
  }
  const points: Point[] = [];
  let standing = before && value(before, sees);
  for (let slot = 0; slot < count; slot += 1) {
    const at = start + slot * step;
    const isKnown = at <= now.getTime() && at + step > since;
    standing = values[slot] ?? standing;
    const told = flows ? (values[slot] ?? 0) : standing;
    points.push({ at: new Date(at).toISOString(), value: isKnown ? (told ?? null) : null });
  }
  return { step: step / 1000, points };
}
