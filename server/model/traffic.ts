import { type AuditEntry, CHANGES, type Touched } from './audit.js';
import { type Flows, type Place, placeNamed, type Sight, withFlows } from './sample.js';

/** What was pulled: an image, or by whom: a node. */
export interface Busy {
  id: string;
  place: Place;
  downloads: number;
  bytes: number;
}

/** The images that were pulled most in an hour, and the nodes that have pulled most. */
export interface BusyHour {
  /** When it begins. */
  from: string;
  images: Busy[];
  nodes: Busy[];
}

export const busyHours = { name: 'busy-hours', id: ({ from }: BusyHour) => from };

/** Of each place, so many are kept, and so many are shown. */
const KEPT = 40;
export const SHOWN = 20;
/** Of so many places. */
const MOST_PLACES = 100;

/** What entries of the audit come to. */
export interface Traffic {
  places: Map<Place, Flows>;
  images: Map<string, Busy>;
  nodes: Map<string, Busy>;
  /** Tasks that have ended, well or not. */
  ended: Map<string, Place>;
  /** Whose parts were counted already. */
  parts: Set<string>;
}

export const noTraffic = (): Traffic => ({
  places: new Map(),
  images: new Map(),
  nodes: new Map(),
  ended: new Map(),
  parts: new Set(),
});

/** In whatever order they come, but each once. */
export function countEntry(traffic: Traffic, entry: AuditEntry): void {
  if (entry.chain === CHANGES) for (const object of entry.objects) countChange(traffic, entry, object);
  else countPull(traffic, entry);
}

/** How many downloads an entry stands for, by how it went; none where nothing was sent. */
const downloadsIn: Readonly<Record<string, (entry: AuditEntry, isNew: boolean) => number>> = {
  whole: ({ count = 1 }) => count,
  redirect: ({ count = 1 }) => count,
  // parts of the same file, for the same caller, are one download
  range: (_, isNew) => (isNew ? 1 : 0),
  cut: () => 0,
};

function countPull(traffic: Traffic, entry: AuditEntry): void {
  const { result, who, from, bytes = 0 } = entry;
  const downloadsOf = Object.hasOwn(downloadsIn, result) ? downloadsIn[result] : undefined;
  const [image] = entry.objects;
  if (!downloadsOf || image?.kind !== 'images') return;
  const part = JSON.stringify([who.name, from, image.id]);
  const downloads = downloadsOf(entry, !traffic.parts.has(part));
  if (result === 'range') traffic.parts.add(part);
  const place = placeNamed(image.datacenters);
  addFlows(traffic, place, { downloads, served: bytes });
  add(traffic.images, { id: image.id, place, downloads, bytes });
  if (who.kind === 'node') add(traffic.nodes, { id: who.name.replace(/^node /, ''), place, downloads, bytes });
}

/** What gives an image files that are here already. */
const movesNothing: ReadonlySet<string> = new Set(['CloneImage', 'start']);

function countChange(traffic: Traffic, { what }: AuditEntry, { kind, id, bytes = 0, fields, datacenters }: Touched) {
  const place = placeNamed(datacenters);
  if (kind === 'tasks' && fields?.includes('finished')) traffic.ended.set(id, place);
  if (kind !== 'images' || bytes === 0 || movesNothing.has(what)) return;
  const isTask = what.startsWith('task ');
  addFlows(traffic, place, isTask ? { imports: 1, imported: bytes } : { uploads: 1, taken: bytes });
}

export function addFlows({ places }: Traffic, place: Place, more: Flows): void {
  places.set(place, withFlows(places.get(place) ?? {}, more));
}

function add(all: Map<string, Busy>, { id, place, downloads, bytes }: Busy): void {
  const key = `${place} ${id}`;
  const known = all.get(key) ?? { id, place, downloads: 0, bytes: 0 };
  all.set(key, { ...known, downloads: known.downloads + downloads, bytes: known.bytes + bytes });
}

/** An hour with what has come since. */
export const busier = (hour: BusyHour, { images, nodes }: Pick<Traffic, 'images' | 'nodes'>): BusyHour => ({
  from: hour.from,
  images: most([...hour.images, ...images.values()]),
  nodes: most([...hour.nodes, ...nodes.values()]),
});

/** The first of each place. */
function most(all: readonly Busy[]): Busy[] {
  const summed = new Map<string, Busy>();
  for (const one of all) add(summed, one);
  const byPlace = new Map<Place, Busy[]>();
  for (const one of [...summed.values()].sort(byDownloads)) {
    const there = byPlace.get(one.place) ?? [];
    if (there.length < KEPT) byPlace.set(one.place, [...there, one]);
  }
  return [...byPlace.values()].slice(0, MOST_PLACES).flat();
}

export type Counts = Pick<Busy, 'id' | 'downloads' | 'bytes'>;

const byDownloads = (a: Counts, b: Counts) => b.downloads - a.downloads || b.bytes - a.bytes || (a.id < b.id ? -1 : 1);

/** Of each place, the first over several hours. */
export type BusyPlaces = ReadonlyMap<Place, readonly Counts[]>;

/** So many of each place count when places are put together. */
const TOGETHER = 3 * SHOWN;

export function busyPlaces(hours: readonly BusyHour[], what: 'images' | 'nodes'): BusyPlaces {
  const places = new Map<Place, Map<string, Counts>>();
  for (const hour of hours) {
    for (const { id, place, downloads, bytes } of hour[what]) {
      const there = places.get(place) ?? new Map<string, Counts>();
      places.set(place, there);
      const known = there.get(id);
      if (known) {
        known.downloads += downloads;
        known.bytes += bytes;
      } else there.set(id, { id, downloads, bytes });
    }
  }
  return new Map(
    Array.from(places, ([place, there]) => [place, [...there.values()].sort(byDownloads).slice(0, TOGETHER)]),
  );
}

/** Over all places that are seen; the busiest first. */
export function busiest(places: BusyPlaces, sees: Sight): Counts[] {
  const summed = new Map<string, Counts>();
  for (const [place, there] of places) {
    if (!sees(place)) continue;
    for (const { id, downloads, bytes } of there) {
      const known = summed.get(id);
      if (known) {
        known.downloads += downloads;
        known.bytes += bytes;
      } else summed.set(id, { id, downloads, bytes });
    }
  }
  return [...summed.values()].sort(byDownloads);
}
