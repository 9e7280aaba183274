import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { PATIENCE } from '../../server/operations/plan-import.js';
import { numbered } from '../support/fixtures.js';
import { leftBy, NOTHING } from '../support/imports.js';
import { BYTES, badManifests, fileOf, manifestOf } from '../support/lying-remote.js';
import { resultOf, said, startFleet } from '../support/managed.js';
import { type Reply, remote } from '../support/remote.js';
import { startServer } from '../support/server.js';

const UUID = numbered(1);
const BASE = numbered(5);

test('what an import of a manifest would bring is told, and nothing is done', async (t) => {
  const fleet = await startFleet(t);
  const from = await remote(t, {
    [`GET /images/${UUID}`]: manifestOf(BYTES, { description: 'théirs', origin: BASE, image_size: 4096, public: true }),
    [`GET /images/${BASE}`]: manifestOf('base', { uuid: BASE, name: 'théir base' }),
    'GET /a.json': manifestOf(BYTES, {
      uuid: numbered(7),
      name: 'a name of more than thirty-two letters',
      files: [{ compression: 'gzip' }],
    }),
  });
  const manifest_url = `${from.url}/images/${UUID}`;
  const told = await fleet.eve('POST', '/api/manifest', { manifest_url });
  t.is(told.status, 200, String(told.bytes));
  const { sha1, size } = fileOf(BYTES);
  t.like(resultOf(told), {
    ...{ uuid: UUID, key: 'remote', name: 'remote', version: '1.0.0', os: 'smartos', type: 'zone-dataset' },
    ...{ desc: 'théirs', size: 4096, download_size: size, sha1, sha256: null, compression: 'none', public: true },
    ...{ state: 'active', registered: false, taken: null },
    builds_on: [{ uuid: BASE, name: 'théir base', version: '1.0.0', download_size: 4 }],
  });
  t.like(resultOf(await fleet.root('POST', '/api/manifest', { manifest_url: `${from.url}/a.json`, dc: 'west' })), {
    ...{ key: 'a-name-of-more-than-thirty-two-l', sha1: null, download_size: 0, compression: 'gzip', builds_on: [] },
  });
  t.deepEqual(
    from.asked.filter((asked) => asked.includes('/file')),
    [],
  );
  t.deepEqual(await leftBy(fleet), NOTHING);
  t.deepEqual(resultOf(await fleet.root('GET', '/api/task')), []);
});

test('what is here already is told by name to those who see it, and by its uuid to others', async (t) => {
  const fleet = await startFleet(t);
  const from = await remote(t, { [`GET /images/${UUID}`]: manifestOf(BYTES) });
  const manifest_url = `${from.url}/images/${UUID}`;
  await fleet.root('POST', '/api/image/hid', {
    manifest: manifestOf(BYTES, { name: 'hid', state: undefined }),
    dc: 'west',
  });
  const toRoot = resultOf(await fleet.root('POST', '/api/manifest', { manifest_url }));
  t.like(toRoot, { registered: true, taken: `an image with uuid ${UUID} exists already: hid 1.0.0` });
  const toEve = await fleet.eve('POST', '/api/manifest', { manifest_url });
  t.like(resultOf(toEve), {
    registered: false,
    taken: `uuid ${UUID} is already registered; a SuperAdmin can attach its image`,
  });
  t.false(String(toEve.bytes).includes('hid'));
});

