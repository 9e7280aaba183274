import { z } from 'zod';
import { invalidInput } from '../../../imgapi/errors.js';
import type { Deps } from '../../deps.js';
import { CAMPAIGN_NAME, campaignNodeStates, campaignStates } from '../../model/campaign.js';
import type { Finding } from '../../operations/conditional-catalog.js';
import {
  campaignNamed,
  createCampaign,
  deleteCampaign,
  listCampaigns,
  resumeCampaign,
  stopCampaign,
} from '../../operations/save-campaign.js';
import { showCampaign, summaryOf } from '../../operations/show-campaign.js';
import { type Asked, endpoint, noBody, noQuery, showing } from './endpoint.js';
import { Page, pageOf, paging } from './page.js';
import { inList, listed } from './tags.js';
import { expiry } from './tokens.js';
import { emptyBody, flag, listOf, whole } from './values.js';

const until = expiry
  .optional()
  .describe('so long nodes that are away are waited for: a date, or a duration such as 24h');

const summary = z.strictObject({
  name: z.string(),
  image: z.string(),
  image_name: z.string(),
  pool: z.string().nullable(),
  at_once: z.number(),
  bandwidth: z.number().nullable().describe('bytes a second of all together'),
  until: z.iso.datetime(),
  state: z.enum(campaignStates),
  task: z.string(),
  created: z.iso.datetime(),
  finished: z.iso.datetime().nullable(),
  error: z.string().nullable().describe('why it could not go on'),
  total: z.number(),
  waiting: z.number(),
  pulling: z.number(),
  done: z.number(),
  skipped: z.number().describe('nodes that can not have the image'),
  failed: z.number(),
});

const node = z.strictObject({
  node: z.string(),
  state: z.enum(campaignNodeStates),
  away: z.boolean().describe('whether it is waited for'),
  tries: z.number(),
  task: z.string().nullable(),
  progress: z
    .strictObject({ done: z.number(), total: z.number().nullable(), rate: z.number().nullable() })
    .nullable()
    .describe('bytes, and how many a second'),
  error: z.string().nullable(),
  next: z.iso.datetime().nullable().describe('when it is tried again'),
  at: z.iso.datetime(),
});

const shown = summary.extend({ nodes: z.array(node) });

const named =
  ({ params }: Pick<Asked<unknown, unknown>, 'params'>): Finding =>
  (reader) =>
    campaignNamed(reader, params.name ?? '');

const operation = 'manage nodes';

export const list = endpoint({
  name: 'ListCampaigns',
  summary: 'images that are brought onto many nodes',
  operation,
  query: z.strictObject({ ...paging, full: flag.describe('whole objects instead of names') }),
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(inList(summary))]),
  refusals: ['InvalidInput'],
  perform: async ({ query: { full, ...paging } }, deps) => {
    const { result, total, offset } = pageOf(await listCampaigns(deps), paging, {
      name: ({ name }) => name,
      state: ({ state }) => state,
      created: ({ created }) => created,
    });
    const shown = await Promise.all(
      result.map(async (one) => (full ? listed(deps, one, await summaryOf(deps, one)) : one.name)),
    );
    return new Page<unknown>(shown, total, offset);
  },
});

export const show = showing({
  name: 'GetCampaign',
  summary: 'how far an image is on each of its nodes',
  operation,
  query: noQuery,
  body: noBody,
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound'],
  find: ({ params }, { catalog }) => campaignNamed(catalog, params.name ?? ''),
  present: (found, _, deps) => showCampaign(deps, found),
});

const wish = z.strictObject({
  image: z.string().max(100).describe('by name or uuid'),
  dc: z.string().max(100).optional().describe('in which the image is meant, where several have its name'),
  pool: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('where it is to lie on each node; "zones", or the only one that a node has, unless it is said'),
  nodes: listOf(z.string().max(128)).optional().describe('the nodes, by name'),
  dcs: listOf(z.string().max(100))
    .optional()
    .describe(
      'all nodes that serve one of these data centers and the image; all that serve the image where neither is given',
    ),
  at_once: whole(1, 64).optional().describe('so many nodes fetch side by side; 4 unless it is said'),
  bandwidth: whole(1).optional().describe('bytes a second of all together'),
  until,
});

async function created(
  { caller, own, params: { name = '' }, body }: Asked<unknown, z.output<typeof wish>>,
  deps: Deps,
) {
  if (!CAMPAIGN_NAME.test(name)) {
    const message = `name is not 1 to 64 letters, digits, ".", "_" and "-": "${name}"`;
    throw invalidInput([{ field: 'name', code: 'Invalid', message }]);
  }
  if (body.nodes && body.dcs) {
    const message = 'dcs does not go with nodes: name nodes, or data centers';
    throw invalidInput([{ field: 'dcs', code: 'NotAllowed', message }]);
  }
  return createCampaign(deps, caller, own, name, body);
}

export const create = endpoint({
  name: 'CreateCampaign',
  summary: 'brings an image onto many nodes, as a task',
  operation,
  query: noQuery,
  body: wish,
  status: 201,
  refusals: ['ResourceNotFound', 'ObjectAlreadyExists', 'InvalidInput', 'ImagePending', 'NoPublicUrl'],
  check: created,
  perform: created,
});

export const change = endpoint({
  name: 'ChangeCampaign',
  summary: 'stops a campaign, lets it go on where it was stopped, or tries again what has failed or was skipped',
  operation,
  query: noQuery,
  body: z.strictObject({ action: z.enum(['stop', 'start', 'retry'], 'is not stop, start or retry'), until }),
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound', 'AlreadyDone', 'Busy', 'NoPublicUrl', 'InvalidInput'],
  changes: named,
  perform: async ({ caller, own, params: { name = '' }, body: { action, until } }, deps) => {
    if (action !== 'stop') return resumeCampaign(deps, caller, own, name, { action, until });
    await stopCampaign(deps, caller, own, name);
    return showCampaign(deps, await campaignNamed(deps.catalog, name));
  },
});

export const remove = endpoint({
  name: 'DeleteCampaign',
  summary: 'forgets a campaign that does not run; what it has brought stays where it is',
  operation,
  query: noQuery,
  body: emptyBody,
  status: 200,
  refusals: ['ResourceNotFound', 'Busy'],
  changes: named,
  perform: ({ caller, own, params }, deps) => deleteCampaign(deps, caller, own, params.name ?? ''),
});
