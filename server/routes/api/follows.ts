import { z } from 'zod';
import { invalidInput } from '../../../imgapi/errors.js';
import { FOLLOW_NAME, type Follow } from '../../model/follow.js';
import { accessFrom } from '../../model/managed-fields.js';
import { accessLevels } from '../../model/registration.js';
import type { Finding } from '../../operations/conditional-catalog.js';
import { planFollow } from '../../operations/plan-follow.js';
import { startFollow } from '../../operations/run-follow.js';
import { createFollow, deleteFollow, followNamed, listFollows, updateFollow } from '../../operations/save-follow.js';
import { type Asked, endpoint, noBody, noQuery, showing } from './endpoint.js';
import { Page, pageOf, paging } from './page.js';
import { inList, listed } from './tags.js';
import { emptyBody, flag, whole } from './values.js';

const YEAR = 365 * 24 * 60;
const word = z.string().min(1).max(64);

const levels = 'is not 1 (public) or 3 (private)';

const access = z
  .union([z.number(), z.string().regex(/^\d$/).transform(Number)], levels)
  .transform((level, at): Follow['access'] => {
    const known = accessFrom(level);
    if (known === 'public' || known === 'private') return known;
    at.addIssue({ code: 'custom', message: levels, input: level });
    return z.NEVER;
  });

const fields = {
  match: z.string().min(1).max(128).nullable().optional().describe('those of this name: * for any letters, ? for one'),
  os: word.nullable().optional(),
  type: word.nullable().optional(),
  channel: word.nullable().optional().describe('those that are in this channel there'),
  newest: whole(1, 1000).nullable().optional().describe('so many of each name, the newest'),
  dc: z.string().max(100).optional().describe('where the images stand; main where nothing is said'),
  shared: z.boolean().optional().describe('whether they are shared, or belong to that data center'),
  access: access.optional().describe('1 public, 3 private, which is the default'),
  every: whole(0, YEAR).optional().describe('it runs every so many minutes; on demand only where it is 0'),
  retire: z.boolean().optional().describe('whether images are retired that are gone from the repository'),
  enabled: z.boolean().optional().describe('whether its schedule holds'),
};

const repository = z.string().max(32);

const shown = z.strictObject({
  name: z.string(),
  repository: z.string(),
  match: z.string().nullable(),
  os: z.string().nullable(),
  type: z.string().nullable(),
  channel: z.string().nullable(),
  newest: z.number().nullable(),
  dc: z.string(),
  shared: z.boolean(),
  access: z.number(),
  every: z.number(),
  retire: z.boolean(),
  enabled: z.boolean(),
  created: z.string(),
  tried: z.string().nullable().describe('when it was started last'),
  last_run: z.string().nullable().describe('when it came to its end last'),
  task: z.string().nullable(),
  imported: z.number().nullable().describe('how many imports the last run has started'),
  retired: z.number().nullable(),
  error: z.string().nullable().describe('why the last run failed, or retired nothing'),
});

function present({ datacenter, access, filter, state, ...follow }: Follow): z.output<typeof shown> {
  const { match = null, os = null, type = null, channel = null, newest = null } = filter;
  return {
    ...follow,
    match,
    os,
    type,
    channel,
    newest,
    dc: datacenter,
    access: accessLevels[access],
    tried: state?.tried ?? null,
    last_run: state?.lastRun ?? null,
    task: state?.task || null,
    imported: state?.imported ?? null,
    retired: state?.retired ?? null,
    error: state?.error ?? null,
  };
}

const named =
  ({ params }: Pick<Asked<unknown, unknown>, 'params'>): Finding =>
  (reader) =>
    followNamed(reader, params.name ?? '');

const operation = 'manage repositories';

export const list = endpoint({
  name: 'ListFollows',
  summary: 'what is brought from repositories by itself',
  operation,
  query: z.strictObject({ ...paging, full: flag.describe('whole objects instead of names') }),
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(inList(shown))]),
  refusals: ['InvalidInput'],
  perform: async ({ query: { full, ...paging } }, deps) => {
    const { result, total, offset } = pageOf(await listFollows(deps), paging, {
      name: ({ name }) => name,
      repository: ({ repository }) => repository,
      created: ({ created }) => created,
    });
    return new Page<unknown>(
      full ? result.map((one) => listed(deps, one, present(one))) : result.map(({ name }) => name),
      total,
      offset,
    );
  },
});

export const show = showing({
  name: 'GetFollow',
  summary: 'what is followed, and how its last run went',
  operation,
  query: noQuery,
  body: noBody,
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound'],
  find: ({ params }, { catalog }) => followNamed(catalog, params.name ?? ''),
  present,
});

export const create = endpoint({
  name: 'CreateFollow',
  summary: 'follows a repository: images that match are imported as they appear',
  operation,
  query: noQuery,
  body: z.strictObject({ ...fields, repository }),
  status: 201,
  answer: shown,
  refusals: ['ObjectAlreadyExists', 'InvalidInput'],
  perform: async ({ caller, own, params: { name = '' }, body }, deps) => {
    if (!FOLLOW_NAME.test(name)) {
      const message = `name is not 1 to 64 letters, digits, ".", "_" and "-": "${name}"`;
      throw invalidInput([{ field: 'name', code: 'Invalid', message }]);
    }
    return present(await createFollow(deps, caller, own, name, body));
  },
});

export const update = endpoint({
  name: 'UpdateFollow',
  summary: 'a follow as changed; what is not named stays',
  operation,
  query: noQuery,
  body: z.strictObject({ ...fields, repository: repository.optional() }).optional(),
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound', 'InvalidInput'],
  changes: named,
  perform: async ({ caller, own, params, body = {} }, deps) =>
    present(await updateFollow(deps, caller, own, params.name ?? '', body)),
});

export const remove = endpoint({
  name: 'DeleteFollow',
  summary: 'follows no more; what it has brought stays',
  operation,
  query: noQuery,
  body: emptyBody,
  status: 200,
  refusals: ['ResourceNotFound'],
  changes: named,
  perform: ({ caller, own, params }, deps) => deleteFollow(deps, caller, own, params.name ?? ''),
});

const row = z.strictObject({ uuid: z.string(), name: z.string(), version: z.string(), why: z.string() });

export const run = endpoint({
  name: 'RunFollow',
  summary:
    'refreshes the repository, imports what is new and retires what is gone, as a task; or tells what it would do',
  operation,
  query: noQuery,
  body: z
    .strictObject({ dry_run: z.boolean().optional().describe('only what it would do, by the last list') })
    .optional(),
  status: 200,
  answer: z.strictObject({
    matched: z.number(),
    import: z.array(row),
    retire: z.array(row),
    spared: z.array(row).describe('gone from the repository, and left alone'),
    stopped: z.string().nullable().describe('why nothing is retired though something is gone'),
  }),
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, params: { name = '' }, body }, deps) =>
    body?.dry_run ? planFollow(deps, await followNamed(deps.catalog, name)) : startFollow(deps, caller, name),
});
