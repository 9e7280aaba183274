import { z } from 'zod';
import type { Deps } from '../../deps.js';
import type { Caller } from '../../model/caller.js';
import { sources } from '../../model/finding.js';
import { machineStates } from '../../model/machine-state.js';
import { TAG } from '../../model/managed-fields.js';
import { HOSTNAME, type Vm, vmStates } from '../../model/vm.js';
import type { Finding } from '../../operations/conditional-catalog.js';
import { listImageVms, listVms, showVm } from '../../operations/list-vms.js';
import { checkMove, findVm, forgetVm, registerVm, vmToRegister } from '../../operations/register-vm.js';
import { type Asked, endpoint, noBody, showing } from './endpoint.js';
import { dc } from './image-shape.js';
import { Page, type Paging, pageOf, paging } from './page.js';
import { inList, listed } from './tags.js';
import { emptyBody, flag, listOf } from './values.js';

const disks = z.array(z.strictObject({ disk: z.number(), image: z.string(), size: z.number().nullable() }));

const found = z.strictObject({
  node: z.string(),
  hostname: z.string(),
  state: z.enum(machineStates),
  brand: z.string().nullable(),
  images: disks.describe('what its disks were found to be made of'),
  since: z.string().describe('since when it is found there'),
  seen: z.string().nullable().describe('when the inventory of the node was taken last'),
  elsewhere: z.array(z.string()).describe('other nodes that have a machine of this uuid'),
});

export const shown = z.strictObject({
  uuid: z.string(),
  hostname: z.string(),
  dc: z.string().nullable(),
  node: z.string().nullable().describe('where it was found; as registered where it was not'),
  registered_node: z.string().nullable().describe('as registered, wherever it was found'),
  owner: z.string().nullable(),
  tags: z.array(z.string()),
  images: disks.describe('as registered; as found where it is not'),
  state: z.enum(vmStates),
  source: z.enum(sources).describe('how it is known'),
  found: found.nullable().describe('as its node tells of it; null where no node has it'),
  created: z.string(),
  changed: z.string(),
});

export const listedVms = z.union([z.array(z.string()), z.array(inList(shown))]);

const fields = {
  hostname: ({ hostname }: Vm) => hostname,
  state: ({ state }: Vm) => state,
  node: ({ node = '', found }: Vm) => found?.node ?? node,
  created: ({ created }: Vm) => created,
};

export async function page(
  deps: Deps,
  caller: Caller,
  all: readonly Vm[],
  { full, ...paging }: Paging & { full: boolean },
) {
  const { result, total, offset } = pageOf(all, paging, fields);
  const shown = full
    ? await Promise.all(result.map(async (vm) => listed(deps, vm, await showVm(deps, caller, vm))))
    : result.map(({ hostname }) => hostname);
  return new Page<unknown>(shown, total, offset);
}

const vmMeant =
  ({ caller, params }: Pick<Asked<unknown, unknown>, 'caller' | 'params'>): Finding =>
  (reader) =>
    findVm(reader, caller, params.uuid ?? '');

export const list = endpoint({
  name: 'ListMachines',
  summary: 'the machines that are registered or were found in the data centers of the caller',
  operation: 'register machines',
  query: z.strictObject({
    ...paging,
    full: flag.describe('whole objects instead of host names'),
    dc,
    image: z.uuid('is no uuid').optional().describe('those that use the image of this uuid'),
  }),
  body: noBody,
  status: 200,
  answer: listedVms,
  refusals: ['InvalidInput'],
  perform: async ({ caller, query: { dc: where, image, ...query } }, deps) =>
    page(deps, caller, listVms(deps, caller, { dc: where, image }), query),
});

export const ofImage = endpoint({
  name: 'ListImageMachines',
  summary: 'the machines that use an image, of those that the caller sees',
  operation: 'list vms',
  query: z.strictObject({ ...paging, full: flag.describe('whole objects instead of host names'), dc }),
  body: noBody,
  status: 200,
  answer: listedVms,
  refusals: ['ResourceNotFound', 'InvalidInput'],
  perform: async ({ caller, params, query: { dc: where, ...query } }, deps) =>
    page(deps, caller, await listImageVms(deps, caller, { image: params.name ?? '', dc: where }), query),
});

export const show = showing({
  name: 'GetMachine',
  summary: 'a machine as it is registered, and as it was found on its node',
  operation: 'register machines',
  query: z.strictObject({ full: flag }),
  body: noBody,
  status: 200,
  answer: shown,
  refusals: ['ResourceNotFound'],
  find: ({ caller, params }, { catalog }) => findVm(catalog, caller, params.uuid ?? ''),
  present: (vm, { caller }, deps) => showVm(deps, caller, vm),
});

const disk = z.strictObject({
  disk: z.number().int().min(1).max(64).describe('counted from 1'),
  image: z.string().max(100).describe('by name or uuid'),
  size: z.number().int().min(1).optional().describe('in MiB'),
});

export const register = endpoint({
  name: 'RegisterMachine',
  summary: 'which images a machine uses: from now on they can neither be deleted nor be detached',
  operation: 'register machines',
  query: z.strictObject({}),
  body: z.strictObject({
    hostname: z.string().regex(HOSTNAME, 'is not a host name'),
    dc: dc.describe('its data center; that of its node where this is absent'),
    node: z.string().max(200).optional().describe('of those that serve its data center; none where this is absent'),
    owner: z.string().max(100).optional().describe('a user, by name'),
    tags: listOf(z.string().regex(TAG, 'is not a tag')).default([]),
    images: z.array(disk).max(64).default([]).describe('what its disks are made of'),
    state: z.enum(vmStates).default('active'),
  }),
  status: 200,
  answer: shown,
  refusals: ['InvalidInput', 'ObjectAlreadyExists', 'ResourceNotFound'],
  changes:
    ({ caller, params }) =>
    (reader) =>
      vmToRegister(reader, caller, params.uuid ?? ''),
  makes: vmMeant,
  perform: async ({ caller, params, body }, deps) =>
    showVm(deps, caller, await registerVm(deps, caller, { ...body, uuid: params.uuid ?? '' })),
});

export const forget = endpoint({
  name: 'ForgetMachine',
  summary: 'a machine is gone: what it used is free, as soon as its node does not have it either',
  operation: 'register machines',
  query: z.strictObject({}),
  body: emptyBody,
  status: 200,
  refusals: ['ResourceNotFound', 'AlreadyDone'],
  changes: vmMeant,
  perform: ({ caller, params }, deps) => forgetVm(deps, caller, params.uuid ?? ''),
});

export const move = endpoint({
  name: 'CheckMachineMove',
  summary: 'whether a data center has all images of a machine; refused with those that it lacks',
  operation: 'register machines',
  query: z.strictObject({ dc: z.string().max(100).describe('where the machine would go') }),
  body: noBody,
  status: 200,
  answer: z.strictObject({ missing: z.array(z.string()) }),
  refusals: ['ResourceNotFound', 'InvalidInput'],
  perform: async ({ caller, params, query }, deps) => {
    await checkMove(deps, caller, params.uuid ?? '', query.dc);
    return { missing: [] };
  },
});
