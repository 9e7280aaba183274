import { z } from 'zod';
import { invalidInput } from '../../../imgapi/errors.js';
import type { Deps } from '../../deps.js';
import { DATACENTER_NAME, type Datacenter, presentDatacenter } from '../../model/datacenter.js';
import type { Finding } from '../../operations/conditional-catalog.js';
import { deleteDatacenter } from '../../operations/delete-datacenter.js';
import { findDatacenter, listDatacenters } from '../../operations/find-datacenter.js';
import { createDatacenter, datacenterNamed, updateDatacenter } from '../../operations/save-datacenter.js';
import { type Asked, endpoint, noBody, noQuery, showing } from './endpoint.js';
import { Page, pageOf, paging } from './page.js';
import { inList, listed } from './tags.js';
import { emptyBody, flag, line } from './values.js';

const fields = z
  .strictObject({
    alias: line(32).min(1, 'is empty').optional(),
    owner: z.string().optional().describe('the login name of the user who administrates it whatever the groups say'),
    description: line(128).optional(),
    location: line(64).optional().describe('the site that it lies in'),
  })
  .optional();

const datacenter = z.strictObject({
  name: z.string(),
  alias: z.string(),
  owner: z.string(),
  description: z.string(),
  location: z.string(),
  created: z.iso.datetime(),
});

const present = ({ directory }: Deps, one: Datacenter) =>
  presentDatacenter(one, directory.users.get(one.owner)?.name ?? one.owner);

const named =
  ({ params }: Pick<Asked<unknown, unknown>, 'params'>): Finding =>
  (reader) =>
    datacenterNamed(reader, params.dc ?? '');

export const list = endpoint({
  name: 'ListDatacenters',
  summary: 'the data centers that the caller administrates',
  operation: 'show data centers',
  query: z.strictObject({ ...paging, full: flag.describe('whole objects instead of names') }),
  body: noBody,
  status: 200,
  answer: z.union([z.array(z.string()), z.array(inList(datacenter))]),
  refusals: [],
  perform: async ({ caller, query: { full, ...paging } }, deps) => {
    const all = listDatacenters(deps, caller).map((one) => listed(deps, one, present(deps, one)));
    const { result, total, offset } = pageOf(all, paging, {
      name: ({ name }) => name,
      alias: ({ alias }) => alias,
      owner: ({ owner }) => owner,
      location: ({ location }) => location,
      created: ({ created }) => created,
    });
    return new Page<unknown>(full ? result : result.map(({ name }) => name), total, offset);
  },
});

export const show = showing({
  name: 'GetDatacenter',
  summary: 'a data center',
  operation: 'show data centers',
  query: noQuery,
  body: noBody,
  status: 200,
  answer: datacenter,
  refusals: ['ResourceNotFound'],
  find: ({ caller, params }, deps) => findDatacenter(deps, caller, 'show data centers', params.dc ?? ''),
  present: (found, _, deps) => present(deps, found),
});

export const create = endpoint({
  name: 'CreateDatacenter',
  summary: 'a new data center, to which nothing is attached but global images',
  operation: 'manage data centers',
  query: noQuery,
  body: fields,
  status: 201,
  answer: datacenter,
  refusals: ['ObjectAlreadyExists'],
  perform: async ({ caller, own, params: { dc = '' }, body = {} }, deps) => {
    if (!DATACENTER_NAME.test(dc)) {
      const message = 'dc is not 1 to 16 letters, digits, ".", "_" and "-" that begin with a letter or digit';
      throw invalidInput([{ field: 'dc', code: 'Invalid', message }]);
    }
    return present(deps, await createDatacenter(deps, caller, own, dc, body));
  },
});

export const update = endpoint({
  name: 'UpdateDatacenter',
  summary: 'a data center as changed; what is not named stays',
  operation: 'manage data centers',
  query: noQuery,
  body: fields,
  status: 200,
  answer: datacenter,
  refusals: ['ResourceNotFound'],
  changes: named,
  perform: async ({ caller, own, params, body = {} }, deps) =>
    present(deps, await updateDatacenter(deps, caller, own, params.dc ?? '', body)),
});

export const remove = endpoint({
  name: 'DeleteDatacenter',
  summary: 'removes a data center; its images survive, and those that were bound to it become shared',
  operation: 'manage data centers',
  query: noQuery,
  body: emptyBody,
  status: 200,
  answer: z.strictObject({ released: z.array(z.string()).describe('the images that were bound to it') }),
  refusals: ['ResourceNotFound', 'DatacenterInUse', 'ImagePending'],
  changes: named,
  perform: ({ caller, own, params }, deps) => deleteDatacenter(deps, caller, own, params.dc ?? ''),
});
