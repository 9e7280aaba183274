import { z } from 'zod';
import { invalidInput } from '../../../imgapi/errors.js';
import { DAY, type Flows } from '../../model/sample.js';
import { eachSeries } from '../../model/series.js';
import type { Task } from '../../model/task.js';
import {
  type BusyIn,
  type Grown,
  type Overview,
  type StaleRepository,
  showHistory,
  showOverview,
} from '../../operations/show-overview.js';
import { endpoint, noBody } from './endpoint.js';
import { whole } from './values.js';

const dc = z.string().max(64).optional().describe('only what is of this data center');

const grown = z
  .strictObject({
    images: z.number(),
    bytes: z.number(),
    stored_bytes: z.number().nullable().describe('each content once; of the whole server, for SuperAdmins'),
  })
  .nullable()
  .describe('null where nothing is known from so long ago');

const moved = z.strictObject({
  downloads: z.number().describe('parts of one file for the same caller count once'),
  served_bytes: z.number(),
  uploads: z.number(),
  taken_bytes: z.number(),
  imports: z.number(),
  imported_bytes: z.number(),
  failed_tasks: z.number(),
});

const pulled = { downloads: z.number(), bytes: z.number() };

const busy = z.strictObject({
  images: z.array(
    z.strictObject({
      uuid: z.string(),
      name: z.string().nullable().describe('null where it is not here any more'),
      version: z.string().nullable(),
      ...pulled,
    }),
  ),
  nodes: z.array(z.strictObject({ name: z.string(), ...pulled })),
});

const failed = z.strictObject({
  id: z.string(),
  name: z.string().describe('what it was to do'),
  object: z.string(),
  dc: z.string().nullable(),
  user: z.string(),
  ended: z.iso.datetime().nullable(),
  result: z.unknown().describe('why it failed'),
});

const overview = z.strictObject({
  at: z.iso.datetime(),
  sampled: z.iso
    .datetime()
    .nullable()
    .describe('when transfers, the disk and what is stored were looked at and had changed; for SuperAdmins'),
  dc: z.string().nullable(),
  images: z.number(),
  logical_bytes: z.number().describe('of the files of all these images'),
  stored: z
    .strictObject({ bytes: z.number(), saved_bytes: z.number().describe('as several images hold the same content') })
    .nullable()
    .describe('of the whole server, each content once; for SuperAdmins'),
  disk: z
    .strictObject({
      free_bytes: z.number(),
      size_bytes: z.number(),
      change_per_day: z.number().nullable().describe('of what is free, in bytes; null where too little is known'),
      full_in_days: z.number().nullable().describe('null where that is not to be foreseen'),
    })
    .nullable()
    .describe('null where files lie in a bucket; for SuperAdmins'),
  growth: z.strictObject({ day: grown, week: grown, month: grown, year: grown }),
  transfers: z.strictObject({
    now: z.strictObject({ downloads: z.number(), uploads: z.number() }),
    day: moved,
    week: moved,
  }),
  busiest: z.strictObject({ day: busy, week: busy }),
  tasks: z.strictObject({
    running: z.number(),
    waiting: z.number(),
    failed: z.array(failed).describe('in the last week, the latest first'),
  }),
  repositories: z
    .strictObject({
      enabled: z.number(),
      stale: z.array(
        z.strictObject({
          name: z.string(),
          why: z.enum(['failed', 'never', 'old']),
          last_update: z.iso.datetime().nullable(),
          error: z.string().nullable(),
        }),
      ),
    })
    .nullable()
    .describe('for those who may browse them'),
});

function presentMoved(flows: Flows): z.output<typeof moved> {
  const { downloads = 0, served = 0, uploads = 0, taken = 0, imports = 0, imported = 0, failed = 0 } = flows;
  return {
    downloads,
    served_bytes: served,
    uploads,
    taken_bytes: taken,
    imports,
    imported_bytes: imported,
    failed_tasks: failed,
  };
}

