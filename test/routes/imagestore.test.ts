import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import test, { type ExecutionContext } from 'ava';
import { datacenters, MAIN } from '../../server/model/datacenter.js';
import { repositories } from '../../server/model/repository.js';
import { repositoryImages } from '../../server/model/repository-image.js';
import { imagesOf } from '../../server/operations/browse-repository.js';
import { refreshDue } from '../../server/operations/refresh-due.js';
import { RepositoryBook } from '../../server/operations/repository-book.js';
import { newCertificate } from '../support/certificates.js';
import { addDatacenter, grant } from '../support/datacenters.js';
import { addUser, importImage, numbered } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { listening } from '../support/listening.js';
import { keptLog } from '../support/log.js';
import { type Reply, remote } from '../support/remote.js';
import { rememberRepository } from '../support/repositories.js';
import { type ServerOptions, startServer, type TestServer } from '../support/server.js';
import { told } from '../support/told.js';

const listed = (number: number, more: object = {}) => ({
  v: 2,
  uuid: numbered(number),
  name: `image-${number}`,
  version: '1.0.0',
  os: 'linux',
  type: 'lx-dataset',
  public: true,
  published_at: new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString(),
  ...more,
});

const many = (count: number) => Array.from({ length: count }, (_, at) => listed(at + 1));

/** What the answers hold, of one thing or of another. */
interface Shown {
  [field: string]: unknown;
  name: string;
  url: string;
  error: string | null;
  registered: boolean;
  manifest: { files: { size: number }[] };
  desc: string;
}

/** What the administrator asks for. */
async function got<T = Shown>({ ask }: TestServer, path: string): Promise<T> {
  return (await ask('GET', path, { as: 'admin' })).json.result as T;
}

/** A server with a repository that answers so, on whatever it is asked. */
async function world(t: ExecutionContext, list: unknown[] | Reply, options: ServerOptions = {}) {
  const other = await remote(t, { 'GET /images': list });
  const server = await startServer(t, options);
  const { status } = await server.ask('POST', '/api/repository/rep', { body: { url: other.url } });
  t.is(status, 201);
  return { server, other };
}

const refresh = ({ ask }: TestServer, name = 'rep') => ask('PUT', `/api/imagestore/${name}`, { body: {} });
const listOf = async ({ ask }: TestServer, query = '') =>
  (await ask('GET', `/api/imagestore/rep/image${query}`, { as: 'admin' })).json;
const shownOf = (server: TestServer, query: string) => got<Shown[]>(server, `/api/imagestore/rep/image${query}`);

async function remembered({ deps }: TestServer): Promise<string[]> {
  const found: string[] = [];
  for await (const record of deps.catalog.list(repositoryImages)) found.push(repositoryImages.id(record));
  return found;
}

test('another Slipway is refreshed, listed, shown, and followed in what it changes', async (t) => {
  const other = await startServer(t, { mode: 'public', authType: 'none' });
  for (const number of [1, 2, 3]) {
    await importImage(other, { ...listed(number), owner: numbered(0) }, { file: `bytes ${number}` });
  }
  const server = await startServer(t);
  await server.ask('POST', '/api/repository/rep', { body: { url: other.url } });
  t.like(await got(server, '/api/imagestore/rep'), { last_update: null, image_count: 0 });
  const refreshed = await refresh(server);
  t.is(refreshed.status, 200);
  t.like(refreshed.json.result, { name: 'rep', url: other.url, image_count: 3, error: null, refreshing: false });
  t.deepEqual(await listOf(server), {
    task_id: null,
    status: 'SUCCESS',
    result: [numbered(3), numbered(2), numbered(1)],
    total: 3,
    offset: 0,
  });
  const shown = await got(server, `/api/imagestore/rep/image/${numbered(2)}`);
  t.like(shown, {
    uuid: numbered(2),
    name: 'image-2',
    version: '1.0.0',
    os: 'linux',
    ostype: 6,
    state: 'active',
    download_size: 7,
    manifest_url: `${other.url}/images/${numbered(2)}`,
    registered: false,
  });
  t.is(shown.manifest.files[0]?.size, 7);
  await other.ask('DELETE', `/images/${numbered(1)}`);
  await other.ask('POST', `/images/${numbered(2)}?action=update`, { body: { description: 'other' } });
  t.is((await refresh(server)).status, 200);
  t.deepEqual(
    (await shownOf(server, '?full=true')).map(({ desc }) => desc),
    ['', 'other'],
  );
  t.deepEqual(await remembered(server), [`rep/${numbered(2)}`, `rep/${numbered(3)}`]);
  await importImage(server, { ...listed(3), owner: numbered(0) });
  t.deepEqual(
    (await shownOf(server, '?full=true')).map(({ registered }) => registered),
    [true, false],
  );
});

