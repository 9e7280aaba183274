import { z } from 'zod';
import { invalidInput } from '../../../imgapi/errors.js';
import type { Deps } from '../../deps.js';
import type { Caller } from '../../model/caller.js';
import { GROUP_NAME, type Group, permissions } from '../../model/group.js';
import { attachGroup, detachGroup, groupToPlace } from '../../operations/attach-group.js';
import type { Finding } from '../../operations/conditional-catalog.js';
import { findDatacenter, findGroup, listGroups, shownDatacenters } from '../../operations/find-datacenter.js';
import { createGroup, deleteGroup, groupNamed, updateGroup } from '../../operations/save-group.js';
import type { Asked } from './endpoint.js';
import { endpoint, noBody, noQuery, showing } from './endpoint.js';
import { Page, type Paging, pageOf, paging } from './page.js';
import { inList, listed } from './tags.js';
import { emptyBody, flag, line, listOf } from './values.js';

const fields = z
  .strictObject({
    alias: line(64).min(1, 'is empty').optional(),
    permissions: listOf(z.enum(permissions), permissions.join(', '))
      .optional()
      .describe('what its members may in its data centers'),
    users: listOf(z.string()).optional().describe('its members, by their login names'),
  })
  .optional();

const group = z.strictObject({
  name: z.string(),
  alias: z.string(),
  permissions: z.array(z.enum(permissions)),
  users: z.array(z.string()),
  dcs: z.array(z.string()).describe('to which it is attached, of those that the caller may know of'),
  created: z.iso.datetime(),
});

const lists = z.strictObject({ ...paging, full: flag.describe('whole objects instead of names') });
const groupList = z.union([z.array(z.string()), z.array(inList(group))]);

function present({ directory }: Deps, caller: Caller, one: Group): z.output<typeof group> {
  const { name, alias, permissions, members, created } = one;
  return {
    name,
    alias,
    permissions,
    users: members.flatMap((uuid) => directory.users.get(uuid)?.name ?? []).sort(),
    dcs: shownDatacenters(caller, one),
    created,
  };
}

function page(all: readonly Group[], { full, ...paging }: Paging & { full: boolean }, caller: Caller, deps: Deps) {
  const { result, total, offset } = pageOf(all, paging, {
    name: ({ name }) => name,
    alias: ({ alias }) => alias,
    created: ({ created }) => created,
  });
  return new Page(
    result.map((one) => (full ? listed(deps, one, present(deps, caller, one)) : one.name)),
    total,
    offset,
  );
}

const named =
  ({ params }: Pick<Asked<unknown, unknown>, 'params'>): Finding =>
  (reader) =>
    groupNamed(reader, params.name ?? '');

const placeOf = ({ params }: Pick<Asked<unknown, unknown>, 'params'>) => ({
  datacenter: params.dc ?? '',
  group: params.name ?? '',
});

export const list = endpoint({
  name: 'ListGroups',
  summary: 'the groups of the data centers that the caller administrates',
  operation: 'show data centers',
  query: lists,
  body: noBody,
  status: 200,
  answer: groupList,
  refusals: [],
  perform: async ({ caller, query }, deps) => page(listGroups(deps, caller), query, caller, deps),
});

export const show = showing({
  name: 'GetGroup',
  summary: 'a group',
  operation: 'show data centers',
  query: noQuery,
  body: noBody,
  status: 200,
  answer: group,
  refusals: ['ResourceNotFound'],
  find: ({ caller, params }, deps) => findGroup(deps, caller, params.name ?? ''),
  present: (found, { caller }, deps) => present(deps, caller, found),
});

export const create = endpoint({
  name: 'CreateGroup',
  summary: 'a new group, which is attached to no data center yet',
  operation: 'manage groups',
  query: noQuery,
  body: fields,
  status: 201,
  answer: group,
  refusals: ['ObjectAlreadyExists'],
  perform: async ({ caller, own, params: { name = '' }, body = {} }, deps) => {
    if (!GROUP_NAME.test(name)) {
      const message = 'name is not 1 to 32 letters, digits, ".", "_" and "-" that begin with a letter or digit';
      throw invalidInput([{ field: 'name', code: 'Invalid', message }]);
    }
    return present(deps, caller, await createGroup(deps, caller, own, name, body));
  },
});

export const update = endpoint({
  name: 'UpdateGroup',
  summary: 'a group as changed; what is not named stays',
  operation: 'manage groups',
  query: noQuery,
  body: fields,
  status: 200,
  answer: group,
  refusals: ['ResourceNotFound'],
  changes: named,
  perform: async ({ caller, own, params, body = {} }, deps) =>
    present(deps, caller, await updateGroup(deps, caller, own, params.name ?? '', body)),
});

export const remove = endpoint({
  name: 'DeleteGroup',
  summary: 'removes a group, and with it what it permitted',
  operation: 'manage groups',
  query: noQuery,
  body: emptyBody,
  status: 200,
  refusals: ['ResourceNotFound'],
  changes: named,
  perform: ({ caller, own, params }, deps) => deleteGroup(deps, caller, own, params.name ?? ''),
});

export const listAttached = endpoint({
  name: 'ListDatacenterGroups',
  summary: 'the groups that are attached to a data center',
  operation: 'show data centers',
  query: lists,
  body: noBody,
  status: 200,
  answer: groupList,
  refusals: ['ResourceNotFound'],
  perform: async ({ caller, params, query }, deps) => {
    const { name } = findDatacenter(deps, caller, 'show data centers', params.dc ?? '');
    const attached = listGroups(deps, caller).filter(({ datacenters }) => datacenters.includes(name));
    return page(attached, query, caller, deps);
  },
});

export const showAttached = showing({
  name: 'GetDatacenterGroup',
  summary: 'a group that is attached to a data center',
  operation: 'show data centers',
  query: noQuery,
  body: noBody,
  status: 200,
  answer: group,
  refusals: ['ResourceNotFound'],
  find: ({ caller, params }, deps) => {
    const { name } = findDatacenter(deps, caller, 'show data centers', params.dc ?? '');
    return findGroup(deps, caller, params.name ?? '', name);
  },
  present: (found, { caller }, deps) => present(deps, caller, found),
});

export const attach = endpoint({
  name: 'AttachGroup',
  summary: 'gives the members of a group its permissions in a data center',
  operation: 'manage data centers',
  query: noQuery,
  body: emptyBody,
  status: 201,
  answer: group,
  refusals: ['ResourceNotFound', 'ObjectAlreadyExists'],
  changes: (asked) => (reader) => groupToPlace(reader, placeOf(asked)),
  perform: async (asked, deps) =>
    present(deps, asked.caller, await attachGroup(deps, asked.caller, asked.own, placeOf(asked))),
});

export const detach = endpoint({
  name: 'DetachGroup',
  summary: 'takes from the members of a group its permissions in a data center',
  operation: 'manage data centers',
  query: noQuery,
  body: emptyBody,
  status: 200,
  refusals: ['ResourceNotFound'],
  changes: (asked) => (reader) => groupToPlace(reader, placeOf(asked)),
  perform: (asked, deps) => detachGroup(deps, asked.caller, asked.own, placeOf(asked)),
});
