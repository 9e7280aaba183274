import { Readable } from 'node:stream';
import { z } from 'zod';
import type { SeenEntry } from '../../model/audit.js';
import { isOperator } from '../../model/caller.js';
import { type AuditQuery, searchAudit, wholeAudit } from '../../operations/search-audit.js';
import { endpoint, noBody, noQuery, streamed } from './endpoint.js';
import { Stretch } from './page.js';
import { whole } from './values.js';

const moment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], 'is no date such as 2030-01-31 or 2030-01-31T12:00:00Z')
  .transform((text) => new Date(text).toISOString());

const text = z.string().min(1).max(512);

const filters = {
  dc: text.optional().describe('what was done in this data center'),
  object: text.optional().describe('what was done to this: an id or a name'),
  kind: text.optional().describe('what was done to something of this kind: images, users, groups …'),
  user: text.optional().describe('what this user did'),
  what: text.optional().describe('only this: the name of a call, with or without its action'),
  since: moment.optional().describe('from then on'),
  until: moment.optional().describe('until then'),
};

const wish = z.strictObject({
  ...filters,
  after: z.string().max(64).optional().describe('only what is older than the entry of this id'),
  limit: whole(1, 10_000).default(100),
  offset: whole(0, 1_000_000).default(0).describe('how many to pass over'),
});

const object = z.strictObject({
  kind: z.string(),
  id: z.string(),
  name: z.string(),
  action: z.enum(['created', 'changed', 'deleted']).optional(),
  fields: z.array(z.string()).optional().describe('of what was changed: which of its fields'),
  bytes: z.number().optional().describe('of an image: how many bytes the files have that it got'),
  datacenters: z.array(z.string()),
});

const entry = z.strictObject({
  id: z.string(),
  at: z.iso.datetime(),
  who: z.string(),
  uuid: z.string().optional().describe('of who did it'),
  kind: z.string().describe('what kind of caller that was'),
  token: z.string().optional().describe('the name of the token that was used'),
  from: z.string().optional().describe('the address'),
  what: z.string(),
  object: z.string().describe('the names of the objects'),
  objects: z.array(object),
  datacenters: z.array(z.string()),
  request: z.string().optional().describe('the id of the request, or of the task'),
  result: z.string(),
  count: z.number().optional().describe('how many times, where it was more than once'),
  bytes: z.number().optional(),
  chain: z.string().optional(),
  seq: z.number().optional(),
  hash: z.string().optional(),
});

function present({ id, time, who, from, what, objects, datacenters, request, result, ...more }: SeenEntry) {
  const { count, bytes, chain, seq, hash } = more;
  return {
    id,
    at: time,
    who: who.name,
    uuid: who.uuid,
    kind: who.kind,
    token: who.token,
    from,
    what,
    object: objects.map(({ name }) => name).join(', '),
    objects,
    datacenters,
    request,
    result,
    ...{ count, bytes, chain, seq, hash },
  };
}

export const search = endpoint({
  name: 'SearchAudit',
  summary: 'what was done, by whom, from where, to what; the newest first',
  operation: 'list in a data center',
  query: wish,
  body: noBody,
  status: 200,
  answer: z.array(entry),
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, query }, deps) => {
    const { limit, offset, ...wanted } = query;
    const found: SeenEntry[] = [];
    let passed = 0;
    for await (const one of searchAudit(deps, caller, wanted)) {
      if (passed < offset) passed += 1;
      else if (found.length < limit) found.push(one);
      // One more has been found than was asked for: there is a next part.
      else return new Stretch(found.map(present), found.at(-1)?.id);
    }
    return new Stretch(found.map(present), undefined);
  },
});

const head = z.strictObject({
  chain: z.string(),
  seq: z.number(),
  hash: z.string(),
  time: z.iso.datetime(),
  signature: z.string(),
});

export const heads = endpoint({
  name: 'GetAuditHeads',
  summary: 'how far the chains of the audit go, signed: an export that is taken later holds all of that',
  operation: 'see the whole audit',
  query: noQuery,
  body: noBody,
  status: 200,
  answer: z.strictObject({ key: z.string().describe('the public key, in PEM'), heads: z.array(head) }),
  refusals: [],
  perform: async (_, { audit }) => {
    // What is gathered would otherwise be missing in the heads and stand in an export after them.
    await audit.flush();
    return { key: audit.publicKey, heads: audit.signedHeads() };
  },
});

/** So many entries are sent at a time. */
const AT_A_TIME = 100;

export const exported = streamed({
  name: 'ExportAudit',
  summary:
    'entries as lines of JSON: all of them, chain by chain, as they can be verified, where a SuperAdmin asks without filters; else those that are meant, the newest first',
  operation: 'list in a data center',
  query: z.strictObject(filters),
  body: noBody,
  status: 200,
  media: 'application/x-ndjson',
  refusals: ['ResourceNotFound'],
  send: async (ctx, deps, { caller, query }) => {
    const isWhole = isOperator(caller) && Object.values(query).every((value) => value === undefined);
    const entries = isWhole ? wholeAudit(deps) : searchAudit(deps, caller, query satisfies AuditQuery);
    // A refusal comes with the first entry, and before anything is sent.
    const first = await entries.next();
    ctx.status = 200;
    ctx.set('Content-Type', 'application/x-ndjson');
    ctx.body = Readable.from(lines(first, entries), { objectMode: false });
  },
});

async function* lines(first: IteratorResult<object>, rest: AsyncGenerator<object>): AsyncGenerator<string> {
  let waiting: string[] = first.done ? [] : [`${JSON.stringify(first.value)}\n`];
  for await (const one of rest) {
    waiting.push(`${JSON.stringify(one)}\n`);
    if (waiting.length < AT_A_TIME) continue;
    yield waiting.join('');
    waiting = [];
  }
  if (waiting.length > 0) yield waiting.join('');
}
