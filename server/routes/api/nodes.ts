import { z } from 'zod';
import { invalidInput } from '../../../imgapi/errors.js';
import { ADDRESS, hostKeyOf, PLACE, SSH_USER_NAME } from '../../model/connection.js';
import { isNetwork } from '../../model/networks.js';
import { NODE_NAME, platforms, vmRuleOf } from '../../model/node.js';
import { TOKEN_NAME } from '../../model/token.js';
import type { Finding } from '../../operations/conditional-catalog.js';
import { createNodeToken, listNodeTokens, revokeNodeToken } from '../../operations/node-tokens.js';
import { createNode, deleteNode, nodeNamed, updateNode } from '../../operations/save-node.js';
import { showNode } from '../../operations/show-node.js';
import { type Asked, endpoint, noBody, noQuery, showing } from './endpoint.js';
import { Page, pageOf, paging } from './page.js';
import { inList, listed } from './tags.js';
import { expiry } from './tokens.js';
import { emptyBody, flag, listOf, whole } from './values.js';

const fingerprint = z
  .string()
  .transform((text) => text.replaceAll(':', '').toLowerCase())
  .pipe(z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 fingerprint: 64 hex digits, with or without colons'));

const network = z.string().refine(isNetwork, 'is not an address, nor a network such as 10.0.0.0/24');

const hostKey = z
  .string()
  .max(2100)
  .transform((text, at) => {
    const key = hostKeyOf(text);
    if (key === undefined) at.addIssue({ code: 'custom', message: 'is no host key', input: text });
    return key ?? z.NEVER;
  });

const vmRule = z
  .string()
  .max(200)
  .transform((text, at) => {
    const rule = vmRuleOf(text);
    if (!rule) at.addIssue({ code: 'custom', message: 'is no rule', input: text });
    return rule ?? z.NEVER;
  });

const fields = z
  .strictObject({
    dcs: listOf(z.string()).optional().describe('the data centers that it serves'),
    addresses: listOf(network, 'addresses, and networks such as 10.0.0.0/24')
      .optional()
      .describe('from which it asks: addresses and networks'),
    certificate: fingerprint.nullable().optional().describe('of its client certificate'),
    known_by_address: z.boolean().optional().describe('whether asking from there is enough'),
    vm_rules: listOf(vmRule, 'rules such as owner:ann=north or tag:web=south')
      .optional()
      .describe('where machines stand that nobody has given a data center; the first that fits'),
    keep_sources: z
      .boolean()
      .optional()
      .describe('whether its list of image servers is kept to what is configured, which is the default'),
    address: z
      .string()
      .regex(ADDRESS, 'is no host name and no address')
      .nullable()
      .optional()
      .describe('by which this server reaches it by ssh; null: not at all'),
    port: whole(1, 65_535).optional().describe('of its sshd; 22 unless given'),
    user: z.string().regex(SSH_USER_NAME, 'is no user').optional().describe('root unless given'),
    host_keys: listOf(hostKey, 'host keys such as "ssh-ed25519 AAAA…"')
      .optional()
      .describe('the only ones that are believed; the first that is met, where there are none'),
    key: z
      .string()
      .max(130)
      .nullable()
      .optional()
      .describe("a secret of type ssh-key; the server's own key where it is null"),
    agent: z.boolean().optional().describe('whether keys of the agent that runs beside the server count'),
    jump: z.string().max(128).nullable().optional().describe('the node through which it is reached'),
    platform: z.enum(platforms).nullable().optional().describe('what runs there; found out where it is null'),
    places: listOf(
      z.string().regex(PLACE, 'is no dataset, directory or volume group'),
      'datasets, directories or volume groups',
    )
      .optional()
      .describe('where its machines lie, on platforms that have no list of them'),
  })
  .optional();

const node = z.strictObject({
  name: z.string(),
  dcs: z.array(z.string()),
  addresses: z.array(z.string()),
  certificate: z.string().nullable(),
  known_by_address: z.boolean(),
  vm_rules: z.array(z.string()),
  keep_sources: z.boolean(),
  connection: z
    .strictObject({
      address: z.string(),
      port: z.number(),
      user: z.string(),
      host_keys: z.array(z.string()),
      key: z.string().nullable(),
      agent: z.boolean(),
      jump: z.string().nullable(),
      platform: z.enum(platforms).nullable().describe('as it was given'),
      places: z.array(z.string()),
    })
    .nullable()
    .describe('how it is reached by ssh'),
  online: z.boolean().nullable().describe('whether it answered when it was asked last; null where it never was'),
  since: z.iso.datetime().nullable().describe('since when that is so'),
  reason: z.string().nullable().describe('why it does not answer, or why its inventory could not be taken'),
  platform: z.enum(platforms).nullable(),
  version: z.string().nullable().describe('of the platform'),
  pools: z.array(z.strictObject({ name: z.string(), size: z.number(), free: z.number(), health: z.string() })),
  machines: z.number().describe('how many are on it, or were when it was heard of last'),
  images: z.number().describe('how many are on its pools'),
  inventoried: z.iso.datetime().nullable().describe('when its inventory was taken last'),
  created: z.iso.datetime(),
});

const lists = z.strictObject({ ...paging, full: flag.describe('whole objects instead of names') });

const named =
  ({ params }: Pick<Asked<unknown, unknown>, 'params'>): Finding =>
  (reader) =>
    nodeNamed(reader, params.host ?? '');

const operation = 'manage nodes';

export const list = endpoint({
  name: 'ListNodes',
  summary: 'the hypervisors that are known',
  operation,
  query: lists,
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(inList(node))]),
  refusals: [],
  perform: async ({ query: { full, ...paging } }, deps) => {
    const { result, total, offset } = pageOf([...deps.directory.nodes.values()], paging, {
      name: ({ name }) => name,
      created: ({ created }) => created,
      platform: ({ name }) => deps.nodeBook.statusOf(name)?.described?.platform ?? '',
    });
    return new Page(
      result.map((one) => (full ? listed(deps, one, showNode(deps, one)) : one.name)),
      total,
      offset,
    );
  },
});

