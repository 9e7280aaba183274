import { type Caller, isOperator } from './caller.js';
import { type Placement, placementOf } from './registration.js';

const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** How close together samples are taken, and for how long they are kept: each is kept in all of them at once. */
export const densities = {
  minutes: { every: 5 * MINUTE, kept: 2 * DAY },
  hours: { every: HOUR, kept: 62 * DAY },
  days: { every: DAY, kept: 1100 * DAY },
} as const;
export type Density = keyof typeof densities;
export const eachDensity = Object.keys(densities) as Density[];

/** What was moved, or has failed, in a stretch of time; nothing is 0. */
export interface Flows {
  downloads?: number;
  served?: number;
  uploads?: number;
  taken?: number;
  imports?: number;
  imported?: number;
  failed?: number;
}

export const flows = ['downloads', 'served', 'uploads', 'taken', 'imports', 'imported', 'failed'] as const;

/** How many images there were in the end, and how many bytes their files have. */
export interface Levels {
  images: number;
  bytes: number;
}

export type Figures = Levels & Flows;

/** Where images stand: figures of one place are for the same people. */
export type Place = string;

/** Of what only operators see, or stands in no data center. */
export const NOWHERE: Place = '';
const EVERYWHERE: Place = '*';

/** So many are told apart; of those with fewer images, only operators have the sum. */
const MOST_PLACES = 100;

/** How the server was at a time, and what it had done since the sample before. */
export interface Sample {
  density: Density;
  /** When its stretch of time begins. */
  from: string;
  /** When it was taken, the last time if it was more than once. */
  at: string;
  /** Bytes that are kept, each content once, and those that need not be because of that. */
  stored: number;
  saved: number;
  /** Where files lie on a disk of the server's own. */
  disk?: { free: number; size: number };
  places: Record<Place, Figures>;
}

export const sampleId = ({ density, from }: Pick<Sample, 'density' | 'from'>) => `${density}/${from}`;

export const samples = {
  name: 'samples',
  id: (sample: Sample) => sampleId(sample),
};

/** How far samples have come. */
export interface Sampling {
  /** The stretch of the last one. */
  from: string;
  /** Of each chain of the audit, the last link that has been counted. */
  counted: Record<string, number>;
}

export const SAMPLING = 'sampling';
export const samplings = { name: 'sampling', id: (_: Sampling) => SAMPLING };

/** What is found at a time, and has happened since the last one. */
export type Taken = Pick<Sample, 'stored' | 'saved' | 'disk'> & {
  levels: ReadonlyMap<Place, Levels>;
  flows: ReadonlyMap<Place, Flows>;
};

export const startOf = (density: Density, at: Date): string => {
  const { every } = densities[density];
  return new Date(Math.floor(at.getTime() / every) * every).toISOString();
};

/** When its stretch is over: what it tells may change until then. */
export const endOf = ({ density, from }: Pick<Sample, 'density' | 'from'>): number =>
  Date.parse(from) + densities[density].every;

/** They are there for a while longer, so that how it stood when the oldest was taken is known to the minute as well. */
const LONGER = 2 * DAY;

export const isOld = ({ density, from }: Pick<Sample, 'density' | 'from'>, now: Date): boolean =>
  Date.parse(from) < now.getTime() - densities[density].kept - LONGER;

/** By the names as the audit has them: none where only operators see it, `*` among them for all data centers. */
export const placeNamed = (datacenters: readonly string[]): Place =>
  datacenters.includes(EVERYWHERE) ? EVERYWHERE : [...datacenters].sort().join(',');

const known = new WeakMap<Placement, Place>();

/** Many images share one placement, for which it is found once. */
export function placeOf(image: { public: boolean; registration?: Placement }): Place {
  const placement = placementOf(image);
  const before = known.get(placement);
  if (before !== undefined) return before;
  const { access, datacenters, global } = placement;
  const place = access === 'internal' ? NOWHERE : placeNamed(global ? [EVERYWHERE] : datacenters);
  known.set(placement, place);
  return place;
}

/** Whether the figures of a place are for somebody. */
export type Sight = (place: Place) => boolean;

