import { z } from 'zod';
import { ImgapiError } from '../../../imgapi/errors.js';
import type { Deps } from '../../deps.js';
import type { AuditEntry, SeenEntry } from '../../model/audit.js';
import { isOperator } from '../../model/caller.js';
import { answer } from '../../model/permissions.js';
import { permitsNeed } from '../../model/scope.js';
import { hasEnded, mayCancel, type Progress, type Task, taskStatuses } from '../../model/task.js';
import { cancelTask, findDone, findTask, listTasks } from '../../operations/find-task.js';
import { searchAudit } from '../../operations/search-audit.js';
import type { Onlooker } from '../../operations/show-image.js';
import { endpoint, noBody, noQuery } from './endpoint.js';
import { Told } from './envelope.js';
import { Page, pageOf, paging } from './page.js';
import { flag, whole } from './values.js';

const status = z.enum(taskStatuses);
const named = z.strictObject({ kind: z.string(), id: z.string(), name: z.string() });

const record = z.strictObject({
  id: z.string(),
  name: z.string().describe('what it does'),
  object: z.string(),
  objects: z.array(named),
  status,
  user: z.string(),
  dc: z.string().nullable(),
  progress: z
    .strictObject({
      done: z.number(),
      total: z.number().nullable().describe('null where it is not known'),
      ceiling: z.boolean().describe('whether the total is only the most that it can be'),
      unit: z.enum(['bytes', 'things']),
      rate: z.number().nullable().describe('so many a second, of late'),
      left: z.number().nullable().describe('seconds, at that rate'),
    })
    .nullable(),
  steps: z
    .array(z.strictObject({ name: z.string(), started: z.iso.datetime(), finished: z.iso.datetime() }))
    .describe('what it has been through, where it is told in parts'),
  may: z.array(z.enum(['cancel'])).describe('what the caller can do with it now'),
  runner: z.string().nullable().describe('the daemon that works on it; told to SuperAdmins'),
  result: z.unknown(),
  created: z.iso.datetime(),
  started: z.iso.datetime().nullable(),
  ended: z.iso.datetime().nullable(),
});

function shownProgress(progress: Progress | undefined) {
  if (!progress) return null;
  const { done, total = null, ceiling = false, unit = 'things', rate = null, left = null } = progress;
  return { done, total, ceiling, unit, rate, left };
}

function present({ caller, own }: Onlooker, task: Task, { tasks, catalog }: Pick<Deps, 'tasks' | 'catalog'>) {
  const { id, what, objects, status, who, datacenter, result, steps = [], created } = task;
  const { started = null, finished = null } = task;
  const canCancel = !hasEnded(task) && mayCancel(caller, task) && permitsNeed(own.scope, 'write');
  return {
    id,
    name: what,
    object: objects.map(({ name }) => name).join(', '),
    objects,
    status,
    user: who.name,
    dc: datacenter ?? null,
    progress: shownProgress(tasks.progressOf(task)),
    steps,
    may: canCancel ? (['cancel'] as const) : [],
    runner: (isOperator(caller) && catalog.members.all().find(({ id }) => id === task.runner)?.name) || null,
    result,
    created,
    started,
    ended: finished,
  };
}

export const list = endpoint({
  name: 'ListTasks',
  summary: 'the tasks of the caller, those of the data centers that the caller administers, or, for SuperAdmins, all',
  query: z.strictObject({
    full: flag.describe('objects instead of ids'),
    status: status.optional(),
    dc: z.string().optional(),
    ...paging,
  }),
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(record)]),
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, own, query }, deps) => {
    const { full, status, dc, ...paging } = query;
    if (dc !== undefined && answer(caller, 'list in a data center', { datacenter: dc }) === 'hidden') {
      throw new ImgapiError('ResourceNotFound', `there is no data center "${dc}"`);
    }
    const all = (await listTasks(deps, caller)).filter(
      (task) => (status === undefined || task.status === status) && (dc === undefined || task.datacenter === dc),
    );
    const page = pageOf(
      all.map((task) => present({ caller, own }, task, deps)),
      { ...paging, order_by: paging.order_by ?? '-created' },
      {
        created: ({ created }) => created,
        ended: ({ ended }) => ended ?? '',
        dc: ({ dc }) => dc ?? '',
        name: ({ name }) => name,
        status: ({ status }) => status,
        user: ({ user }) => user,
        object: ({ object }) => object,
        id: ({ id }) => id,
      },
    );
    if (full) return page;
    return new Page(
      page.result.map(({ id }) => id),
      page.total,
      page.offset,
    );
  },
});

