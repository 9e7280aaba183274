import { z } from 'zod';
import { scopes } from '../../model/scope.js';
import { DURATION, TOKEN_NAME } from '../../model/token.js';
import { createToken } from '../../operations/create-token.js';
import { findToken } from '../../operations/find-token.js';
import { listTokens, showToken } from '../../operations/list-tokens.js';
import { revokeToken } from '../../operations/revoke-token.js';
import { endpoint, noBody, noQuery, showing } from './endpoint.js';
import { parse } from './input.js';
import { pageOf, paging } from './page.js';
import { inList } from './tags.js';
import { flag } from './values.js';

const nameRule = 'is not 1 to 64 letters, digits, ".", "_" and "-" that begin with a letter or digit';
const expiryRule = 'is neither a date such as 2030-01-31 or 2030-01-31T12:00:00Z nor a duration such as 12h or 90d';

export const expiry = z
  .union([z.iso.datetime({ offset: true }), z.iso.date(), z.string().regex(DURATION)], expiryRule)
  .describe('a date, with or without a time, or minutes, hours, days or weeks: 30m, 12h, 90d, 4w');

const ofUser = z.strictObject({
  user: z.string().optional().describe('the name of the user whose tokens are meant; operators may name others'),
});

const limits = {
  scope: z.enum(scopes).default('full').describe('what the token is good for, beside what its user may do'),
  expires: expiry.optional(),
  dc: z.string().optional().describe('the one data center in which it is good'),
  user: z.string().optional().describe('whose it will be; operators may name others than themselves'),
};

const tokenName = z.string().regex(TOKEN_NAME, nameRule);
const wish = z.strictObject({ name: tokenName, ...limits });

const record = z.strictObject({
  name: z.string(),
  user: z.string(),
  scope: z.enum(scopes),
  dc: z.string().nullable().describe('the one data center in which it is good'),
  created: z.iso.datetime(),
  expires: z.iso.datetime().optional().describe('never where it is absent'),
  expired: z.boolean(),
  last_used: z.iso.datetime().nullable(),
});

export const list = endpoint({
  name: 'ListTokens',
  summary: 'the tokens of the caller, or, for operators, of all users; by user, then by name',
  query: ofUser.extend({ ...paging, full: flag.describe('tokens are whole objects anyway') }),
  body: noBody,
  status: 200,
  answer: z.array(inList(record)),
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, query }, deps) =>
    pageOf(await listTokens(deps, caller, query.user), query, {
      user: ({ user }) => user,
      name: ({ name }) => name,
      created: ({ created }) => created,
      last_used: ({ last_used }) => last_used ?? '',
    }),
});

const made = record.extend({ token: z.string().describe('the secret: send it as "Authorization: Bearer <token>"') });

export const create = endpoint({
  name: 'CreateToken',
  summary: 'a new token; its secret is in this answer and can not be had again',
  query: noQuery,
  body: wish,
  status: 201,
  answer: made,
  refusals: ['ObjectAlreadyExists'],
  perform: ({ caller, own, body }, deps) => createToken(deps, caller, own, body),
});

export const createNamed = endpoint({
  name: 'CreateNamedToken',
  summary: 'a new token whose name the path says',
  query: noQuery,
  body: z.strictObject(limits).prefault({}),
  status: 201,
  answer: made,
  refusals: ['ObjectAlreadyExists'],
  perform: ({ caller, own, params, body }, deps) =>
    createToken(deps, caller, own, {
      ...parse(z.strictObject({ name: tokenName }), { name: params.name }, 'body'),
      ...body,
    }),
});

export const show = showing({
  name: 'GetToken',
  summary: 'a token, without its secret',
  query: ofUser,
  body: noBody,
  status: 200,
  answer: record,
  refusals: ['ResourceNotFound'],
  find: ({ caller, params: { name = '' }, query }, { catalog }) => findToken(catalog, caller, { name, ...query }),
  present: (token, _, deps) => showToken(deps, token),
});

export const revoke = endpoint({
  name: 'RevokeToken',
  summary: 'from the next request on, nobody gets in with the token',
  query: ofUser,
  body: ofUser.optional(),
  status: 200,
  refusals: ['ResourceNotFound'],
  changes:
    ({ caller, params: { name = '' }, query, body }) =>
    (reader) =>
      findToken(reader, caller, { name, ...query, ...body }),
  perform: ({ caller, own, params, query, body }, deps) =>
    revokeToken(deps, caller, own, { name: params.name ?? '', ...query, ...body }),
});