test('what is here already is marked for those who see it', async (t) => {
  const { server } = await world(t, many(2));
  await refresh(server);
  for (const [name, dc] of [
    ['alice', 'north'],
    ['bob', 'south'],
  ] as const) {
    await addDatacenter(server, dc);
    await grant(server, await addUser(server, name), dc, 'admin', 'image_import_admin');
  }
  const { status } = await server.ask('POST', '/api/image/base', {
    body: { manifest: listed(1, { owner: undefined, published_at: undefined }), dc: 'north', dc_bound: true },
  });
  t.is(status, 201);
  const registered = async (name: string) => {
    const headers = { authorization: `Bearer token-of-${name}` };
    const path = `/api/imagestore/rep/image/${numbered(1)}`;
    return Object((await server.ask('GET', path, { headers })).json.result).registered;
  };
  t.true(await registered('alice'));
  t.false(await registered('bob'), 'it is not told');
});

test('browse: search, systems, dates, order, pages', async (t) => {
  const now = new Date('2026-06-15T12:00:00Z');
  const ago = (days: number) => new Date(now.getTime() - days * 86_400_000).toISOString();
  const all = [
    listed(1, {
      name: 'Debian',
      type: 'zvol',
      published_at: ago(1),
      image_size: 10_240,
      description: 'the stable one',
    }),
    listed(2, { name: 'alpine', published_at: ago(40) }),
    listed(3, { name: 'base', published_at: ago(200), os: 'smartos', type: 'zone-dataset' }),
    listed(4, { name: 'old', published_at: ago(800), os: 'windows', type: 'zvol', homepage: 'javascript:alert(1)' }),
    listed(5, { name: 'undated', published_at: undefined, type: 'other', os: undefined, homepage: 'https://x.org/' }),
  ];
  const { server } = await world(t, all, { now: () => now });
  await refresh(server);
  const numbers = async (query: string) =>
    (await got<string[]>(server, `/api/imagestore/rep/image${query}`)).map((uuid) => Number(uuid.slice(-2)));
  const queries: [query: string, found: number[]][] = [
    ['', [1, 2, 3, 4, 5]],
    ['?search=DEBIAN', [1]],
    ['?search=stable', [1]],
    [`?search=${numbered(4)}`, [4]],
    ['?os=linux', [1, 2]],
    ['?ostype=6', [2]],
    ['?ostype=5', [3]],
    ['?last=30d', [1]],
    ['?last=30', [1]],
    ['?last=month', [1]],
    ['?last=year', [1, 2, 3]],
    ['?last=all', [1, 2, 3, 4, 5]],
    [`?since=${ago(200).slice(0, 10)}`, [1, 2, 3]],
    [`?until=${ago(40).slice(0, 10)}`, [2, 3, 4, 5]],
    [`?since=${ago(210)}&until=${ago(30)}`, [2, 3]],
    ['?order_by=name', [1, 2, 3, 4, 5]],
    ['?order_by=-size&limit=1', [1]],
    ['?limit=2&offset=1', [2, 3]],
  ];
  for (const [query, found] of queries) t.deepEqual(await numbers(query), found, query);
  t.like(await listOf(server, '?limit=2&offset=1'), { total: 5, offset: 1 });
  t.deepEqual(
    (await shownOf(server, '?full=true&order_by=name')).map(({ homepage }) => homepage),
    ['', '', '', '', 'https://x.org/'],
  );
  for (const query of [
    '?order_by=colour',
    '?last=fortnight',
    '?since=yesterday',
    '?ostype=9',
    '?last=month&since=2026-01-01',
    '?limt=1',
  ]) {
    t.is((await server.ask('GET', `/api/imagestore/rep/image${query}`, { as: 'admin' })).status, 400, query);
  }
  for (const path of [
    '/api/imagestore/none',
    '/api/imagestore/none/image',
    `/api/imagestore/rep/image/${numbered(9)}`,
  ]) {
    t.is((await server.ask('GET', path, { as: 'admin' })).status, 404, path);
  }
});

