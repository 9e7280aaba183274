import { z } from 'zod';
import { preflight } from '../../operations/preflight.js';
import { endpoint, noBody } from './endpoint.js';

const check = z.strictObject({
  name: z.string(),
  ok: z.boolean().nullable().describe('null where it can not be told, which speaks against nothing'),
  detail: z.string(),
});

export const show = endpoint({
  name: 'PreflightNode',
  summary: 'whether a node can make machines of an image: each check, and the first that fails',
  operation: 'manage nodes',
  query: z.strictObject({
    pool: z.string().max(200).optional().describe('where the image is to lie; needed where the node has several'),
    dc: z.string().max(100).optional().describe('in which the image is meant, where several have its name'),
  }),
  body: noBody,
  status: 200,
  answer: z.strictObject({
    node: z.string(),
    image: z.string(),
    pool: z.string().nullable(),
    ok: z.boolean(),
    failed: z.string().nullable(),
    checks: z.array(check),
  }),
  refusals: ['ResourceNotFound'],
  perform: ({ caller, params: { host = '', name = '' }, query }, deps) =>
    preflight(deps, caller, { node: host, image: name, ...query }),
});
