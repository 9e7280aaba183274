import { z } from 'zod';
import { ImgapiError, invalidInput } from '../../../imgapi/errors.js';
import { oses } from '../../../imgapi/image.js';
import { type Packing, packings } from '../../../imgapi/packing.js';
import { diskForms, NEW_SNAPSHOT, SNAPSHOT } from '../../model/snapshot.js';
import { checkSnapshotImage, createFromSnapshot } from '../../operations/create-from-snapshot.js';
import { listSnapshots, removeSnapshot, takeSnapshot } from '../../operations/node-snapshots.js';
import { endpoint, noBody } from './endpoint.js';
import { fields } from './image-shape.js';
import { newName } from './images.js';
import { truth, whole } from './values.js';

const MOST_DISKS = 1000;

const node = z.string().max(200).optional().describe('on which node, where several have a machine of that name');
const disk = z
  .union([z.number(), z.string().max(20)], 'is no number')
  .default(1)
  .describe('which disk, counted from 1');

/** Clients know what is no disk of a machine by its own status, whatever it is instead. */
function diskIn(given: number | string): number {
  if (/^[1-9]\d{0,3}$/.test(String(given))) return Number(given);
  throw new ImgapiError('InvalidDisk', `there is no disk "${given}": they are counted from 1`);
}

const wrongSnapshot = (message: string) =>
  invalidInput([{ field: 'snap', code: 'Invalid', message: `snap: ${message}` }]);

/** Whatever a node has can be asked for. */
function snapshotIn(name = ''): string {
  if (SNAPSHOT.test(name)) return name;
  throw wrongSnapshot('is empty, longer than 500 characters, or holds control characters');
}

function newSnapshot(name = ''): string {
  if (NEW_SNAPSHOT.test(name)) return name;
  throw wrongSnapshot('is not 1 to 200 characters without "/", "@" and control characters');
}

const listed = z.strictObject({
  name: z.string(),
  disk: z.number(),
  created: z.string().nullable(),
  guid: z.string().nullable(),
  used: z.number().nullable().describe('bytes that it takes by itself'),
  status: z.number().describe('1 ok, 2 pending: an image is made of it'),
  task: z.string().nullable().describe('which makes an image of it'),
});

const OK = 1;
const PENDING = 2;

const ofNode = ['NodeDown', 'NodeFailed', 'NodeNotManaged', 'NodeUnsuitable'] as const;

export const list = endpoint({
  name: 'ListSnapshots',
  summary: 'the snapshots of a machine, as its node has them at the moment',
  operation: 'register machines',
  query: z.strictObject({ node, disk_id: whole(1, MOST_DISKS).optional(), full: truth.optional() }),
  body: noBody,
  status: 200,
  answer: z.array(listed),
  refusals: ['ResourceNotFound', 'InvalidInput', ...ofNode],
  perform: async ({ caller, params, query }, deps) => {
    const found = await listSnapshots(deps, caller, { vm: params.vm ?? '', node: query.node });
    return found
      .filter((snapshot) => query.disk_id === undefined || snapshot.disk === query.disk_id)
      .map(({ name, disk, created, guid, used, task }) => ({
        name,
        disk,
        created: created ?? null,
        guid: guid ?? null,
        used: used ?? null,
        status: task === undefined ? OK : PENDING,
        task: task ?? null,
      }));
  },
});

const meant = z.strictObject({ node, disk_id: disk }).optional();

export const take = endpoint({
  name: 'TakeSnapshot',
  summary: 'a new snapshot of a disk of a machine',
  operation: 'create from snapshots',
  query: z.strictObject({}),
  body: meant,
  status: 201,
  answer: z.strictObject({ vm: z.string(), disk: z.number(), name: z.string() }),
  refusals: ['InvalidDisk', 'InvalidInput', 'ObjectAlreadyExists', 'ResourceNotFound', ...ofNode],
  perform: async ({ caller, params, body: { node, disk_id: disk } = { disk_id: 1 } }, deps) => {
    const named = { vm: params.vm ?? '', node, disk: diskIn(disk), snapshot: newSnapshot(params.snap) };
    const taken = await takeSnapshot(deps, caller, named);
    return { vm: taken.vm, disk: taken.disk, name: taken.snapshot };
  },
});

export const remove = endpoint({
  name: 'RemoveSnapshot',
  summary: 'removes a snapshot of which no image is made at the moment',
  operation: 'create from snapshots',
  query: z.strictObject({}),
  body: meant,
  status: 200,
  refusals: ['InvalidDisk', 'InvalidInput', 'ResourceNotFound', 'SnapshotPending', ...ofNode],
  perform: async ({ caller, params, body: { node, disk_id: disk } = { disk_id: 1 } }, deps) => {
    const named = { vm: params.vm ?? '', node, disk: diskIn(disk), snapshot: snapshotIn(params.snap) };
    await removeSnapshot(deps, caller, named);
  },
});

const { dc_bound: _, ...said } = fields;

export const create = endpoint({
  name: 'CreateFromSnapshot',
  summary: 'an image of a snapshot, as a task: it is bound to the data center of the machine, whoever asks',
  operation: 'create from snapshots',
  query: z.strictObject({}),
  body: z
    .strictObject({
      ...said,
      node,
      disk_id: disk,
      os: z.enum(oses).optional().describe('what the machine runs, where its node does not know'),
      take: z
        .boolean()
        .default(false)
        .describe('the snapshot is taken for it, under a name that begins like this, and removed afterwards'),
      incremental: z
        .boolean()
        .default(false)
        .describe('only what has changed since the image that the disk was made of, which has to be here'),
      format: z
        .enum(diskForms)
        .optional()
        .describe('how a disk is sent; as raw bytes unless given, and of filesystems a stream'),
      compression: z.enum(packings).default('gzip').describe('zstd only where the setting zstdImages allows it'),
      compression_level: whole(0, 19).optional(),
      compress_on: z.enum(['node', 'here']).default('node').describe('where it is packed'),
    })
    .optional(),
  status: 201,
  answer: z.strictObject({
    uuid: z.string(),
    snapshot: z.string().describe('by the name that it has on the node'),
    warnings: z.array(z.string()).describe('what of the machine does not come along'),
  }),
  refusals: [
    'ImageFileTooBig',
    'InsufficientSpace',
    'InvalidDisk',
    'InvalidInput',
    'MachineState',
    'NoImageServer',
    'ObjectAlreadyExists',
    'OriginDoesNotExist',
    'OriginIsNotActive',
    'QuotaExceeded',
    'ResourceNotFound',
    'SnapshotPending',
    'ValidationFailed',
    ...ofNode,
  ],
  check: ({ caller, params, body = { take: false, disk_id: 1 } }, deps) => {
    diskIn(body.disk_id);
    (body.take ? newSnapshot : snapshotIn)(params.snap);
    const { node, owner } = body;
    return checkSnapshotImage(deps, caller, { vm: params.vm ?? '', node }, { name: newName(params.name), owner });
  },
  perform: async ({ caller, params, body }, deps) => {
    const {
      node,
      disk_id: disk = 1,
      os,
      take = false,
      incremental = false,
      format,
      compression = 'gzip',
      compression_level: level,
      compress_on: on = 'node',
      ...image
    } = body ?? {};
    const snapshot = take ? newSnapshot(params.snap) : snapshotIn(params.snap);
    const packing = { kind: compression satisfies Packing, level, on };
    return createFromSnapshot(
      deps,
      caller,
      { vm: params.vm ?? '', node },
      { ...image, name: newName(params.name) },
      { disk: diskIn(disk), snapshot, take, incremental, format, packing, os },
    );
  },
});