export const show = endpoint({
  name: 'GetTask',
  summary: 'a task, with its progress and what it has come to so far',
  query: noQuery,
  body: noBody,
  status: 200,
  answer: record,
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, own, params }, deps) =>
    present({ caller, own }, await findTask(deps, caller, params.id ?? ''), deps),
});

export const poll = endpoint({
  name: 'GetTaskStatus',
  summary:
    'how a task stands, in the status of the answer as well: 201 while it runs, 200, 400 or 410 when it has ended',
  query: noQuery,
  body: noBody,
  status: 200,
  answer: z.unknown(),
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, params }, deps) => new Told(toldOf(await findDone(deps, caller, params.id ?? ''))),
});

const toldOf = (found: Task | AuditEntry) =>
  'status' in found ? found : { id: found.id, status: 'SUCCESS' as const, result: null };

export const cancel = endpoint({
  name: 'CancelTask',
  summary: 'stops a task; what it has done so far stays done',
  query: noQuery,
  body: noBody,
  status: 200,
  answer: z.unknown(),
  refusals: ['ResourceNotFound', 'AlreadyDone'],
  perform: async ({ caller, params }, deps) => new Told(await cancelTask(deps, caller, params.id ?? '')),
});

const line = z.strictObject({
  time: z.iso.datetime(),
  task: z.string(),
  status,
  username: z.string(),
  msg: z.string(),
  detail: z.string(),
  object_name: z.string(),
  object_alias: z.string(),
  object_type: z.string(),
});

/** A page of the log has so many lines. */
const LINES = 100;

export const log = endpoint({
  name: 'GetTaskLog',
  summary: 'what was done, as command lines of Danube Cloud show it; the newest first',
  operation: 'list in a data center',
  query: z.strictObject({
    dc: z.string().optional(),
    object_name: z.string().optional(),
    object_type: z.string().optional(),
    limit: whole(1, 10_000).default(LINES),
    offset: whole(0, 1_000_000).default(0),
    page: whole(1, 10_000).optional().describe(`each has ${LINES} lines`),
  }),
  body: noBody,
  status: 200,
  answer: z.array(line),
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, query: { dc, object_name, object_type, limit, offset, page } }, deps) => {
    const from = page === undefined ? offset : (page - 1) * LINES;
    const until = page === undefined ? from + limit : page * LINES;
    const lines: z.output<typeof line>[] = [];
    let met = 0;
    for await (const entry of searchAudit(deps, caller, { dc, object: object_name })) {
      if (object_type !== undefined && !entry.objects.some(({ kind }) => isOfType(kind, object_type))) continue;
      met += 1;
      if (met > until) break;
      if (met > from) lines.push(lineOf(entry));
    }
    return lines;
  },
});

const isOfType = (kind: string, type: string) =>
  kind === type || kind === `${type}s` || (kind === 'datacenters' && type === 'dc');

function lineOf({ id, time, who, what, objects, result, bytes, count }: SeenEntry): z.output<typeof line> {
  const [first] = objects;
  const fields = [...new Set(objects.flatMap(({ fields = [] }) => fields))];
  const details = {
    result,
    ...(fields.length > 0 && { fields: fields.join(',') }),
    ...(count !== undefined && { count }),
    ...(bytes !== undefined && { bytes }),
  };
  return {
    time,
    task: id,
    status: ['done', 'whole', 'range', 'redirect'].includes(result) ? 'SUCCESS' : 'FAILURE',
    username: who.name,
    msg: what,
    detail: Object.entries(details)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
    object_name: objects.map(({ name }) => name).join(', '),
    object_alias: first?.name ?? '',
    object_type: first?.kind.replace(/s$/, '') ?? '',
  };
}
