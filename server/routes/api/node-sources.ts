import { z } from 'zod';
import { sourceStates } from '../../model/node-source.js';
import { listSources, sourcesOf } from '../../operations/list-sources.js';
import { pushSources } from '../../operations/push-sources.js';
import { nodeNamed } from '../../operations/save-node.js';
import { endpoint, noBody, noQuery } from './endpoint.js';
import { Page, pageOf, paging } from './page.js';
import { emptyBody, flag } from './values.js';

const shown = z.strictObject({
  node: z.string(),
  state: z.enum(sourceStates).describe('off: the list is the node’s own'),
  since: z.string().nullable().describe('since when that is its state'),
  wanted: z.array(z.string()).describe('what it is to ask, in order; tokens are not shown'),
  there: z.array(z.string()).nullable().describe('what it asked when it was seen last; null where it never was'),
  before: z.array(z.string()).nullable().describe('what it asked before the server wrote there the last time'),
  checked: z.string().nullable(),
  error: z.string().nullable().describe('why it could not be told'),
});

const operation = 'manage nodes';

export const list = endpoint({
  name: 'ListNodeSources',
  summary: 'which image servers nodes are to ask, and which they ask',
  operation,
  query: z.strictObject({ ...paging, full: flag.describe('whole objects instead of names') }),
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(shown)]),
  refusals: ['InvalidInput'],
  perform: async ({ query: { full, ...paging } }, deps) => {
    const { result, total, offset } = pageOf(await listSources(deps), paging, {
      node: ({ node }) => node,
      state: ({ state }) => state,
      since: ({ since }) => since ?? '',
    });
    return new Page<unknown>(full ? result : result.map(({ node }) => node), total, offset);
  },
});

export const push = endpoint({
  name: 'PushNodeSources',
  summary: 'has a node ask the image servers that are configured, at once',
  operation,
  query: noQuery,
  body: emptyBody,
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound', 'NodeNotManaged', 'NoPublicUrl', 'NodeDown', 'NodeFailed'],
  perform: async ({ params }, deps) => {
    const node = await nodeNamed(deps.catalog, params.host ?? '');
    await pushSources(deps, node);
    return sourcesOf(deps, node);
  },
});