test('it is refused as the import would be, on the same fields', async (t) => {
  const fleet = await startFleet(t);
  const replies = Object.fromEntries(
    Object.entries(badManifests).map(([name, reply]) => [`GET /${encodeURIComponent(name)}/images/${UUID}`, reply]),
  );
  const from = await remote(t, {
    ...replies,
    [`GET /inactive/images/${UUID}`]: manifestOf(BYTES, { origin: numbered(8) }),
    [`GET /inactive/images/${numbered(8)}`]: manifestOf('base', { uuid: numbered(8), state: 'disabled' }),
  });
  const ask = async (who: 'root' | 'eve' | 'will' | 'mia', body: object) =>
    said(await fleet[who]('POST', '/api/manifest', body));
  const bad = Object.keys(badManifests);
  for (const name of bad) {
    const manifest_url = `${from.url}/${encodeURIComponent(name)}/images/${UUID}`;
    const asImport = said(await fleet.eve('POST', '/api/image/new', { manifest_url }));
    // Its file is looked at by the import only.
    const expected = asImport === '201' ? '200' : asImport;
    t.is(await ask('eve', { manifest_url }), expected, name);
  }
  const there = { manifest_url: `${from.url}/inactive/images/${UUID}` };
  // biome-ignore format: a table is read down its columns
  const calls = [
    ['eve',  there,                                     '400 OriginIsNotActive'],
    ['eve',  { manifest_url: 'ftp://x/y' },             '400 InvalidInput manifest_url'],
    ['eve',  { manifest_url: `${from.url}/none` },      '400 InvalidInput manifest_url'],
    ['eve',  {},                                        '400 InvalidInput manifest_url'],
    ['eve',  { ...there, dc: 'none' },                  '400 InvalidInput dc'],
    ['eve',  { ...there, dc: 'west' },                  '400 InvalidInput dc'],
    ['eve',  { ...there, secret: 'none' },              '400 InvalidInput secret'],
    ['eve',  { ...there, nonsense: 1 },                 '400 InvalidInput nonsense'],
    ['will', there,                                     '403 NotPermitted'],
    ['mia',  there,                                     '403 NotPermitted'],
  ] as const;
  for (const [who, body, expected] of calls) t.is(await ask(who, body), expected, `${who} ${JSON.stringify(body)}`);
});

test('a secret proves us to its own host only', async (t) => {
  const server = await startServer(t);
  const asked: (string | undefined)[] = [];
  const guarded: Reply = ({ headers }, response) => {
    asked.push(headers.authorization);
    if (headers.authorization !== 'Bearer sesame') return response.writeHead(401).end('{}');
    response.end(JSON.stringify(manifestOf(BYTES)));
  };
  const from = await remote(t, { 'GET /m.json': guarded });
  const other = await remote(t, { 'GET /m.json': guarded });
  const ask = (body: object) => server.ask('POST', '/api/manifest', { as: 'admin', body });
  const made = await server.ask('POST', '/api/secret/theirs', {
    as: 'admin',
    body: { host: new URL(from.url).host, type: 'bearer', value: 'sesame' },
  });
  t.is(made.status, 201, String(made.bytes));
  t.is((await ask({ manifest_url: `${from.url}/m.json`, secret: 'theirs' })).status, 200);
  const bare = await ask({ manifest_url: `${from.url}/m.json` });
  t.is(said(bare), '400 InvalidInput manifest_url');
  t.regex(String(bare.json.detail ?? bare.json.message), /401/);
  t.is(said(await ask({ manifest_url: `${other.url}/m.json`, secret: 'theirs' })), '400 InvalidInput secret');
  t.deepEqual(asked, ['Bearer sesame', undefined]);
});

test('who leaves is asked for no longer', async (t) => {
  const fleet = await startFleet(t);
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const manifest_url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/images/${UUID}`;
  const asking = request({
    ...{ host: '127.0.0.1', port: fleet.port, method: 'POST', path: '/api/manifest', agent: false },
    headers: { authorization: `Bearer ${fleet.token}`, 'content-type': 'application/json' },
  });
  asking.on('error', () => {});
  const reached = once(silent, 'request') as Promise<[IncomingMessage]>;
  asking.end(JSON.stringify({ manifest_url, dc: 'east' }));
  const [{ socket }] = await reached;
  const left = performance.now();
  asking.destroy();
  await once(socket, 'close');
  t.true(performance.now() - left < PATIENCE / 2);
});
