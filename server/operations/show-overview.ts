import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { type Forecast, forecast } from '../model/forecast.js';
import { mayAsk } from '../model/permissions.js';
import { datacenterReach } from '../model/reach.js';
import { staleness } from '../model/repository.js';
import {
  added,
  DAY,
  type Figures,
  type Flows,
  figuresIn,
  type Levels,
  type Sample,
  type Sight,
  sightOf,
} from '../model/sample.js';
import { type Course, courseOf, gridOf, isOfTheWhole, type Series, type Stretch } from '../model/series.js';
import { seesTask, type Task, tasks } from '../model/task.js';
import { busiest, SHOWN } from '../model/traffic.js';
import { findDatacenter } from './find-datacenter.js';
import type { ListedImage } from './listing.js';
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
/** So many tasks are looked at: what was begun long ago and has failed lately is not looked for. */
const LOOKED_AT = 500;

/** Of the data center that is named; else of all that the caller may know of. */
export async function showOverview(deps: Deps, caller: Caller, dc: string | undefined): Promise<Overview> {
  const sees = checkedSight(deps, caller, dc);
  const { samples: book, listing } = deps;
  const at = deps.now();
  const seen = imagesSeen(deps, caller, dc);
  const levels = { images: seen.length, bytes: seen.reduce((sum, { bytes }) => sum + bytes, 0) };
  const { last } = book;
  const isWhole = isOperator(caller) && dc === undefined;
  const current = { at, levels, ...(isWhole && last && { stored: last.stored }) };
  const isShown = new Set(isWhole ? [] : seen.map(({ uuid }) => uuid));
  const busySince = (span: number): BusyIn => {
    const since = new Date(at.getTime() - span).toISOString();
    const hours = book.hours.filter(({ from }) => from >= since);
    return {
      images: busiest(hours, 'images', sees)
        .filter(({ id }) => isWhole || isShown.has(id))
        .slice(0, SHOWN)
        .map(({ id, ...counts }) => ({ uuid: id, ...named(listing.get(id)), ...counts })),
      nodes: busiest(hours, 'nodes', sees)
        .slice(0, SHOWN)
        .map(({ id, ...counts }) => ({ name: id, ...counts })),
    };
  };
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
    day: flowsSince(book.samples('minutes'), at.getTime() - DAY, sees),
    week: flowsSince(book.samples('hours'), at.getTime() - 7 * DAY, sees),
    busyDay: busySince(DAY),
    busyWeek: busySince(7 * DAY),
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

/** What the lists of data centers show, and for operators all there is. */
function imagesSeen({ listing }: Deps, caller: Caller, dc: string | undefined): readonly ListedImage[] {
  if (isOperator(caller) && dc === undefined) return listing.sorted;
  const where = dc !== undefined ? [dc] : caller.kind === 'user' ? [...caller.rights.admin] : [];
  return listing.within(datacenterReach(where)).filter(({ registration }) => registration.access !== 'internal');
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
  const before = book.lastBefore(at.getTime() - ago[span]);
  if (!before) return undefined;
  const { images, bytes } = figuresIn(before, sees);
  return {
    images: levels.images - images,
    bytes: levels.bytes - bytes,
    ...(stored !== undefined && { stored: stored - before.stored }),
  };
}

function flowsSince(samples: readonly Sample[], time: number, sees: Sight): Flows {
  let sum: Figures = { images: 0, bytes: 0 };
  for (let place = samples.length - 1; place >= 0 && Date.parse(samples[place]!.from) >= time; place -= 1) {
    sum = added(sum, figuresIn(samples[place]!, sees));
  }
  return sum;
}

async function tasksSeen({ catalog, now }: Deps, caller: Caller, dc: string | undefined) {
  const isMeant = (task: Task) => seesTask(caller, task) && (dc === undefined || task.datacenter === dc);
  const found = async (status: Task['status']) => {
    const meant: Task[] = [];
    const newest = { prefix: `${status}/`, reverse: true, limit: LOOKED_AT } as const;
    for await (const { record } of catalog.range(tasks, 'status', newest)) if (isMeant(record)) meant.push(record);
    return meant;
  };
  const since = new Date(now().getTime() - FAILED_IN).toISOString();
  const failed = (await found('FAILURE')).filter(({ finished = '' }) => finished >= since);
  return {
    running: (await found('STARTED')).length,
    waiting: (await found('PENDING')).length,
    failed: failed.sort((a, b) => (a.finished! > b.finished! ? -1 : 1)).slice(0, MOST_FAILED),
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
