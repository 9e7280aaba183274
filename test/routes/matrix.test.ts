import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import type { DatacenterSettings } from '../../server/model/datacenter-settings.js';
import {
  type Case,
  type Column,
  cases,
  type Grants,
  imgapi,
  management,
  type Person,
  people,
} from '../../server/model/matrix.js';
import { accessLevels, type RegisteredImage } from '../../server/model/registration.js';
import { saveImage } from '../../server/operations/save-image.js';
import { matrix } from '../model/matrix-table.js';
import { addDatacenter, addMachine, addNodeToken, grant, stored } from '../support/datacenters.js';
import { addUser } from '../support/fixtures.js';
import { type Answer, type Ask, sample, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';

type State = Partial<Pick<RegisteredImage, 'activated' | 'disabled'>> & { isOwn?: true };

/** What a row of the matrix is over HTTP. */
interface Way {
  /** Of the images that are asked for. */
  state?: State;
  /** What is set for D. */
  settings?: Partial<DatacenterSettings>;
  /** With the uuid of such an image; each of them has to be answered as the cell says. */
  requests: ((uuid: string, image: Case) => [method: string, path: string, options?: Ask])[];
  /** Whether the answer lists the image is what the cell says. */
  lists?: true;
  /** The status where it may be done, and something else than the law stands in the way. */
  permitted?: number;
  /** With which status a data center is refused that the caller is not to know of. */
  unknown?: number;
}

const png = { body: 'icon', headers: { 'content-type': 'image/png' } };
const unactivated = { activated: false };
const dc = ({ isBound }: Case) => (isBound ? 'dc=D' : '');
const manifest = ({ access }: Case) => ({ ...sample('dc'), public: access === 'public' });

const reads: Way['requests'] = [
  (uuid) => ['GET', `/images/${uuid}`],
  (uuid) => ['GET', `/images/${uuid}/file`],
  (uuid) => ['GET', `/images/${uuid}/icon`],
  (uuid) => ['GET', `/images/${uuid}/jobs`],
  (uuid) => ['GET', `/datasets/${uuid}/file`],
];
const lists: Way['requests'] = [
  () => ['GET', '/images?state=all'],
  (uuid) => ['GET', `/images?state=all&name=${uuid}`],
];
const activation: Way['requests'] = [(uuid) => ['POST', `/images/${uuid}?action=activate`]];
const updates: Way['requests'] = [
  (uuid) => ['POST', `/images/${uuid}?action=update`, { body: { description: 'other' } }],
];

const overImgapi: Record<string, Way> = {
  list: { requests: lists, lists: true },
  'list, D open': { requests: lists, lists: true },
  'get, file, icon, jobs': { requests: reads },
  'get, D open': { requests: reads },
  'get, disabled': { requests: reads, state: { disabled: true } },
  'get, disabled, D open': { requests: reads, state: { disabled: true } },
  'get, unactivated': { requests: reads, state: unactivated },
  'create by IMGAPI': {
    requests: [(_, image) => ['POST', `/images?${dc(image)}`, { body: manifest(image) }]],
    unknown: 422,
  },
  'import by IMGAPI': {
    requests: [
      (_, image) => {
        const uuid = randomUUID();
        return ['POST', `/images/${uuid}?action=import&${dc(image)}`, { body: { ...manifest(image), v: 2, uuid } }];
      },
    ],
    unknown: 422,
  },
  'add file': {
    requests: [(uuid) => ['PUT', `/images/${uuid}/file?compression=none`, { body: 'bytes' }]],
    state: unactivated,
  },
  activate: { requests: activation, state: unactivated },
  'activate, D open': { requests: activation, state: unactivated },
  'disable, update, acl, icon': {
    requests: [
      ...updates,
      (uuid) => ['POST', `/images/${uuid}?action=disable`],
      (uuid) => ['POST', `/images/${uuid}/acl`, { body: [randomUUID()] }],
      (uuid) => ['POST', `/images/${uuid}/acl?action=remove`, { body: [randomUUID()] }],
      (uuid) => ['PUT', `/images/${uuid}/icon`, png],
      (uuid) => ['DELETE', `/images/${uuid}/icon`],
    ],
  },
  'channel-add, export': {
    requests: [(uuid) => ['POST', `/images/${uuid}?action=channel-add`, { body: { channel: 'release' } }]],
  },
  'update, D open': { requests: updates },
  enable: { requests: [(uuid) => ['POST', `/images/${uuid}?action=enable`]], state: { disabled: true } },
  'delete by IMGAPI': { requests: [(uuid) => ['DELETE', `/images/${uuid}`]] },
};

/** By what management knows an image. */
const nameOf = (uuid: string) => `image-${uuid.slice(0, 20)}`;

const asked: Way['requests'] = [
  (uuid) => ['GET', `/api/image/${nameOf(uuid)}`],
  (uuid) => ['GET', `/api/image/${uuid}/`],
];
const picked: Way = { requests: [() => ['GET', '/api/dc/D/picker']], lists: true };
const madePublic: Way['requests'] = [(uuid) => ['PUT', `/api/image/${uuid}`, { body: { access: 1 } }]];

/** A new image; its manifest has a uuid when it is imported. */
const brought = (identity: () => object): Way => ({
  requests: [
    (_, { isBound, access }) => {
      const manifest = { ...sample('dc'), owner: undefined, public: undefined, version: randomUUID(), ...identity() };
      const where = isBound ? { dc: 'D', dc_bound: true } : { dc_bound: false };
      const body = { manifest, access: accessLevels[access], ...where };
      return ['POST', `/api/image/${nameOf(randomUUID())}`, { body }];
    },
  ],
  unknown: 400,
});

const overManagement: Record<string, Way> = {
  'list in D': { requests: [() => ['GET', '/api/dc/D/image']], lists: true },
  'list in D, deleted too': { requests: [() => ['GET', '/api/dc/D/image?deleted=True']], lists: true },
  'list all': { requests: [() => ['GET', '/api/image/']], lists: true },
  'show in D': { requests: [(uuid) => ['GET', `/api/dc/D/image/${nameOf(uuid)}`]] },
  show: { requests: asked },
  'list vms': { requests: [(uuid) => ['GET', `/api/image/${nameOf(uuid)}/vm`]] },
  'use for a new VM': picked,
  'use, private by DCAdmins': { ...picked, settings: { privateUsableByDcAdmin: true } },
  'use, its owner': { ...picked, state: { isOwn: true } },
  'update, deprecate, label': {
    requests: [
      (uuid) => ['PUT', `/api/image/${nameOf(uuid)}`, { body: { desc: 'other' } }],
      (uuid) => ['PUT', `/api/image/${nameOf(uuid)}`, { body: { owner: 'Member' } }],
      (uuid) => ['PUT', `/api/image/${nameOf(uuid)}`, { body: { label: 'red' } }],
      (uuid) => ['PUT', `/api/image/${nameOf(uuid)}/deprecate`, { body: { reason: 'old' } }],
    ],
  },
  'make public, D closed': { requests: madePublic },
  'make public, D open': { requests: madePublic },
  'change dc_bound': {
    requests: [(uuid, { isBound }) => ['PUT', `/api/image/${uuid}`, { body: { dc_bound: !isBound } }]],
  },
  delete: { requests: [(uuid) => ['DELETE', `/api/image/${nameOf(uuid)}`, { body: {} }]] },
  'attach to E': { requests: [(uuid) => ['POST', `/api/dc/E/image/${nameOf(uuid)}`, { body: {} }]] },
  'detach from D': { requests: [(uuid) => ['DELETE', `/api/dc/D/image/${nameOf(uuid)}`, { body: {} }]] },
  create: brought(() => ({})),
  import: brought(() => ({ v: 2, uuid: randomUUID() })),
  'create from a snapshot': {
    // It can be done as far as it is known where the machine runs.
    requests: [() => ['POST', `/api/vm/machine-of-d/snapshot/s/image/${nameOf(randomUUID())}`, { body: {} }]],
    permitted: 428,
  },
  'browse repositories': {
    requests: [
      () => ['GET', '/api/imagestore'],
      () => ['GET', '/api/imagestore/?full=True'],
      () => ['PUT', '/api/imagestore', { body: {} }],
    ],
  },
  'secrets of D': {
    requests: [
      () => ['GET', '/api/secret?dc=D'],
      () => [
        'POST',
        `/api/secret/s-${randomUUID().slice(0, 8)}`,
        { body: { dc: 'D', host: 'images.example.com', type: 'bearer', value: 'v' } },
      ],
    ],
  },
  'settings of D': { requests: [() => ['PUT', '/api/dc/D/settings', { body: { VMS_IMAGE_LIMIT: 1000 } }]] },
  'users, groups, nodes, DCs': {
    requests: [
      () => ['POST', `/api/user/u-${randomUUID().slice(0, 8)}`, { body: {} }],
      () => ['POST', `/api/group/g-${randomUUID().slice(0, 8)}`, { body: {} }],
      () => ['POST', `/api/node/n-${randomUUID().slice(0, 8)}`, { body: {} }],
      () => ['POST', `/api/dc/d-${randomUUID().slice(0, 8)}`, { body: {} }],
      () => ['POST', `/api/repository/r-${randomUUID().slice(0, 8)}`, { body: { url: 'http://127.0.0.1:1' } }],
    ],
  },
  'back up': { requests: [() => ['GET', '/api/backup']] },
  'move the server': { requests: [() => ['GET', '/api/migration'], () => ['DELETE', '/api/migration']] },
  members: { requests: [() => ['GET', '/api/member']] },
  overview: {
    requests: [() => ['GET', '/api/overview'], () => ['GET', '/api/overview/history?what=downloads']],
  },
  'overview of D': {
    requests: [() => ['GET', '/api/overview?dc=D'], () => ['GET', '/api/overview/history?what=images&dc=D']],
  },
};

const faces = [
  { face: imgapi, ways: overImgapi },
  { face: management, ways: overManagement },
];

const channels = [
  { name: 'dev', description: '', default: true },
  { name: 'release', description: '' },
];

const refusals: Record<string, number> = { '0': 400, '1': 401, '3': 403, '4': 404 };

for (const { operation, ...cells } of table<'operation' | Column>(matrix)) {
  const { face, ways } = faces.find(({ face }) => operation in face)!;
  const way = ways[operation];
  if (!way) continue;
  test(`over HTTP: ${operation}`, async (t) => {
    const settings = { ...way.settings, ...(face[operation]?.isOpen && { anonymous: true }) };
    const world = await arranged(t, settings);
    for (const [column, row] of Object.entries(cells) as [Column, string][]) {
      for (const [at, cell] of [...row.replace(' ', '')].entries()) {
        if (cell === '/') continue;
        for (const request of way.requests) await check(t, world, { column, image: cases[at]!, cell, way, request });
      }
    }
  });
}

test('every row of the matrix is asked over HTTP', (t) => {
  for (const { face, ways } of faces) {
    const missing = Object.keys(face).filter((operation) => !(operation in ways));
    t.deepEqual(missing, []);
  }
});

interface World {
  server: TestServer;
  /** What each of those who ask sends. */
  credentials: Record<Column, Record<string, string>>;
  /** Makes an image as the case is. */
  imageOf(image: Case, state: State & { owner: string | undefined }): Promise<string>;
  uuids: Partial<Record<Column, string>>;
  /** Images that were only read, to be read again. */
  read: Map<string, string>;
}

interface Question {
  column: Column;
  image: Case;
  cell: string;
  way: Way;
  request: Way['requests'][number];
}

async function check(t: ExecutionContext, world: World, { column, image, cell, way, request }: Question) {
  const { server, credentials, imageOf, uuids } = world;
  const { isOwn, ...state } = way.state ?? {};
  const wanted = { ...state, owner: isOwn && uuids[column] };
  const key = JSON.stringify([image, wanted]);
  const isRead = request('', image)[0] === 'GET';
  const uuid = (isRead && world.read.get(key)) || (await imageOf(image, wanted));
  if (isRead) world.read.set(key, uuid);
  const before = await stored(server, uuid);
  const [method, path, options] = request(uuid, image);
  server.deps.trusts = () => column === 'trusted';
  const headers = { ...options?.headers, ...credentials[column] };
  const answer = await server.ask(method, path, { ...options, headers, as: 'anonymous' });
  const why = `${column}: ${method} ${path}, ${image.isBound ? 'bound' : 'shared'} ${image.access}: ${answer.bytes.subarray(0, 300)}`;
  const expected = statusOf(cell, way, column);
  if (expected === undefined && way.permitted !== undefined) t.is(answer.status, way.permitted, why);
  else if (expected === undefined) t.true(answer.status >= 200 && answer.status < 300, why);
  else t.is(answer.status, expected, why);
  if (way.lists && answer.status === 200) return t.is(isListed(answer, uuid), cell === 'y', why);
  const made = madeBy(answer);
  if (expected !== undefined) t.deepEqual(await stored(server, uuid), before, why);
  else if (made !== undefined && way.unknown !== undefined) {
    await checkPlace(t, server, made, cell === 'b' ? homeOf(column) : image.isBound ? 'D' : undefined);
  }
}

/** The status of a refusal; a picker shows those that it serves what they may use, and nothing else. */
function statusOf(cell: string, { lists, unknown = 404, requests }: Way, column: Column): number | undefined {
  if (requests === picked.requests) return column === 'OfE' ? 404 : undefined;
  if (lists && cell === '.') return undefined;
  return cell === '4' ? unknown : refusals[cell];
}

/** The uuids of IMGAPI, or the names of management. */
function isListed({ list, json }: Answer, uuid: string): boolean {
  const result = Array.isArray(json.result) ? json.result : list;
  return result.some((one) => one === nameOf(uuid) || one.uuid === uuid);
}

function madeBy({ json }: Answer): string | undefined {
  const { result } = json;
  return typeof result === 'object' && result && 'uuid' in result ? String(result.uuid) : json.uuid;
}

/** What others than operators bring is bound to the one data center where they hold the role. */
function homeOf(column: Column): string {
  if (!(column in people)) return 'D';
  const { D }: Grants = people[column as Person];
  return D?.includes('image_admin') ? 'D' : 'E';
}

async function checkPlace(t: ExecutionContext, server: TestServer, uuid: string, boundTo: string | undefined) {
  const { registration } = await stored(server, uuid);
  t.is(registration?.boundTo, boundTo);
  t.deepEqual(registration?.datacenters, [boundTo ?? 'main']);
}

async function arranged(t: ExecutionContext, settings: Partial<DatacenterSettings>): Promise<World> {
  const server = await startServer(t, { channels });
  await addDatacenter(server, 'D', { settings });
  await addDatacenter(server, 'E');
  await addMachine(server, { hostname: 'machine-of-d', datacenter: 'D' });
  const credentials: Partial<World['credentials']> = { trusted: {}, anonymous: {} };
  const uuids: World['uuids'] = {};
  for (const [name, { superAdmin = false, ...grants }] of Object.entries<Grants>(people)) {
    const user = await addUser(server, name, { superAdmin });
    for (const [datacenter, permissions] of Object.entries(grants)) {
      await grant(server, user, datacenter, ...permissions);
    }
    credentials[name as Person] = user.headers;
    uuids[name as Person] = user.uuid;
  }
  credentials.node = await addNodeToken(server, 'node-of-d', ['D']);
  credentials.bringing = await addNodeToken(server, 'bringing', ['D'], { publish: 'D' });
  credentials.nodeOfE = await addNodeToken(server, 'node-of-e', ['E']);
  const model = await server.image();
  await server.ask('PUT', `/images/${model.uuid}/icon`, png);
  const record = await stored(server, model.uuid);
  return {
    server,
    credentials: credentials as World['credentials'],
    uuids,
    read: new Map(),
    imageOf: async ({ isBound, access }, { owner = record.owner, ...state }) => {
      const uuid = randomUUID();
      const registration = {
        name: nameOf(uuid),
        access,
        datacenters: ['D'],
        ...(isBound && { boundTo: 'D' }),
        created: '2026-01-01T00:00:00.000Z',
        changed: '2026-01-01T00:00:00.000Z',
      };
      const image = {
        ...record,
        ...state,
        owner,
        name: uuid,
        uuid,
        registration,
        public: access === 'public',
        version: uuid,
      };
      await server.deps.catalog.write((tx) => saveImage(tx, undefined, image, server.deps.now()));
      return uuid;
    },
  };
}
