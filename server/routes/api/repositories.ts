import { z } from 'zod';
import { invalidInput } from '../../../imgapi/errors.js';
import { problemWithCa } from '../../model/certificates-to-trust.js';
import { isKnown, REPOSITORY_NAME, type RepositorySetup } from '../../model/repository.js';
import type { Finding } from '../../operations/conditional-catalog.js';
import { setupsOf } from '../../operations/repositories.js';
import {
  createRepository,
  deleteRepository,
  setupIn,
  setupNamed,
  updateRepository,
} from '../../operations/save-repository.js';
import { type Asked, endpoint, noBody, noQuery, showing } from './endpoint.js';
import { Page, pageOf, paging } from './page.js';
import { inList, listed } from './tags.js';
import { emptyBody, flag, remoteUrl, whole } from './values.js';

const YEAR = 365 * 24 * 60;

const pem = z
  .string()
  .max(100_000)
  .superRefine((text, context) => {
    const message = problemWithCa(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

const fields = {
  enabled: z.boolean().optional().describe('whether it is asked; one that came with the server is not until then'),
  channel: z
    .string()
    .regex(/^([A-Za-z0-9_.-]{1,64}|\*)$/, 'is no name of a channel')
    .nullable()
    .optional(),
  secret: z.string().max(100).nullable().optional().describe('the stored secret that proves who asks, by its name'),
  ca: pem.nullable().optional().describe('certificates that its own is trusted because of, in PEM'),
  insecure: z.boolean().optional().describe('its certificate is not looked at'),
  every: whole(0, YEAR).optional().describe('refreshed every so many minutes; on demand only where it is 0'),
  authoritative: z.boolean().optional().describe('its uuids mean its images'),
};

const shown = z.strictObject({
  name: z.string(),
  url: z.string(),
  enabled: z.boolean(),
  channel: z.string().nullable(),
  secret: z.string().nullable(),
  ca: z.string().nullable(),
  insecure: z.boolean(),
  every: z.number(),
  authoritative: z.boolean(),
  last_update: z.string().nullable(),
  image_count: z.number(),
  tried: z.string().nullable().describe('when it was asked last, with whatever success'),
  error: z.string().nullable(),
});

function present({ name, url, enabled, every, state, ...setup }: RepositorySetup): z.output<typeof shown> {
  const { channel = null, secret = null, ca = null, insecure = false, authoritative = false } = setup;
  return {
    name,
    url,
    enabled,
    channel,
    secret,
    ca,
    insecure,
    every,
    authoritative,
    last_update: state?.lastUpdate ?? null,
    image_count: isKnown(state, url) ? (state?.count ?? 0) : 0,
    tried: state?.tried ?? null,
    error: state?.error ?? null,
  };
}

const named =
  ({ params }: Pick<Asked<unknown, unknown>, 'params'>): Finding =>
  (reader) =>
    setupIn(reader, params.name ?? '');

const operation = 'manage repositories';

export const list = endpoint({
  name: 'ListRepositorySetups',
  summary: 'the repositories as they are set up, those that are off included',
  operation,
  query: z.strictObject({ ...paging, full: flag.describe('whole objects instead of names') }),
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(inList(shown))]),
  refusals: ['InvalidInput'],
  perform: async ({ query: { full, ...paging } }, deps) => {
    const { result, total, offset } = pageOf(setupsOf(deps), paging, {
      name: ({ name }) => name,
      url: ({ url }) => url,
    });
    return new Page<unknown>(
      full ? result.map((one) => listed(deps, one, present(one))) : result.map(({ name }) => name),
      total,
      offset,
    );
  },
});

export const show = showing({
  name: 'GetRepositorySetup',
  summary: 'how a repository is set up',
  operation,
  query: noQuery,
  body: noBody,
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound'],
  find: ({ params }, deps) => setupNamed(deps, params.name ?? ''),
  present,
});

export const create = endpoint({
  name: 'CreateRepository',
  summary: 'a new repository: an image server to browse and import from; it goes into VMS_IMAGE_REPOSITORIES',
  operation,
  query: noQuery,
  body: z.strictObject({ ...fields, url: remoteUrl.describe('its path is kept') }),
  status: 201,
  answer: shown,
  refusals: ['ObjectAlreadyExists', 'InvalidInput'],
  perform: async ({ caller, own, params: { name = '' }, body }, deps) => {
    if (!REPOSITORY_NAME.test(name)) {
      const message = `name is no name of a repository: "${name}": at most 32 of a-z, 0-9, ".", "_" and "-"`;
      throw invalidInput([{ field: 'name', code: 'Invalid', message }]);
    }
    return present(await createRepository(deps, caller, own, name, body));
  },
});

export const update = endpoint({
  name: 'UpdateRepository',
  summary: 'a repository as changed; another URL or channel forgets what was remembered',
  operation,
  query: noQuery,
  body: z.strictObject({ ...fields, url: remoteUrl.optional() }).optional(),
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound', 'InvalidInput'],
  changes: named,
  perform: async ({ caller, own, params, body = {} }, deps) =>
    present(await updateRepository(deps, caller, own, params.name ?? '', body)),
});

export const remove = endpoint({
  name: 'DeleteRepository',
  summary: 'takes a repository out of the settings, and forgets what was remembered of it',
  operation,
  query: noQuery,
  body: emptyBody,
  status: 200,
  refusals: ['ResourceNotFound', 'RepositoryInUse'],
  changes: named,
  perform: ({ caller, own, params }, deps) => deleteRepository(deps, caller, own, params.name ?? ''),
});
