import { z } from 'zod';
import { nodeChecks } from '../../model/node-check.js';
import { checkNode } from '../../operations/check-node.js';
import { listNodeVms } from '../../operations/list-vms.js';
import { refreshNode } from '../../operations/refresh-node.js';
import { nodeNamed } from '../../operations/save-node.js';
import { endpoint, noBody, noQuery } from './endpoint.js';
import { paging } from './page.js';
import { emptyBody, flag } from './values.js';
import { listedVms, page } from './vms.js';

const operation = 'manage nodes';

export const take = endpoint({
  name: 'TakeInventory',
  summary: 'asks a node for its machines, their disks and its images, now; what waits for the node is done as well',
  operation,
  query: noQuery,
  body: emptyBody,
  status: 200,
  answer: z.strictObject({
    machines: z.number(),
    came: z.number().describe('machines that were not known there'),
    went: z.number().describe('machines that are there no longer'),
    images: z.number(),
  }),
  refusals: ['ResourceNotFound', 'Busy', 'NodeDown', 'NodeFailed', 'NodeNotManaged', 'NodeUnsuitable'],
  perform: async ({ params }, deps) => refreshNode(deps, await nodeNamed(deps.catalog, params.host ?? '')),
});

const check = z.strictObject({
  check: z.enum(nodeChecks),
  ok: z.boolean().nullable().describe('null where it could not be looked at'),
  found: z.string().describe('what there is, or what is wrong'),
  advice: z.string().nullable().describe('what to do about it'),
});

export const look = endpoint({
  name: 'CheckNode',
  summary: 'whether a node can be worked with, looked at now: all that it needs, and first what it lacks',
  operation,
  query: noQuery,
  body: noBody,
  status: 200,
  answer: z.strictObject({
    failed: z.enum(nodeChecks).nullable().describe('the first that fails'),
    checks: z.array(check),
  }),
  refusals: ['ResourceNotFound'],
  perform: async ({ params }, deps) => checkNode(deps, await nodeNamed(deps.catalog, params.host ?? '')),
});

export const machines = endpoint({
  name: 'ListNodeMachines',
  summary: 'the machines on a node, or those that were there when it was heard of last',
  operation,
  query: z.strictObject({ ...paging, full: flag.describe('whole objects instead of host names') }),
  body: noBody,
  status: 200,
  answer: listedVms,
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, params, query }, deps) => {
    const node = await nodeNamed(deps.catalog, params.host ?? '');
    return page(deps, caller, listNodeVms(deps, node), query);
  },
});
