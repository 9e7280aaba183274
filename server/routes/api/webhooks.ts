import { z } from 'zod';
import type { Deps } from '../../deps.js';
import { deliveryMethods } from '../../model/delivery.js';
import { EVENT_PATTERN, WEBHOOK_NAME, type Webhook } from '../../model/webhook.js';
import { makeCallbackKey } from '../../operations/callback-key.js';
import { findCallback } from '../../operations/find-callback.js';
import {
  createWebhook,
  deleteWebhook,
  findWebhook,
  listWebhooks,
  type Saved,
  stateOf,
  updateWebhook,
} from '../../operations/save-webhook.js';
import { pingWebhook } from '../../operations/tell-webhook.js';
import { endpoint, noBody, noQuery, showing } from './endpoint.js';
import { parse } from './input.js';
import { Page, pageOf, paging } from './page.js';
import { inList, listed } from './tags.js';
import { emptyBody, flag, listOf } from './values.js';

const nameRule = 'is not 1 to 64 letters, digits, ".", "_" and "-" that begin with a letter or digit';
const user = z.string().optional().describe('whose webhook is meant; operators may name others');
const ofUser = z.strictObject({ user });

const event = z.string().regex(EVENT_PATTERN, 'is not an event such as images.created, images.* or *');

const fields = {
  user,
  url: z.string().max(2048, 'is longer than 2048 characters').optional().describe('where it is told, by POST'),
  events: listOf(event, 'events such as images.created, images.* or *')
    .optional()
    .describe('what it is told of: KIND.created, KIND.changed, KIND.deleted, KIND.* or *'),
  active: z.boolean().optional().describe('switched on again it goes on where it was'),
};

const attempt = {
  at: z.iso.datetime(),
  took: z.number().describe('milliseconds'),
  status: z.number().nullable().describe('what was answered; nothing where nobody did'),
  error: z.string().nullable(),
};

const record = z.strictObject({
  name: z.string(),
  user: z.string().nullable(),
  url: z.string(),
  events: z.array(z.string()),
  dc: z.string().nullable().describe('the one data center of which it is told'),
  active: z.boolean(),
  reason: z.string().nullable().describe('why the server has switched it off'),
  failing_since: z.iso.datetime().nullable(),
  created: z.iso.datetime(),
});

const made = record.extend({
  secret: z.string().optional().describe('signs what is told, and is not shown again'),
});

const delivery = z.strictObject({
  id: z.string(),
  ...attempt,
  events: z.number(),
  last: z.string().nullable().describe('the id of the last of them'),
});

async function present(deps: Deps, webhook: Webhook): Promise<z.output<typeof record>> {
  const { name, owner, url, events, within, active, reason, created } = webhook;
  return {
    name,
    user: deps.directory.users.get(owner)?.name ?? null,
    url,
    events,
    dc: within ?? null,
    active,
    reason: reason ?? null,
    failing_since: (await stateOf(deps, webhook))?.failingSince ?? null,
    created,
  };
}

const presentSaved = async (deps: Deps, { webhook, secret }: Saved) => ({
  ...(await present(deps, webhook)),
  ...(secret !== undefined && { secret }),
});

const presentAttempt = <T extends { status?: number; error?: string }>(one: T) => ({
  ...one,
  status: one.status ?? null,
  error: one.error ?? null,
});

export const list = endpoint({
  name: 'ListWebhooks',
  summary: 'the webhooks of the caller, or, for operators, of all users',
  query: ofUser.extend({ ...paging, full: flag.describe('whole objects instead of names') }),
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(inList(record))]),
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, query: { full, user, ...paging } }, deps) => {
    const { result, total, offset } = pageOf(await listWebhooks(deps, caller, user), paging, {
      name: ({ name }) => name,
      url: ({ url }) => url,
      created: ({ created }) => created,
    });
    const shown = await Promise.all(
      result.map(async (one) => (full ? listed(deps, one, await present(deps, one)) : one.name)),
    );
    return new Page<unknown>(shown, total, offset);
  },
});

export const show = showing({
  name: 'GetWebhook',
  summary: 'a webhook, and whether it works',
  query: ofUser,
  body: noBody,
  status: 200,
  answer: record,
  refusals: ['ResourceNotFound'],
  find: ({ caller, params: { name = '' }, query }, { catalog }) => findWebhook(catalog, caller, { name, ...query }),
  present: (webhook, _, deps) => present(deps, webhook),
});

