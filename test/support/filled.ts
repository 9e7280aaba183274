import type { ExecutionContext } from 'ava';
import { campaignNodes, campaigns } from '../../server/model/campaign.js';
import { groups } from '../../server/model/group.js';
import { nodes } from '../../server/model/node.js';
import { nodeImages } from '../../server/model/node-image.js';
import { type NodeStatus, nodeStatuses } from '../../server/model/node-status.js';
import { type Task, tasks } from '../../server/model/task.js';
import { userUuid } from '../../server/model/user.js';
import { addDatacenter, addMachine } from './datacenters.js';
import { addUser, numbered } from './fixtures.js';
import { addImage, type Fleet, startFleet } from './managed.js';
import { rememberRepository } from './repositories.js';
import { consoleFiles } from './seat.js';

/** Nobody is there. */
const NOWHERE = 'http://127.0.0.1:1';

/** A server whose every page has something to show; all of it stands in east, or is of the server. */
export async function startFilled(t: ExecutionContext): Promise<Fleet> {
  const fleet = await startFleet(t, { console: consoleFiles });
  const must = mustOf(fleet);
  const image = await addImage(fleet, 'base');
  await must('PUT', '/api/image/base', { label: 'tag-yellow', tags: ['db'], desc: 'what others are built on' });
  for (const name of ['web', 'store', 'a-name-of-32-letters-and-no-space']) await addImage(fleet, name.slice(0, 32));
  await must('PUT', '/api/image/store/deprecate', { reason: 'it is old' });
  await must('POST', '/api/image/empty', { manifest: { ...bare, version: '2' }, dc: 'east' });
  for (let n = 0; n < 12; n += 1) await addMachine(fleet, { ...machine(image), hostname: `web-${n}.example` });
  await must('POST', '/api/group/team', { alias: 'The team', permissions: 'admin', users: 'mia' });
  await must('POST', '/api/dc/east/group/team', {});
  await must('POST', '/api/webhook/hook', { url: NOWHERE, events: 'groups.deleted' });
  await fleet.eve('POST', '/api/webhook/hook', { url: NOWHERE, events: 'groups.deleted' });
  await rememberRepository(fleet, { name: 'rep', url: NOWHERE }, listed);
  await must('POST', '/api/follow/daily', { repository: 'rep', dc: 'east', match: 'base*', every: 0 });
  await must('POST', '/api/secret/login', { host: 'a.example', type: 'bearer', value: 'a-token' });
  await must('POST', '/api/secret/login', { host: 'a.example', type: 'bearer', value: 'a-token', dc: 'east' });
  await addNode(fleet, 'n1', image);
  await addCampaign(fleet, 'roll-out', image);
  await addTasks(fleet, '', 'east', { id: image, name: 'base' });
  return fleet;
}

type Must = (method: string, path: string, body: object) => Promise<void>;