export const show = showing({
  name: 'GetNode',
  summary: 'a node',
  operation,
  query: noQuery,
  body: noBody,
  status: 200,
  answer: node,
  refusals: ['ResourceNotFound'],
  find: ({ params }, { catalog }) => nodeNamed(catalog, params.host ?? ''),
  present: (found, _, deps) => showNode(deps, found),
});

export const create = endpoint({
  name: 'CreateNode',
  summary: 'a new node, by its host name',
  operation,
  query: noQuery,
  body: fields,
  status: 201,
  answer: node,
  refusals: ['ObjectAlreadyExists'],
  perform: async ({ caller, own, params: { host = '' }, body = {} }, deps) => {
    if (!NODE_NAME.test(host)) {
      throw invalidInput([{ field: 'host', code: 'Invalid', message: `host is not a host name: "${host}"` }]);
    }
    return showNode(deps, await createNode(deps, caller, own, host, body));
  },
});

export const update = endpoint({
  name: 'UpdateNode',
  summary: 'a node as changed; what is not named stays',
  operation,
  query: noQuery,
  body: fields,
  status: 200,
  answer: node,
  refusals: ['ResourceNotFound', 'NodeInUse'],
  changes: named,
  perform: async ({ caller, own, params, body = {} }, deps) =>
    showNode(deps, await updateNode(deps, caller, own, params.host ?? '', body)),
});

export const remove = endpoint({
  name: 'DeleteNode',
  summary: 'removes a node with its tokens',
  operation,
  query: noQuery,
  body: emptyBody,
  status: 200,
  refusals: ['ResourceNotFound', 'NodeInUse'],
  changes: named,
  perform: ({ caller, own, params }, deps) => deleteNode(deps, caller, own, params.host ?? ''),
});

const token = z.strictObject({
  name: z.string(),
  node: z.string(),
  created: z.iso.datetime(),
  expires: z.iso.datetime().optional().describe('never where it is absent'),
  expired: z.boolean(),
  publish: z.string().nullable().describe('the data center to which the node may bring images with it'),
  pinned: z.boolean().describe('good from the addresses of the node only'),
  last_used: z.iso.datetime().nullable(),
});

export const listTokens = endpoint({
  name: 'ListNodeTokens',
  summary: 'the tokens of a node',
  operation,
  query: lists,
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(token)]),
  refusals: ['ResourceNotFound'],
  perform: async ({ params, query: { full, ...paging } }, deps) => {
    const { result, total, offset } = pageOf(await listNodeTokens(deps, params.host ?? ''), paging, {
      name: ({ name }) => name,
      created: ({ created }) => created,
      last_used: ({ last_used }) => last_used ?? '',
    });
    return new Page<unknown>(full ? result : result.map(({ name }) => name), total, offset);
  },
});

export const createToken = endpoint({
  name: 'CreateNodeToken',
  summary: 'a new token of a node; its secret is in this answer and can not be had again',
  operation,
  query: noQuery,
  body: z
    .strictObject({
      expires: expiry.optional(),
      publish: z.string().optional().describe('a data center to which the node may bring images with it'),
      pinned: z.boolean().optional().describe('good from the addresses of the node only, which is the default'),
    })
    .optional(),
  status: 201,
  answer: token.extend({
    token: z.string().describe('the secret'),
    path: z.string().describe('below which the node finds images without sending credentials'),
    source: z.string().nullable().describe('what imgadm is given as a source; null while publicUrl is not set'),
  }),
  refusals: ['ResourceNotFound', 'ObjectAlreadyExists'],
  perform: ({ caller, own, params: { host = '', name = '' }, body = {} }, deps) => {
    if (!TOKEN_NAME.test(name)) {
      throw invalidInput([{ field: 'name', code: 'Invalid', message: `name is no name of a token: "${name}"` }]);
    }
    return createNodeToken(deps, caller, own, { node: host, name }, body);
  },
});

export const revokeToken = endpoint({
  name: 'RevokeNodeToken',
  summary: 'from the next request on, nobody gets in with the token',
  operation,
  query: noQuery,
  body: emptyBody,
  status: 200,
  refusals: ['ResourceNotFound'],
  perform: ({ caller, own, params: { host = '', name = '' } }, deps) =>
    revokeNodeToken(deps, caller, own, { node: host, name }),
});
