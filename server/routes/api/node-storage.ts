import { z } from 'zod';
import { nodeImageStates } from '../../model/node-image.js';
import { startCleaning } from '../../operations/clean-pool.js';
import { findCopy, listCopies, listPools, showCopy } from '../../operations/list-copies.js';
import { startRemoval } from '../../operations/remove-copy.js';
import { startPull } from '../../operations/start-pull.js';
import { type Asked, endpoint, noBody } from './endpoint.js';
import { dc } from './image-shape.js';
import { Page, pageOf, paging } from './page.js';
import { emptyBody, flag, whole } from './values.js';

const operation = 'manage nodes';

const pool = z.strictObject({
  name: z.string(),
  size: z.number().nullable().describe('in bytes; null where the node has not told'),
  free: z.number().nullable(),
  health: z.string().nullable(),
  images: z.number(),
  vms: z.number(),
});

export const pools = endpoint({
  name: 'ListNodePools',
  summary: 'the pools of a node, as it has told of them, with how many images and machines are on each',
  operation,
  query: z.strictObject({ ...paging, full: flag.describe('objects instead of names') }),
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(pool)]),
  refusals: ['ResourceNotFound'],
  perform: async ({ params, query: { full, ...paging } }, deps) => {
    const { result, total, offset } = pageOf(await listPools(deps, params.host ?? ''), paging, {
      name: ({ name }) => name,
      size: ({ size }) => size ?? 0,
      free: ({ free }) => free ?? 0,
      images: ({ images }) => images,
      vms: ({ vms }) => vms,
    });
    return new Page<unknown>(full ? result : result.map(({ name }) => name), total, offset);
  },
});

const copy = z.strictObject({
  name: z.string().describe('as management calls it; its uuid where nobody here knows it'),
  uuid: z.string(),
  known: z.boolean().describe('whether it is an image of this server'),
  alias: z.string().nullable(),
  version: z.string().nullable(),
  state: z.enum(nodeImageStates),
  task: z.string().nullable().describe('what brings it or takes it away'),
  size: z.number().nullable().describe('bytes that it takes there'),
  seen: z.string().nullable().describe('when it was there last'),
  vm_count: z.number().describe('machines that use it there'),
  vms: z.array(z.strictObject({ hostname: z.string(), dc: z.string().nullable() })).optional(),
});

const looks = {
  full: flag.describe('objects instead of names'),
  extended: flag.describe('with the machines that use it there'),
};

type Shown = Awaited<ReturnType<typeof showCopy>>;

const plain = ({ vms: _, ...shown }: Shown) => shown;

const withMachines = ({ vms, ...shown }: Shown) => ({
  ...shown,
  vms: vms.map(({ hostname, datacenter = null }) => ({ hostname, dc: datacenter })),
});

const meant = ({ params }: Pick<Asked<unknown, unknown>, 'params'>) => ({
  node: params.host ?? '',
  pool: params.pool ?? '',
  image: params.name ?? '',
});

export const images = endpoint({
  name: 'ListNodeImages',
  summary: 'the images on a pool of a node',
  operation,
  query: z.strictObject({ ...paging, ...looks }),
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(copy)]),
  refusals: ['ResourceNotFound'],
  perform: async ({ params, query: { full, extended, ...paging } }, deps) => {
    const copies = await listCopies(deps, params.host ?? '', params.pool ?? '');
    const shown = await Promise.all(copies.map((one) => showCopy(deps, one)));
    const { result, total, offset } = pageOf(shown, paging, {
      name: ({ name }) => name,
      uuid: ({ uuid }) => uuid,
      state: ({ state }) => state,
      size: ({ size }) => size ?? 0,
      vm_count: ({ vm_count }) => vm_count,
    });
    const present = extended ? withMachines : plain;
    const answers = full || extended ? result.map((one) => present(one)) : result.map(({ name }) => name);
    return new Page<unknown>(answers, total, offset);
  },
});

export const show = endpoint({
  name: 'GetNodeImage',
  summary: 'an image on a pool of a node',
  operation,
  query: z.strictObject({ full: flag, extended: looks.extended, dc }),
  body: noBody,
  status: 200,
  answer: copy,
  refusals: ['ResourceNotFound'],
  perform: async (asked, deps) => {
    const found = await findCopy(deps, asked.caller, { ...meant(asked), dc: asked.query.dc });
    const shown = await showCopy(deps, found);
    return asked.query.extended ? withMachines(shown) : plain(shown);
  },
});

export const pull = endpoint({
  name: 'PullNodeImage',
  summary: 'has a node fetch an image from here, and what it builds on, as a task',
  operation,
  query: z.strictObject({}),
  body: z
    .strictObject({
      dc,
      bandwidth: whole(1).optional().describe('bytes a second, where the tool of the node can keep to it'),
    })
    .optional(),
  status: 201,
  answer: z.null().describe('what the task comes to is {node, pool, image, images, bytes}'),
  refusals: [
    'ResourceNotFound',
    'ObjectAlreadyExists',
    'Busy',
    'ImagePending',
    'NodeUnsuitable',
    'NoPublicUrl',
    'NodeNotManaged',
    'NodeDown',
    'NodeFailed',
    'InsufficientSpace',
    'OriginIsNotActive',
  ],
  perform: (asked, deps) => startPull(deps, asked.caller, { ...meant(asked), ...asked.body }),
});

export const remove = endpoint({
  name: 'RemoveNodeImage',
  summary: 'removes an image from a pool of a node, as a task; not from this server',
  operation,
  query: z.strictObject({}),
  body: z.strictObject({ dc }).optional(),
  status: 201,
  answer: z.null().describe('what the task comes to is {node, pool, image}'),
  refusals: [
    'ResourceNotFound',
    'Busy',
    'ImagePending',
    'ImageInUse',
    'ImageHasDependentImages',
    'NodeNotManaged',
    'NodeDown',
    'NodeFailed',
  ],
  perform: (asked, deps) => startRemoval(deps, asked.caller, { ...meant(asked), ...asked.body }),
});

export const clean = endpoint({
  name: 'RemoveUnusedNodeImages',
  summary: 'removes every image from a pool of a node that nothing there uses, as a task',
  operation,
  query: z.strictObject({}),
  body: emptyBody,
  status: 201,
  answer: z
    .null()
    .describe('what the task comes to is a list of {image, name, status, code, detail}; what is in use is SKIPPED'),
  refusals: ['ResourceNotFound', 'NodeNotManaged', 'NodeDown', 'NodeFailed'],
  perform: ({ caller, params }, deps) =>
    startCleaning(deps, caller, { node: params.host ?? '', pool: params.pool ?? '' }),
});
