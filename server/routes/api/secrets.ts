import { z } from 'zod';
import { presentSecret, SECRET_NAME, secretTypes } from '../../model/secret.js';
import { findSecret, listSecrets } from '../../operations/find-secret.js';
import { createSecret, deleteSecret, updateSecret } from '../../operations/save-secret.js';
import { endpoint, noBody, showing } from './endpoint.js';
import { parse } from './input.js';
import { Page, pageOf, paging } from './page.js';
import { inList, listed } from './tags.js';
import { flag } from './values.js';

const nameRule = 'is not 1 to 64 letters, digits, ".", "_" and "-" that begin with a letter or digit';
const dc = z.string().optional().describe('the data center of the secret, where it has one');
const ofDc = z.strictObject({ dc });

/** What stands in a header has no line of its own, and no other characters than these. */
const credential = z
  .string()
  .min(1, 'is empty')
  .max(8192, 'is longer than 8192 characters')
  .regex(/^[^\x00-\x1f\x7f]*$/, 'holds control characters');

const fields = {
  dc,
  host: z
    .string()
    .max(300)
    .optional()
    .describe(
      'to whom it is told, and to nobody else: a host, with its port where that is not the usual one; with the scheme before it where plain HTTP is meant',
    ),
  type: z.enum(secretTypes).optional(),
  username: credential
    .max(256, 'is longer than 256 characters')
    .regex(/^[^:]*$/, 'holds a ":"')
    .optional()
    .describe('for type basic'),
  value: z
    .string()
    .min(1, 'is empty')
    .max(16_384, 'is longer than 16384 characters')
    .regex(/^[^\x00-\x09\x0b\x0c\x0e-\x1f\x7f]*$/, 'holds control characters')
    .optional()
    .describe('the password, the token or the private key without a passphrase; kept sealed, and never in an answer'),
};

const record = z.strictObject({
  name: z.string(),
  dc: z.string().nullable(),
  host: z.string(),
  type: z.enum(secretTypes),
  username: z.string().nullable(),
  public_key: z.string().nullable().describe('of type ssh-key: what nodes are given'),
  created: z.iso.datetime(),
  changed: z.iso.datetime(),
});

export const list = endpoint({
  name: 'ListSecrets',
  summary: 'the credentials for sources that the caller may use, without what they are',
  operation: 'manage secrets',
  query: z.strictObject({ ...paging, dc, full: flag.describe('whole objects instead of names') }),
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(inList(record))]),
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, query: { full, dc, ...paging } }, deps) => {
    const { result, total, offset } = pageOf(await listSecrets(deps, caller, dc), paging, {
      name: ({ name }) => name,
      host: ({ host }) => host,
      dc: ({ datacenter = '' }) => datacenter,
      created: ({ created }) => created,
    });
    return new Page<unknown>(
      result.map((one) => (full ? listed(deps, one, presentSecret(one)) : one.name)),
      total,
      offset,
    );
  },
});

export const show = showing({
  name: 'GetSecret',
  summary: 'for which host a secret is, and of which type',
  operation: 'manage secrets',
  query: ofDc,
  body: noBody,
  status: 200,
  answer: record,
  refusals: ['ResourceNotFound'],
  find: ({ caller, params: { name = '' }, query }, { catalog }) => findSecret(catalog, caller, { name, ...query }),
  present: presentSecret,
});

export const create = endpoint({
  name: 'CreateSecret',
  summary: 'credentials for a source, which are told to its host only and can not be read again',
  operation: 'manage secrets',
  query: ofDc,
  body: z.strictObject(fields),
  status: 201,
  answer: record,
  refusals: ['ResourceNotFound', 'ObjectAlreadyExists', 'QuotaExceeded', 'ServiceUnavailableError'],
  perform: async ({ caller, own, params, query, body }, deps) => {
    const named = z.strictObject({ name: z.string().regex(SECRET_NAME, nameRule) });
    const { name } = parse(named, { name: params.name }, 'body');
    return presentSecret(await createSecret(deps, caller, own, name, { ...query, ...body }));
  },
});

export const update = endpoint({
  name: 'UpdateSecret',
  summary: 'a secret as changed; for another host or type it has to be given again',
  operation: 'manage secrets',
  query: ofDc,
  body: z.strictObject(fields),
  status: 200,
  answer: record,
  refusals: ['ResourceNotFound', 'Busy', 'ServiceUnavailableError'],
  changes:
    ({ caller, params: { name = '' }, query, body }) =>
    (reader) =>
      findSecret(reader, caller, { name, dc: body.dc ?? query.dc }),
  perform: async ({ caller, own, params: { name = '' }, query, body: { dc, ...wish } }, deps) =>
    presentSecret(await updateSecret(deps, caller, own, { name, dc: dc ?? query.dc }, wish)),
});

export const remove = endpoint({
  name: 'DeleteSecret',
  summary: 'removes a secret that nothing uses',
  operation: 'manage secrets',
  query: ofDc,
  body: ofDc.optional(),
  status: 200,
  refusals: ['ResourceNotFound', 'SecretInUse'],
  changes:
    ({ caller, params: { name = '' }, query, body }) =>
    (reader) =>
      findSecret(reader, caller, { name, ...query, ...body }),
  perform: ({ caller, own, params: { name = '' }, query, body }, deps) =>
    deleteSecret(deps, caller, own, { name, ...query, ...body }),
});