// By itself: beside all others a list of that length takes longer than a list may.
test.serial(
  'over 10,000 images: all are listed, only what has changed is written, and they are found again',
  async (t) => {
    let all = many(10_050);
    const { server, other } = await world(t, (request, response) => {
      const query = new URL(request.url ?? '', 'http://x').searchParams;
      const from = all.findIndex(({ uuid }) => uuid === query.get('marker')) + 1;
      response.end(JSON.stringify(all.slice(from, from + 1000)));
    });
    t.is((await refresh(server)).status, 200);
    t.is(other.asked.length, 11);
    t.is(other.asked[0], 'GET /images');
    t.like(await listOf(server, '?limit=3&offset=10000'), { total: 10_050, result: [50, 49, 48].map(numbered) });
    t.is((await shownOf(server, '?search=image-9999&full=true'))[0]?.name, 'image-9999');
    const changes: string[] = [];
    const stop = server.deps.catalog.follow(repositoryImages, (told) => changes.push(...told.map(({ id }) => id)));
    t.teardown(stop);
    all = [...all.slice(1), listed(1, { name: 'renamed' }), listed(20_000)];
    t.is((await refresh(server)).status, 200);
    t.deepEqual(changes, [`rep/${numbered(1)}`, `rep/${numbered(20_000)}`]);
    t.is((await listOf(server, '?limit=0')).total, 10_051);
  },
);

test('presets are off until somebody enables them', async (t) => {
  const server = await startServer(t);
  t.deepEqual(await got(server, '/api/imagestore'), []);
  t.deepEqual(await got(server, '/api/repository'), ['danubecloud', 'images.joyent.com']);
  t.is((await refresh(server, 'danubecloud')).status, 404);
  const enabled = await server.ask('PUT', '/api/repository/danubecloud', { body: { enabled: true } });
  t.like(enabled.json.result, { enabled: true, url: 'https://images.danube.cloud', every: 0 });
  t.deepEqual(await got(server, '/api/imagestore'), ['danubecloud']);
  await server.ask('PUT', '/api/repository/danubecloud', { body: { every: 60 } });
  t.deepEqual(await got(server, '/api/imagestore'), ['danubecloud'], 'it stays on');
});

type Lie = [what: string, reply: Reply, error: RegExp];

const text = (body: string) => (_: unknown, response: ServerResponse) => void response.end(body);
const deep = '['.repeat(8000) + ']'.repeat(8000);
const lies: Lie[] = [
  ['HTML', text('<!doctype html><html>'), /sent no JSON/],
  ['nothing', text(''), /list that ended early/],
  ['an object', text('{"images": []}'), /no list of objects/],
  ['numbers', text('[1, 2]'), /no list of objects/],
  ['cut JSON', text(`[${JSON.stringify(listed(1))},`), /list that ended early/],
  ['bad JSON', text('[{uuid: 1}]'), /sent no JSON/],
  ['no uuid', text(JSON.stringify([listed(1), { name: 'x' }])), /entry 2 has no uuid/],
  ['no name', text(JSON.stringify([{ ...listed(1), name: undefined }])), /has no name/],
  ['no os', text(JSON.stringify([{ ...listed(1), type: 'zvol', os: undefined }])), /has no os/],
  [
    'a deep manifest',
    text(`[${JSON.stringify(listed(1)).replace(/}$/, `,"x":${deep}}`)}]`),
    /image .* is nested too deeply/,
  ],
  ['a huge manifest', text(JSON.stringify([listed(1, { description: 'x'.repeat(30_000) })])), /entry of more than/],
  ['too many bytes', text(JSON.stringify([...many(150), ...many(150)])), /more bytes than a list may have/],
  ['too many images', text(JSON.stringify(many(150))), /more images than a list may have/],
  ['an error', (_, response) => void response.writeHead(500).end('secret-of-theirs'), /answered 500/],
  [
    'a refusal that repeats what it was told',
    (_, response) =>
      void response.writeHead(401).end('{"code": "UnauthorizedError", "message": "no: secret-of-theirs"}'),
    /answered 401 UnauthorizedError/,
  ],
  [
    'a bomb',
    (_, response) => void response.setHeader('content-encoding', 'gzip').end('secret-of-theirs'),
    /encodes its/,
  ],
  [
    'a cut',
    (_, response) => void response.writeHead(200, { 'content-length': 100 }).write('[', () => response.destroy()),
    /failed/,
  ],
  ['a loop', (_, response) => void response.writeHead(302, { location: '/images' }).end(), /./],
];