const mustOf =
  ({ root }: Fleet): Must =>
  async (method, path, body) => {
    const { status, bytes } = await root(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${bytes}`);
  };

const bare = { name: 'empty', version: '1', os: 'linux', type: 'zone-dataset' };

const listed = Array.from({ length: 5 }, (_, n) => ({
  ...{ v: 2, uuid: numbered(100 + n), name: 'base-64', version: `24.${n}.0`, os: 'smartos', type: 'zone-dataset' },
  ...{ published_at: '2024-01-01T00:00:00.000Z', description: 'of elsewhere', state: 'active', public: true },
  files: [{ sha1: 'a'.repeat(40), size: 1024 * (n + 1), compression: 'gzip' }],
}));

const machine = (image: string) => ({ datacenter: 'east', node: 'n1', images: [{ disk: 1, image }], tags: ['db'] });

/** One that has told what it has, and is silent by now. */
async function addNode({ deps }: Fleet, name: string, image: string): Promise<void> {
  const at = deps.now().toISOString();
  const pool = (name: string, free: number) => ({ name, size: 2 ** 40, free, health: 'ONLINE' });
  const status: NodeStatus = {
    ...{ node: name, online: false, since: at, reason: 'nobody answers', inventoried: at },
    sources: { there: ['https://images.smartos.org'], at, error: 'it did not answer' },
    described: {
      ...{ platform: 'smartos', hostname: name, version: '20240111T000000Z', tools: { imgadm: '3.0' } },
      ...{ pools: [pool('zones', 2 ** 38), pool('data', 2 ** 33)], brands: ['joyent'], firmware: [], drivers: [] },
    },
  };
  const connection = { address: '127.0.0.1', port: 1, user: 'root', hostKeys: [], places: [] };
  await deps.catalog.write(async (tx) => {
    await tx.insert(nodes, {
      name,
      datacenters: ['east'],
      addresses: [],
      knownByAddress: false,
      connection,
      created: at,
    });
    await tx.insert(nodeStatuses, status);
    const copy = { node: name, pool: 'zones', state: 'ready' as const, size: 2 ** 20, seen: at, changed: at };
    await tx.insert(nodeImages, { ...copy, image });
    await tx.insert(nodeImages, { ...copy, image: numbered(99) });
  });
}

/** One that has come to its end. */
async function addCampaign({ deps }: Fleet, name: string, image: string): Promise<void> {
  const at = deps.now().toISOString();
  await deps.catalog.write(async (tx) => {
    const over = { state: 'done' as const, created: at, finished: at, until: at };
    await tx.insert(campaigns, { name, image, imageName: 'base', atOnce: 4, task: numbered(90), nodes: 1, ...over });
    const failed = { state: 'failed' as const, at, tries: 3, error: 'there is no pool zones' };
    await tx.insert(campaignNodes, { campaign: name, node: 'n1', ...failed });
  });
}

async function addTasks(
  { deps }: Fleet,
  mark: string,
  datacenter: string,
  image: { id: string; name: string },
): Promise<void> {
  const created = deps.now().toISOString();
  const task: Omit<Task, 'id' | 'status'> = {
    ...{ what: 'bulk', who: { name: `${mark}will`, uuid: userUuid(`${mark}will`) }, datacenter, created },
    ...{ objects: [{ kind: 'images', ...image }], result: [], params: {} },
  };
  const id = (number: number) => numbered(number + (mark === '' ? 0 : 50));
  await deps.catalog.write(async (tx) => {
    await tx.insert(tasks, { ...task, id: id(1), status: 'SUCCESS', started: created, finished: created });
    const result = { code: 'RemoteSourceError', detail: `${mark}it was cut` };
    await tx.insert(tasks, { ...task, id: id(2), status: 'FAILURE', started: created, finished: created, result });
    await tx.insert(tasks, { ...task, id: id(3), status: 'STARTED', started: created, progress });
  });
}

const progress = { done: 400, total: 1000, unit: 'bytes' as const, rate: 100, left: 6 };

/** On everything that only SuperAdmins and those of another data center may know of. */
export const MARK = 'hidden-';

/** Fills a data center that none of the others know of; what it gives changes something of everything there. */
export async function hide(fleet: Fleet): Promise<() => Promise<void>> {
  const must = mustOf(fleet);
  const { deps } = fleet;
  const name = (what: string) => MARK + what;
  const dc = name('dc');
  await addDatacenter(fleet, dc);
  const will = await addUser(fleet, name('will'));
  const bound = await addImage(fleet, name('image'), { dc });
  await addImage(fleet, name('shared'), { dc, dc_bound: false });
  const { uuid } = await addMachine(fleet, {
    hostname: `${MARK}vm.example`,
    datacenter: dc,
    images: [{ disk: 1, image: bound }],
  });
  await must('POST', `/api/group/${name('group')}`, { permissions: 'admin' });
  await must('POST', `/api/dc/${dc}/group/${name('group')}`, {});
  await must('POST', `/api/secret/${name('secret')}`, { host: 'a.example', type: 'bearer', value: 'a-token', dc });
  await fleet.ask('POST', `/api/webhook/${name('hook')}`, {
    body: { url: NOWHERE, events: 'groups.deleted' },
    as: 'anonymous',
    headers: will.headers,
  });
  await must('POST', `/api/follow/${name('follow')}`, { repository: 'rep', dc, every: 0 });
  await addTasks(fleet, MARK, dc, { id: bound, name: name('image') });
  await deps.catalog.write((tx) =>
    tx.insert(nodes, {
      ...{ name: name('node'), datacenters: [dc], addresses: [], knownByAddress: false },
      created: deps.now().toISOString(),
    }),
  );
  await addCampaign(fleet, name('campaign'), bound);
  await deps.catalog.write(async (tx) => {
    const created = deps.now().toISOString();
    const group = { alias: name('alias'), permissions: [], members: [will.uuid], datacenters: [dc], created };
    await tx.insert(groups, { name: name('members'), ...group });
  });
  let round = 0;
  return async () => {
    round += 1;
    const text = `${MARK}${round}`;
    await must('PUT', `/api/image/${name('image')}`, { desc: text });
    await must('PUT', `/api/image/${name('shared')}`, { alias: text });
    await must('PUT', `/api/dc/${dc}`, { description: text });
    await must('PUT', `/api/group/${name('group')}`, { alias: text });
    await must('PUT', `/api/vm/${uuid}`, { hostname: `${text}.example`, dc, images: [{ disk: 1, image: bound }] });
    await must('PUT', `/api/node/${name('node')}`, { addresses: `10.0.0.${round}` });
    await must('PUT', `/api/secret/${name('secret')}`, { dc, value: text });
    await must('PUT', `/api/user/${name('will')}`, { display_name: text });
  };
}