export const create = endpoint({
  name: 'CreateWebhook',
  summary:
    'from now on tells a URL what happens, as far as its owner may know of it; the key that signs it is told once',
  query: ofUser,
  body: z.strictObject({ ...fields, dc: z.string().optional().describe('only of this data center') }),
  status: 201,
  answer: made,
  refusals: ['ObjectAlreadyExists', 'QuotaExceeded', 'ResourceNotFound', 'ServiceUnavailableError'],
  perform: async ({ caller, own, params, query, body: { user, ...wish } }, deps) => {
    const named = z.strictObject({ name: z.string().regex(WEBHOOK_NAME, nameRule) });
    const { name } = parse(named, { name: params.name }, 'body');
    return presentSaved(deps, await createWebhook(deps, caller, own, { name, user: user ?? query.user }, wish));
  },
});

export const update = endpoint({
  name: 'UpdateWebhook',
  summary: 'a webhook as changed; what is not named stays',
  query: ofUser,
  body: z.strictObject({ ...fields, new_secret: z.boolean().optional().describe('a new key, which is told once') }),
  status: 200,
  answer: made,
  refusals: ['ResourceNotFound', 'ServiceUnavailableError'],
  changes:
    ({ caller, params: { name = '' }, query, body }) =>
    (reader) =>
      findWebhook(reader, caller, { name, user: body.user ?? query.user }),
  perform: async ({ caller, own, params: { name = '' }, query, body: { user, ...wish } }, deps) =>
    presentSaved(deps, await updateWebhook(deps, caller, own, { name, user: user ?? query.user }, wish)),
});

export const remove = endpoint({
  name: 'DeleteWebhook',
  summary: 'tells nobody there any more',
  query: ofUser,
  body: ofUser.optional(),
  status: 200,
  refusals: ['ResourceNotFound'],
  changes:
    ({ caller, params: { name = '' }, query, body }) =>
    (reader) =>
      findWebhook(reader, caller, { name, ...query, ...body }),
  perform: ({ caller, own, params: { name = '' }, query, body }, deps) =>
    deleteWebhook(deps, caller, own, { name, ...query, ...body }),
});

export const deliveries = endpoint({
  name: 'ListWebhookDeliveries',
  summary: 'what a webhook was told lately and how that went, the newest first',
  query: ofUser,
  body: noBody,
  status: 200,
  answer: z.array(delivery),
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, params: { name = '' }, query }, deps) => {
    const state = await stateOf(deps, await findWebhook(deps.catalog, caller, { name, ...query }));
    return (state?.deliveries ?? []).map((one) => ({ ...presentAttempt(one), last: one.last ?? null }));
  },
});

/** The longest that somebody waits for an answer, in milliseconds. */
const PATIENCE = 15_000;

export const ping = endpoint({
  name: 'PingWebhook',
  summary: 'tells a webhook the event "ping", whether it is switched on or not, and what came of that',
  query: ofUser,
  body: emptyBody,
  status: 200,
  answer: delivery,
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, params: { name = '' }, query }, deps) => {
    const webhook = await findWebhook(deps.catalog, caller, { name, ...query });
    const one = await pingWebhook(deps, webhook, AbortSignal.timeout(PATIENCE));
    return { ...presentAttempt(one), last: one.last ?? null };
  },
});

export const callback = endpoint({
  name: 'GetTaskCallback',
  summary: 'how the cb_url of a task was told of its end',
  query: noQuery,
  body: noBody,
  status: 200,
  answer: z.strictObject({
    task: z.string(),
    url: z.string(),
    method: z.enum(deliveryMethods),
    state: z.enum(['waiting', 'delivered', 'failed']),
    next: z.iso.datetime().nullable().describe('when it is tried again'),
    attempts: z.array(z.strictObject(attempt)),
  }),
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, params: { id = '' } }, deps) => {
    const { task, url, method, state, next = null, attempts } = await findCallback(deps, caller, id);
    // Its path and query may hold what proves the server to it.
    return { task, url: new URL(url).origin, method, state, next, attempts: attempts.map(presentAttempt) };
  },
});

export const callbackKey = endpoint({
  name: 'MakeCallbackKey',
  summary: 'a new key that signs the callbacks of the caller; it is told once, and the one before is good no more',
  query: noQuery,
  body: emptyBody,
  status: 200,
  answer: z.strictObject({ key: z.string() }),
  refusals: ['ServiceUnavailableError'],
  perform: async ({ caller, own }, deps) => ({ key: await makeCallbackKey(deps, caller, own) }),
});