const refreshLimits = { each: 20_000, bytes: 50_000, count: 100 };

for (const [what, reply, error] of lies) {
  test(`a server that sends ${what}: 400, why is kept, and what was remembered stays`, async (t) => {
    let answer: Reply = (_, response) => void response.end(JSON.stringify(many(3)));
    const { server } = await world(t, (...asked) => answer(...asked), { refreshLimits });
    t.is((await refresh(server)).status, 200);
    const before = await got(server, '/api/imagestore/rep');
    answer = reply;
    const refused = await refresh(server);
    t.is(refused.status, 400);
    t.is(refused.json.code, 'RepositoryFailed');
    t.regex(refused.json.message ?? '', error);
    t.notRegex(String(refused.bytes), /secret-of-theirs/);
    const after = await got(server, '/api/imagestore/rep');
    t.deepEqual({ ...after, error: null }, before);
    t.true(refused.json.message?.endsWith(String(after.error)));
    t.is((await listOf(server)).total, 3);
    t.is((await remembered(server)).length, 3);
    answer = (_, response) => void response.end('[]');
    t.is((await refresh(server)).status, 200);
    t.like(await got(server, '/api/imagestore/rep'), { error: null, image_count: 0 });
    t.deepEqual(await remembered(server), []);
  });
}

test('a server that falls silent, or sends a byte now and then, is given up on', async (t) => {
  for (const reply of [() => {}, (_: unknown, response: ServerResponse) => trickle(response)]) {
    const { server } = await world(t, reply, { refreshLimits: { time: 100 } });
    const refused = await refresh(server);
    t.is(refused.status, 400);
    t.regex(refused.json.message ?? '', /the whole list did not come within 0.1 s/);
    t.like(await got(server, '/api/imagestore/rep'), { image_count: 0, last_update: null, refreshing: false });
  }
});

function trickle(response: ServerResponse): void {
  response.write('[');
  const timer = setInterval(() => response.write(' '), 10);
  response.once('close', () => clearInterval(timer));
}

test('endless pages, each of new images, come to an end', async (t) => {
  let next = 0;
  const { server, other } = await world(
    t,
    (_, response) => {
      next += 1000;
      response.end(JSON.stringify(many(1000).map((image, at) => ({ ...image, uuid: numbered(next + at) }))));
    },
    { refreshLimits: { count: 5500 } },
  );
  t.regex((await refresh(server)).json.message ?? '', /more images than a list may have/);
  t.is(other.asked.length, 6);
  t.deepEqual(await remembered(server), []);
});

test('pages that repeat themselves come to an end', async (t) => {
  const { server, other } = await world(t, many(1000));
  t.like((await refresh(server)).json.result, { image_count: 1000 });
  t.is(other.asked.length, 2);
});

test('endless HTML, and an endless manifest, are left early', async (t) => {
  for (const start of ['<html>', '[{"name": "']) {
    let sent = 0;
    const { server } = await world(t, (_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(64 << 10))) sent += 64 << 10;
      };
      response.write(start);
      response.on('drain', more);
      more();
    });
    t.is((await refresh(server)).status, 400);
    t.true(sent < 16 << 20, `${sent}`);
  }
});