const presentGrown = (known: Grown | undefined): z.output<typeof grown> =>
  known ? { images: known.images, bytes: known.bytes, stored_bytes: known.stored ?? null } : null;

const presentBusy = ({ images, nodes }: BusyIn): z.output<typeof busy> => ({
  images: images.map((image) => ({ ...image, name: image.name ?? null, version: image.version ?? null })),
  nodes,
});

const presentFailed = ({ id, what, objects, datacenter, who, finished, result }: Task): z.output<typeof failed> => ({
  id,
  name: what,
  object: objects.map(({ name }) => name).join(', '),
  dc: datacenter ?? null,
  user: who.name,
  ended: finished ?? null,
  result,
});

const presentStale = ({ name, why, updated, error }: StaleRepository) => ({
  name,
  why,
  last_update: updated ?? null,
  error: error ?? null,
});

function present(dc: string | undefined, found: Overview): z.output<typeof overview> {
  const { at, sampled = null, levels, whole: all, grown, repositories } = found;
  return {
    at: at.toISOString(),
    sampled,
    dc: dc ?? null,
    images: levels.images,
    logical_bytes: levels.bytes,
    stored: all ? { bytes: all.stored, saved_bytes: all.saved } : null,
    disk: all?.disk
      ? {
          free_bytes: all.disk.free,
          size_bytes: all.disk.size,
          change_per_day: all.disk.perDay ?? null,
          full_in_days: all.disk.fullIn ?? null,
        }
      : null,
    growth: {
      day: presentGrown(grown.day),
      week: presentGrown(grown.week),
      month: presentGrown(grown.month),
      year: presentGrown(grown.year),
    },
    transfers: { now: found.now, day: presentMoved(found.day), week: presentMoved(found.week) },
    busiest: { day: presentBusy(found.busyDay), week: presentBusy(found.busyWeek) },
    tasks: { running: found.running, waiting: found.waiting, failed: found.failed.map(presentFailed) },
    repositories: repositories ? { enabled: repositories.all, stale: repositories.stale.map(presentStale) } : null,
  };
}

const operation = 'see the overview';

export const show = endpoint({
  name: 'GetOverview',
  summary:
    'what is stored and moved, what is busy and what is wrong: all of it for SuperAdmins, for others what concerns the data centers that they administer',
  operation,
  query: z.strictObject({ dc }),
  body: noBody,
  status: 200,
  answer: overview,
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, query }, deps) => present(query.dc, await showOverview(deps, caller, query.dc)),
});

const moment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], 'is no date such as 2030-01-31 or 2030-01-31T12:00:00Z')
  .transform((text) => new Date(text));

export const history = endpoint({
  name: 'GetOverviewHistory',
  summary: 'how a figure of the overview has changed; where it adds up, each point has what came in its step',
  operation,
  query: z.strictObject({
    what: z.enum(eachSeries),
    from: moment.optional().describe('a day ago where it is absent'),
    to: moment.optional().describe('now where it is absent'),
    points: whole(1, 1000).default(300).describe('at most so many: samples that lie closer are put together'),
    dc,
  }),
  body: noBody,
  status: 200,
  answer: z.strictObject({
    what: z.enum(eachSeries),
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    step: z.number().describe('seconds from one point to the next'),
    points: z.array(
      z.strictObject({
        at: z.iso.datetime().describe('when its step begins'),
        value: z.number().nullable().describe('null where nothing is known'),
      }),
    ),
  }),
  refusals: ['InvalidInput', 'ResourceNotFound'],
  perform: async ({ caller, query: { what, points, dc, ...asked } }, deps) => {
    const to = asked.to ?? deps.now();
    const from = asked.from ?? new Date(to.getTime() - DAY);
    if (from >= to) {
      const message = `from is not before to: ${from.toISOString()}`;
      throw invalidInput([{ field: 'from', code: 'Invalid', message }]);
    }
    const course = showHistory(deps, caller, { what, from, to, points, dc });
    return { what, from: from.toISOString(), to: to.toISOString(), ...course };
  },
});