/** Administrators have those of their data centers; of one of them where it is named. */
export function sightOf(caller: Caller, datacenter?: string): Sight {
  if (datacenter !== undefined) return withinOne(new Set([datacenter]));
  if (isOperator(caller)) return () => true;
  return withinOne(caller.kind === 'user' ? caller.rights.admin : new Set());
}

function withinOne(names: ReadonlySet<string>): Sight {
  const known = new Map<Place, boolean>();
  const isSeen = (place: Place) => {
    if (place === NOWHERE || names.size === 0) return false;
    return place === EVERYWHERE || place.split(',').some((name) => names.has(name));
  };
  return (place) => {
    const found = known.get(place) ?? isSeen(place);
    known.set(place, found);
    return found;
  };
}

/** A sample is taken again within its stretch: what has happened adds up, how it stands is as it was found last. */
export function folded(before: Sample | undefined, density: Density, at: Date, taken: Taken): Sample {
  const { stored, saved, disk, levels, flows: moved } = taken;
  const places = new Map<Place, Figures>();
  for (const [place, level] of levels) places.set(place, { ...level });
  for (const [place, flow] of [...Object.entries(before?.places ?? {}), ...moved]) {
    places.set(place, withFlows(places.get(place) ?? { images: 0, bytes: 0 }, flow));
  }
  return {
    density,
    from: startOf(density, at),
    at: at.toISOString(),
    stored,
    saved,
    ...(disk && { disk }),
    places: Object.fromEntries(fewer(places)),
  };
}

export function withFlows<T extends Flows>(figures: T, more: Flows): T {
  const sum = { ...figures };
  for (const flow of flows) {
    const total = (figures[flow] ?? 0) + (more[flow] ?? 0);
    if (total > 0) sum[flow] = total;
  }
  return sum;
}

function fewer(places: ReadonlyMap<Place, Figures>): Map<Place, Figures> {
  if (places.size <= MOST_PLACES) return new Map(places);
  const sorted = [...places].filter(([place]) => place !== NOWHERE).sort(([, a], [, b]) => b.images - a.images);
  const rest = places.get(NOWHERE) ?? { images: 0, bytes: 0 };
  const lumped = sorted.slice(MOST_PLACES - 1).reduce((sum, [, figures]) => added(sum, figures), rest);
  return new Map([...sorted.slice(0, MOST_PLACES - 1), [NOWHERE, lumped]]);
}

const added = (one: Figures, other: Figures): Figures => ({
  ...withFlows(one, other),
  images: one.images + other.images,
  bytes: one.bytes + other.bytes,
});

/** A thousandth of the disk is nothing to tell. */
const DISK_CHANGE = 1000;

/** Whether there is something to say that the last sample has not: that there was nothing to say is said once a day. */
export function isNews(last: Sample | undefined, at: Date, { stored, saved, disk, levels, flows }: Taken): boolean {
  if (!last || flows.size > 0 || startOf('days', at) !== startOf('days', new Date(last.at))) return true;
  if (last.stored !== stored || last.saved !== saved) return true;
  if (disk?.size !== last.disk?.size) return true;
  if (disk && last.disk && Math.abs(disk.free - last.disk.free) > disk.size / DISK_CHANGE) return true;
  const before = Object.entries(last.places).filter(([, { images }]) => images > 0);
  const now = fewer(levels);
  return (
    before.length !== now.size ||
    before.some(([place, { images, bytes }]) => {
      const level = now.get(place);
      return level?.images !== images || level.bytes !== bytes;
    })
  );
}

/** The sum over the places that are seen. */
export function flowsIn(samples: Iterable<Pick<Sample, 'places'>>, sees: Sight): Flows {
  const sum: Flows = {};
  for (const { places } of samples) {
    for (const place in places) {
      if (!sees(place)) continue;
      const figures = places[place]!;
      for (const flow of flows) if (figures[flow] !== undefined) sum[flow] = (sum[flow] ?? 0) + figures[flow];
    }
  }
  return sum;
}

/** The same for one figure of one sample. */
export function sumIn({ places }: Pick<Sample, 'places'>, figure: keyof Figures, sees: Sight): number {
  let sum = 0;
  for (const place in places) if (sees(place)) sum += places[place]![figure] ?? 0;
  return sum;
}