test('two refreshes at once: the second is refused with 423', async (t) => {
  const held = gate();
  const { server, other } = await world(t, async (_, response) => {
    await held.opened;
    response.end(JSON.stringify(many(2)));
  });
  const first = refresh(server);
  while (other.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  t.is((await got(server, '/api/imagestore/rep')).refreshing, true);
  const second = await refresh(server);
  t.is(second.status, 423);
  t.is(second.json.code, 'Busy');
  held.open();
  t.is((await first).status, 200);
  t.is((await refresh(server)).status, 200);
});

test('all are refreshed; those that fail are named, each with its error, and harm no other', async (t) => {
  const { server } = await world(t, many(2));
  t.is((await server.ask('PUT', '/api/imagestore', { body: {} })).status, 200);
  const liar = await remote(t, { 'GET /images': (_, response) => void response.end('<html>') });
  await server.ask('POST', '/api/repository/liar', { body: { url: liar.url } });
  await server.ask('POST', '/api/repository/absent', { body: { url: 'http://127.0.0.1:1' } });
  const { status, json } = await server.ask('PUT', '/api/imagestore', { body: {} });
  t.is(status, 400);
  const failed = json.result as Record<string, string[]>;
  t.deepEqual(Object.keys(failed).sort(), ['absent', 'liar']);
  t.regex(failed.liar?.[0] ?? '', /no JSON/);
  t.regex(failed.absent?.[0] ?? '', /ECONNREFUSED/);
  const all = await got<Shown[]>(server, '/api/imagestore?full=true');
  t.deepEqual(
    all.map(({ name, error }) => [name, error !== null]),
    [
      ['absent', true],
      ['liar', true],
      ['rep', false],
    ],
  );
});

test('a base path is kept, and so is the channel', async (t) => {
  const other = await remote(t, { 'GET /deep/down/images': many(1) });
  const server = await startServer(t);
  const body = { url: `${other.url}/deep/down/`, channel: 'dev' };
  t.is((await server.ask('POST', '/api/repository/rep', { body })).status, 201);
  t.is((await refresh(server)).status, 200);
  t.deepEqual(other.asked, ['GET /deep/down/images?channel=dev']);
  const shown = await got(server, `/api/imagestore/rep/image/${numbered(1)}`);
  t.is(shown.manifest_url, `${other.url}/deep/down/images/${numbered(1)}?channel=dev`);
});

test('the token of a node in the path of a repository is told to nobody who browses', async (t) => {
  const token = `slipway_${'x'.repeat(30)}`;
  const other = await remote(t, { [`GET /n/${token}/images`]: many(1) });
  const server = await startServer(t);
  await server.ask('POST', '/api/repository/rep', { body: { url: `${other.url}/n/${token}` } });
  const answers = [await refresh(server)];
  t.is(answers[0]?.status, 200);
  for (const path of ['', '?full=true', '/rep', '/rep/image?full=true', `/rep/image/${numbered(1)}`]) {
    answers.push(await server.ask('GET', `/api/imagestore${path}`, { as: 'admin' }));
  }
  for (const { status, bytes } of answers) t.deepEqual([status, bytes.toString().includes(token)], [200, false]);
});

test('a list that has moved is found where it is', async (t) => {
  const other = await remote(t, {
    'GET /images': (_, response) => void response.writeHead(301, { location: '/new/images' }).end(),
    'GET /new/images': many(1),
  });
  const server = await startServer(t);
  await server.ask('POST', '/api/repository/rep', { body: { url: other.url } });
  t.like((await refresh(server)).json.result, { image_count: 1 });
});

test('another URL, in whichever way it is set, drops what was remembered, and so does removing it', async (t) => {
  const { server } = await world(t, many(1200));
  const empty = async (total: number) => {
    t.is((await remembered(server)).length, total);
    t.is((await listOf(server)).total, total);
  };
  const set = (url: string) => server.ask('PUT', '/api/repository/rep', { body: { url } });
  const { url } = await got(server, '/api/repository/rep');
  await refresh(server);
  await empty(1200);
  t.like((await set(`${url}/other`)).json.result, { image_count: 0, last_update: null });
  await empty(0);
  await set(url);
  await empty(0);
  await refresh(server);
  await empty(1200);
  await server.ask('PUT', '/api/repository/rep', { body: { channel: 'dev' } });
  await empty(0);
  await refresh(server);
  const repositoriesTo = (map: object) =>
    server.ask('PUT', '/api/dc/main/settings', { body: { VMS_IMAGE_REPOSITORIES: map } });
  await repositoriesTo({ rep: 'http://127.0.0.1:1' });
  await empty(0);
  await repositoriesTo({ rep: url });
  await refresh(server);
  await empty(1200);
  await repositoriesTo({});
  t.is((await server.ask('GET', '/api/imagestore/rep', { as: 'admin' })).status, 404);
  t.deepEqual(await remembered(server), []);
  t.is(await server.deps.catalog.get(repositories, 'rep'), undefined);
  await repositoriesTo({ rep: url });
  t.like(await got(server, '/api/repository/rep'), { enabled: true, last_update: null });
  await refresh(server);
  t.is((await server.ask('DELETE', '/api/repository/rep')).status, 200);
  t.deepEqual(await remembered(server), []);
  t.is(await server.deps.catalog.get(repositories, 'rep'), undefined);
  t.is((await server.ask('DELETE', '/api/repository/rep')).status, 404);
});

test('a refresh whose repository is changed under it keeps nothing', async (t) => {
  const held = gate();
  const { server, other } = await world(t, async (_, response) => {
    await held.opened;
    response.end(JSON.stringify(many(2)));
  });
  const first = refresh(server);
  while (other.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await server.ask('PUT', '/api/repository/rep', { body: { url: 'http://127.0.0.1:1' } });
  held.open();
  t.is((await first).status, 423);
  t.deepEqual(await remembered(server), []);
  t.like(await got(server, '/api/repository/rep'), { error: null, last_update: null });
});

test('a repository is made, changed and removed by SuperAdmins, and the setting with it', async (t) => {
  const server = await startServer(t);
  const { ask } = server;
  const settings = async () =>
    (await got<{ VMS_IMAGE_REPOSITORIES: Record<string, string> }>(server, '/api/dc/main/settings'))
      .VMS_IMAGE_REPOSITORIES;
  const made = await ask('POST', '/api/repository/rep', { body: { url: 'https://x.example/base', every: 30 } });
  t.is(made.status, 201);
  t.like(made.json.result, { name: 'rep', url: 'https://x.example/base', enabled: true, every: 30, secret: null });
  t.is((await settings()).rep, 'https://x.example/base');
  t.is((await ask('POST', '/api/repository/rep', { body: { url: 'https://x.example' } })).status, 406);
  const changed = await ask('PUT', '/api/repository/rep', { body: { authoritative: true, insecure: true } });
  t.like(changed.json.result, { authoritative: true, insecure: true, every: 30, url: 'https://x.example/base' });
  t.like((await ask('PUT', '/api/repository/rep', { body: { insecure: false } })).json.result, { insecure: false });
  for (const [name, body] of [
    ['Rep', { url: 'https://x.example' }],
    ['_local', { url: 'https://x.example' }],
    ['a'.repeat(33), { url: 'https://x.example' }],
    ['ok', {}],
    ['ok', { url: 'ftp://x.example' }],
    ['ok', { url: 'https://user:secret@x.example' }],
    ['ok', { url: 'https://x.example', every: -1 }],
    ['ok', { url: 'https://x.example', ca: 'no certificate' }],
    ['ok', { url: 'https://x.example', ca: '-----BEGIN CERTIFICATE-----\nabcd\n-----END CERTIFICATE-----' }],
    ['ok', { url: 'https://x.example', colour: 'red' }],
  ] as const) {
    t.is((await ask('POST', `/api/repository/${name}`, { body })).status, 400, JSON.stringify([name, body]));
  }
  t.is((await ask('PUT', '/api/repository/none', { body: {} })).status, 404);
  for (let number = 4; number <= 16; number += 1) {
    t.is((await ask('POST', `/api/repository/r${number}`, { body: { url: 'https://x.example' } })).status, 201);
  }
  t.regex((await ask('POST', '/api/repository/r17', { body: { url: 'https://x.example' } })).json.message ?? '', /16/);
  t.is(Object.keys(await settings()).length, 16);
  const { headers } = await addUser(server, 'bob');
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
    const options = { as: 'anonymous', headers, ...(method !== 'GET' && { body: {} }) } as const;
    t.is((await ask(method, '/api/repository/rep', options)).status, 403);
  }
});

test('a refresh is in the audit, once, with nothing of the images', async (t) => {
  const { server } = await world(t, many(1100));
  const { json } = await refresh(server);
  const entries = await got<{ id: string; objects: object[] }[]>(server, '/api/audit?object=rep');
  t.is(entries[0]?.id, String(json.task_id));
  t.deepEqual(entries[0]?.objects.length, 1);
  t.notRegex(JSON.stringify(await got(server, '/api/audit')), /repository-images/);
});

test('the uuids of an authoritative repository mean its images, wherever else they are offered', async (t) => {
  const [truth, mirror] = [
    await startServer(t, { mode: 'public', authType: 'none' }),
    await startServer(t, { mode: 'public', authType: 'none' }),
  ];
  for (const [server, numbers] of [
    [truth, [1, 2]],
    [mirror, [1, 3]],
  ] as const) {
    for (const number of numbers) {
      const manifest = { uuid: numbered(number), name: `image-${number}`, owner: numbered(0), public: true };
      await importImage(server, manifest);
    }
  }
  const server = await startServer(t);
  const { ask } = server;
  await ask('POST', '/api/repository/truth', { body: { url: truth.url, authoritative: true } });
  await ask('POST', '/api/repository/mirror', { body: { url: mirror.url } });
  await ask('PUT', '/api/imagestore', { body: {} });
  const bring = (repository: string, number: number) =>
    ask('POST', `/api/imagestore/${repository}/image/${numbered(number)}`, { body: { dc_bound: false } });
  const refused = await bring('mirror', 1);
  t.is(refused.status, 406);
  t.regex(refused.json.message ?? '', /repository "truth", which is authoritative/);
  const remotely = await ask('POST', `/images/${numbered(1)}?action=import-remote&source=${mirror.url}`);
  t.is(remotely.status, 409);
  t.is(await server.stored(numbered(1)), undefined);
  for (const [repository, number] of [
    ['truth', 1],
    ['mirror', 3],
  ] as const) {
    const started = await bring(repository, number);
    t.is(started.status, 201, started.bytes.toString());
    await server.deps.tasks.settled(String(started.json.task_id), new AbortController().signal);
    t.like(await got(server, `/api/image/${numbered(number)}`), { state: 'active', provenance: { repository } });
  }
});

test('a secret proves who asks, to its host only, and shows up nowhere', async (t) => {
  const VALUE = 'secret-of-the-repository';
  const seen: unknown[] = [];
  const { log, lines } = keptLog();
  const { server, other } = await world(
    t,
    ({ headers }, response) => {
      seen.push(headers.authorization);
      if (headers.authorization === `Bearer ${VALUE}`) return response.end(JSON.stringify(many(1)));
      const message = `who is ${headers.authorization}?`;
      return response.writeHead(401).end(JSON.stringify({ code: 'UnauthorizedError', message }));
    },
    { log },
  );
  const { ask } = server;
  const answers = [await refresh(server)];
  t.regex(answers[0]?.json.message ?? '', /answered 401/);
  for (const [name, value] of [
    ['good', VALUE],
    ['bad', `${VALUE}-no-more`],
  ]) {
    const body = { host: new URL(other.url).host, type: 'bearer', value };
    t.is((await ask('POST', `/api/secret/${name}`, { body })).status, 201);
  }
  const set = (body: object) => ask('PUT', '/api/repository/rep', { body });
  t.is((await set({ secret: 'bad' })).status, 200);
  answers.push(await refresh(server));
  t.is(answers[1]?.status, 400);
  answers.push(await set({ secret: 'good' }));
  t.like(answers[2]?.json.result, { secret: 'good' });
  answers.push(await refresh(server));
  t.is(answers[3]?.status, 200);
  t.deepEqual(seen, [undefined, `Bearer ${VALUE}-no-more`, `Bearer ${VALUE}`]);
  t.is((await ask('DELETE', '/api/secret/good', { body: {} })).status, 428, 'it is used');
  t.is((await set({ secret: 'none' })).status, 400);
  const elsewhere = await set({ url: 'https://elsewhere.example' });
  t.is(elsewhere.status, 400, 'it is not told to another host');
  t.is((await got(server, '/api/repository/rep')).url, other.url);
  t.is((await set({ url: 'https://elsewhere.example', secret: null })).status, 200);
  answers.push(elsewhere, await ask('GET', '/api/audit', { as: 'admin' }));
  for (const { bytes } of answers) t.false(bytes.toString().includes(VALUE));
  t.false(JSON.stringify(lines).includes(VALUE));
});

test('TLS is verified: by a certificate that is told, or not at all where that is said', async (t) => {
  const pem = await newCertificate();
  const other = createServer({ key: pem.key, cert: pem.certificate }, (_, response) => {
    response.end(JSON.stringify(many(1)));
  });
  const server = await startServer(t);
  const url = `https://127.0.0.1:${await listening(t, other)}`;
  await server.ask('POST', '/api/repository/rep', { body: { url } });
  const set = (body: object) => server.ask('PUT', '/api/repository/rep', { body });
  const refused = await refresh(server);
  t.is(refused.status, 400);
  t.regex(refused.json.message ?? '', /certificate/);
  t.is((await set({ ca: (await newCertificate()).certificate })).status, 200);
  t.is((await refresh(server)).status, 400);
  t.is((await set({ ca: pem.certificate })).status, 200);
  t.is((await refresh(server)).status, 200);
  t.is((await set({ ca: null })).status, 200);
  t.is((await refresh(server)).status, 400);
  t.is((await set({ insecure: true })).status, 200);
  t.is((await refresh(server)).status, 200);
});

test('what is remembered is there after a restart, and what is stale goes', async (t) => {
  const { server, other } = await world(t, many(700));
  const { deps } = server;
  await server.ask('POST', '/api/repository/stale', { body: { url: other.url } });
  for (const name of ['rep', 'stale']) t.is((await refresh(server, name)).status, 200);
  // As a crash leaves it behind the write that takes the name away.
  await deps.catalog.write(async (tx) => {
    const main = await tx.get(datacenters, MAIN);
    if (main) await tx.replace(datacenters, { ...main, settings: { VMS_IMAGE_REPOSITORIES: { rep: other.url } } });
  });
  t.is((await remembered(server)).length, 1400);
  const repositories = await RepositoryBook.open(deps.catalog);
  t.teardown(() => repositories.close());
  const restarted = { ...deps, repositories };
  t.is(imagesOf(repositories, { name: 'rep', url: other.url }).length, 700);
  await refreshDue(restarted);
  t.is((await remembered(server)).length, 700);
  t.is(imagesOf(repositories, { name: 'rep', url: other.url }).length, 700);
});

test('nobody but operators brings by hand what an authoritative repository has', async (t) => {
  const server = await startServer(t);
  await addDatacenter(server, 'east');
  const eve = await addUser(server, 'eve');
  await grant(server, eve, 'east', 'admin', 'image_admin', 'image_import_admin');
  const uuid = numbered(1);
  const manifest = { uuid, name: 'theirs', version: '1', type: 'other', os: 'other' };
  await rememberRepository(server, { name: 'truth', url: 'http://truth.invalid', authoritative: true }, [manifest]);
  const file = await remote(t, { 'GET /file': (_, response) => response.end('some bytes') });
  const bundled = await startServer(t);
  await importImage(bundled, { ...manifest, owner: numbered(2) });
  const { bytes } = await bundled.ask('GET', '/api/image/theirs/export', { as: 'admin' });

  const hers = { as: 'anonymous', headers: eve.headers } as const;
  const body = { v: 2, ...manifest, owner: eve.uuid, public: false };
  t.is(
    told(await server.ask('POST', `/images/${uuid}?action=import`, { ...hers, body })),
    '409 ImageUuidAlreadyExists',
  );
  const sourced = await server.ask('POST', `/images/${uuid}?action=import&source=${bundled.url}`, hers);
  t.is(told(sourced), '409 ImageUuidAlreadyExists');
  const managed = { manifest: { ...manifest, nic_driver: undefined } };
  t.is((await server.ask('POST', '/api/image/theirs', { ...hers, body: managed })).status, 406);
  const bare = { ...managed, file_url: `${file.url}/file`, format: 'raw' };
  t.is((await server.ask('POST', '/api/image/theirs', { ...hers, body: bare })).status, 406);
  const rows = (await server.ask('POST', '/api/bundle', { ...hers, body: bytes })).json.result as unknown as object[];
  t.like(rows[0], { status: 'refused', code: 'ImageUuidAlreadyExists' });
  t.is(await server.stored(uuid), undefined);
  const operators = await server.ask('POST', `/images/${uuid}?action=import`, { as: 'admin', body });
  t.is(told(operators), '200');
});
