import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { type Forecast, forecast } from '../model/forecast.js';
import { mayAsk } from '../model/permissions.js';
import { staleness } from '../model/repository.js';
import {
  DAY,
  type Flows,
  flowsIn,
  HOUR,
  type Levels,
  placeOf,
  type Sample,
  type Sight,
  sightOf,
  startOf,
  sumIn,
} from '../model/sample.js';
import { type Course, courseOf, gridOf, isOfTheWhole, type Series, type Stretch } from '../model/series.js';
import { seesTask, type Task, tasks } from '../model/task.js';
import { busiest, type Counts, SHOWN } from '../model/traffic.js';
import { findDatacenter } from './find-datacenter.js';
import type { ListedImage, Listing } from './listing.js';
import { setupsOf } from './repositories.js';
import type { SampleBook } from './sample-book.js';

export interface Grown {
  images: number;
  bytes: number;
  /** Only of the server as a whole. */
  stored?: number;
}

export interface BusyImage {
  uuid: string;
  /** Absent where it is not here any more. */
  name?: string;
  version?: string;
  downloads: number;
  bytes: number;
}

export interface BusyNode {
  name: string;
  downloads: number;
  bytes: number;
}

export interface BusyIn {
  images: BusyImage[];
  nodes: BusyNode[];
}

export interface StaleRepository {
  name: string;
  why: 'failed' | 'never' | 'old';
  updated?: string;
  error?: string;
}

/** How the server stands, as somebody may know it. */
export interface Overview {
  at: Date;
  /** Absent where it would tell that something has happened which is not seen. */
  sampled: string | undefined;
  levels: Levels;
  /** Absent where it would tell of images that are not seen. */
  whole: { stored: number; saved: number; disk?: { free: number; size: number } & Partial<Forecast> } | undefined;
  grown: Record<keyof typeof ago, Grown | undefined>;
  now: { downloads: number; uploads: number };
  day: Flows;
  week: Flows;
  busyDay: BusyIn;
  busyWeek: BusyIn;
  running: number;
  waiting: number;
  failed: Task[];
  repositories: { all: number; stale: StaleRepository[] } | undefined;
}

/** Since when growth is told. */
const ago = { day: DAY, week: 7 * DAY, month: 30 * DAY, year: 365 * DAY } as const;

/** Of what has failed in so many days, the first are told. */
const FAILED_IN = 7 * DAY;
const MOST_FAILED = 20;
/** Of each status, so many tasks are looked at, those first that were begun last. */
const LOOKED_AT = 200;

/** Of the data center that is named; else of all that the caller may know of. */
export async function showOverview(deps: Deps, caller: Caller, dc: string | undefined): Promise<Overview> {
  const sees = checkedSight(deps, caller, dc);
  const { samples: book, listing } = deps;
  const at = deps.now();
  const levels = levelsIn(listing, sees);
  const { last } = book;
  const isWhole = isOperator(caller) && dc === undefined;
  const current = { at, levels, ...(isWhole && last && { stored: last.stored }) };
  return {
    at,
    sampled: isOperator(caller) ? last?.at : undefined,
    levels,
    whole: isWhole ? wholeOf(book, at) : undefined,
    grown: {
      day: grownSince(book, 'day', current, sees),
      week: grownSince(book, 'week', current, sees),
      month: grownSince(book, 'month', current, sees),
      year: grownSince(book, 'year', current, sees),
    },
    now: deps.transfers.count(sees),
    day: flowsSince(book.samples('minutes'), before(at, DAY), sees),
    week: flowsSince(book.samples('hours'), before(at, 7 * DAY), sees),
    busyDay: busySince(deps, before(at, DAY), { sees, isWhole }),
    busyWeek: busySince(deps, before(at, 7 * DAY), { sees, isWhole }),
    ...(await tasksSeen(deps, caller, dc)),
    repositories: repositoriesSeen(deps, caller, at),
  };
}

/** How something went, as far as the caller may know of it. */
export function showHistory(
  deps: Deps,
  caller: Caller,
  { what, dc, ...stretch }: Stretch & { what: Series; dc: string | undefined },
): Course {
  const sees = checkedSight(deps, caller, dc);
  if (isOfTheWhole(what) && !(isOperator(caller) && dc === undefined)) {
    throw new ImgapiError('NotPermitted', `${what} is of the whole server: SuperAdmins see it, where no dc is named`);
  }
  const now = deps.now();
  const grid = gridOf(stretch, now);
  const { samples: book } = deps;
  const known = { samples: book.samples(grid.density), before: book.lastBefore(grid.start), since: book.since };
  return courseOf(what, known, grid, { sees, now });
}

function checkedSight(deps: Deps, caller: Caller, dc: string | undefined): Sight {
  if (dc !== undefined) findDatacenter(deps, caller, 'see the overview', dc);
  return sightOf(caller, dc);
}

const before = (at: Date, time: number) => new Date(at.getTime() - time).toISOString();

function levelsIn(listing: Listing, sees: Sight): Levels {
  const levels = { images: 0, bytes: 0 };
  for (const image of listing.sorted) {
    if (!sees(placeOf(image))) continue;
    levels.images += 1;
    levels.bytes += image.bytes;
  }
  return levels;
}

/** Operators are told of what is not here any more as well; others of what they see now. */
function busySince(
  { samples: book, listing }: Deps,
  since: string,
  { sees, isWhole }: { sees: Sight; isWhole: boolean },
): BusyIn {
  const from = startOf('hours', new Date(Date.parse(since) + HOUR - 1));
  const image = ({ id, ...counts }: Counts): BusyImage[] => {
    const known = listing.get(id);
    if (!isWhole && !(known && sees(placeOf(known)))) return [];
    return [{ uuid: id, ...named(known), ...counts }];
  };
  const images = busiest(book.busySince(from, 'images'), sees).flatMap(image);
  const nodes = busiest(book.busySince(from, 'nodes'), sees).slice(0, SHOWN);
  return { images: images.slice(0, SHOWN), nodes: nodes.map(({ id, ...counts }) => ({ name: id, ...counts })) };
}

const named = (image: ListedImage | undefined) =>
  image && { name: image.managedAs ?? image.name, version: image.version };

function wholeOf(book: SampleBook, at: Date): Overview['whole'] {
  const { last } = book;
  if (!last) return undefined;
  const { stored, saved, disk } = last;
  if (!disk) return { stored, saved };
  const known = [...book.samples('days'), last].flatMap(({ at, disk }) =>
    disk ? [{ at: Date.parse(at), ...disk }] : [],
  );
  return { stored, saved, disk: { ...disk, ...forecast(known, at) } };
}

interface Current {
  at: Date;
  levels: Levels;
  stored?: number;
}

/** Against the last sample from before; nothing where there is none. */
function grownSince(book: SampleBook, span: keyof typeof ago, { at, levels, stored }: Current, sees: Sight) {
  const then = book.lastBefore(at.getTime() - ago[span]);
  if (!then) return undefined;
  return {
    images: levels.images - sumIn(then, 'images', sees),
    bytes: levels.bytes - sumIn(then, 'bytes', sees),
    ...(stored !== undefined && { stored: stored - then.stored }),
  };
}

function flowsSince(samples: readonly Sample[], since: string, sees: Sight): Flows {
  const first = samples.findLastIndex(({ from }) => from < since) + 1;
  return flowsIn(samples.slice(first), sees);
}

async function tasksSeen({ catalog, now }: Deps, caller: Caller, dc: string | undefined) {
  const isMeant = (task: Task) => seesTask(caller, task) && (dc === undefined || task.datacenter === dc);
  const found = async (status: Task['status'], { most, since = '' }: { most: number; since?: string }) => {
    const meant: Task[] = [];
    const newest = { prefix: `${status}/`, reverse: true, limit: LOOKED_AT } as const;
    for await (const { record } of catalog.range(tasks, 'status', newest)) {
      if (isMeant(record) && (record.finished ?? since) >= since) meant.push(record);
      if (meant.length === most) break;
    }
    return meant;
  };
  const since = new Date(now().getTime() - FAILED_IN).toISOString();
  const failed = await found('FAILURE', { most: MOST_FAILED, since });
  return {
    running: (await found('STARTED', { most: LOOKED_AT })).length,
    waiting: (await found('PENDING', { most: LOOKED_AT })).length,
    failed: failed.sort((a, b) => (a.finished! > b.finished! ? -1 : 1)),
  };
}

/** Of those that are asked at all. */
function repositoriesSeen(deps: Deps, caller: Caller, now: Date): Overview['repositories'] {
  if (!mayAsk(caller, 'browse repositories')) return undefined;
  const enabled = setupsOf(deps).filter((setup) => setup.enabled);
  const stale = enabled.flatMap((setup): StaleRepository[] => {
    const why = staleness(setup, now);
    if (!why) return [];
    const { lastUpdate: updated, error } = setup.state ?? {};
    return [
      { name: setup.name, why, ...(updated !== undefined && { updated }), ...(error !== undefined && { error }) },
    ];
  });
  return { all: enabled.length, stale };
}
