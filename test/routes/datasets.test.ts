import test from 'ava';
import { UNSET_OWNER } from '../../imgapi/image.js';
import { ADMIN } from '../../server/model/user.js';
import { addUser, importImage, numbered } from '../support/fixtures.js';
import { startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';

const UUID = numbered(1);
const imgadm = { 'user-agent': 'imgadm/3.9.2 (node/0.10.48; OpenSSL/1.0.1t)' };

const redirects = table<'from' | 'to'>(`
  from                              to
  /datasets                         /images
  /datasets?limit=1                 /images
  /datasets/UUID                    /images/UUID
  /datasets/UUID?account=x          /images/UUID
  /datasets/base:1.0                /images?name=base&version=1.0
  /datasets/base:                   /images?name=base&version=
  /datasets/a:b:base                /images?name=base
  /datasets/cloud:me:base:1.0       /images?name=base&version=1.0
  /datasets/base                    /images?name=base
  /datasets/a:b:c:d:e               /images?name=a%3Ab%3Ac%3Ad%3Ae
  /datasets/a%26b:1+2%20            /images?name=a%26b&version=1%2B2+
  /datasets/a%0d%0aSet-Cookie%3A+b  /images?name=a%0D%0ASet-Cookie&version=%2Bb
`);

test('redirects those who follow', async (t) => {
  const { ask } = await startServer(t);
  for (const { from, to } of redirects) {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, bytes } = await ask(method, from.replace('UUID', UUID));
      t.is(status, 301, from);
      t.is(headers.location, to.replace('UUID', UUID), from);
      t.is(headers['content-length'], '0', from);
      t.is(bytes.length, 0, from);
    }
  }
});

test('what is redirected to is there', async (t) => {
  const { ask, image } = await startServer(t);
  const { uuid } = await image({ name: 'base', version: '1.0' });
  for (const path of ['/datasets', `/datasets/${uuid}`, '/datasets/cloud:me:base:1.0', '/datasets/base']) {
    const { headers } = await ask('GET', path);
    const { status, list, json } = await ask('GET', headers.location ?? '');
    t.is(status, 200, path);
    t.is((list[0] ?? json).uuid, uuid, path);
  }
});

test('credentials do not count, wrong ones do no harm', async (t) => {
  const { ask } = await startServer(t);
  const headers = { authorization: 'Bearer wrong' };
  t.is((await ask('GET', '/datasets', { headers })).status, 301);
  t.is((await ask('GET', `/datasets/${UUID}`, { headers })).status, 301);
});

async function published(server: TestServer) {
  await importImage(server, {
    uuid: UUID,
    name: 'base',
    version: '1.0',
    owner: ADMIN.uuid,
    public: true,
    published_at: '2012-01-02T03:04:05Z',
    description: 'an old one',
  });
}

test('an imgadm that asks as of old gets manifests as of old', async (t) => {
  const server = await startServer(t);
  await published(server);
  const { status, headers, json } = await server.ask('GET', `/datasets/${UUID}`, { headers: imgadm });
  t.is(status, 200);
  t.is(headers['content-type'], 'application/json');
  t.like(json as object, {
    uuid: UUID,
    name: 'base',
    version: '1.0',
    creator_uuid: ADMIN.uuid,
    vendor_uuid: ADMIN.uuid,
    published_at: '2012-01-02T03:04:05Z',
    created_at: '2012-01-02T03:04:05Z',
    type: 'zone-dataset',
    os: 'smartos',
    description: 'an old one',
  });
  for (const name of ['v', 'owner', 'state', 'public', 'acl']) t.false(name in json, name);
  const { list } = await server.ask('GET', '/datasets', { headers: imgadm });
  t.deepEqual(list, [json]);
});

test('in absolute form, as it asks', async (t) => {
  const server = await startServer(t, { hostNames: ['images.example.com'] });
  await published(server);
  const get = (path: string) =>
    server.raw(
      `GET http://images.example.com${path} HTTP/1.1\r\nHost: images.example.com\r\n` +
        `User-Agent: ${imgadm['user-agent']}\r\nAccept: application/json\r\nConnection: close\r\n\r\n`,
    );
  for (const path of ['/ping', '/datasets', `/datasets/${UUID}`, '/images', `/images/${UUID}`]) {
    t.regex(await get(path), /^HTTP\/1.1 200 OK\r\n/, path);
  }
  const file = await get(`/datasets/${UUID}/file`);
  t.regex(file, /^HTTP\/1.1 200 OK\r\n/);
  t.regex(file, /\r\nContent-Length: 9\r\n/);
  t.true(file.endsWith('\r\n\r\nthe bytes'));
  t.regex(await get('/datasets/nonsense/file'), /^HTTP\/1.1 404 /);
});

test('names are redirected also for imgadm', async (t) => {
  const { ask } = await startServer(t);
  t.is((await ask('GET', '/datasets/base:1.0', { headers: imgadm })).status, 301);
});

test('shows what ListImages and GetImage would', async (t) => {
  const server = await startServer(t);
  const { uuid: account } = await addUser(server, 'someone');
  await server.image({ name: 'public' });
  const { uuid } = await server.image({ name: 'hidden', public: false });
  const ask = (path: string, as: 'admin' | 'anonymous') => server.ask('GET', path, { as, headers: imgadm });
  t.deepEqual(
    (await ask('/datasets', 'anonymous')).list.map(({ name }) => name),
    ['public'],
  );
  t.is((await ask('/datasets', 'admin')).list.length, 2);
  t.deepEqual(
    (await ask(`/datasets?account=${account}`, 'admin')).list.map(({ name }) => name),
    ['public'],
  );
  for (const path of [`/datasets/${uuid}`, `/datasets/${uuid}/file`]) {
    t.is((await ask(path, 'anonymous')).status, 404, path);
    t.is((await ask(path, 'admin')).status, 200, path);
    t.is((await ask(`${path}?account=${account}`, 'admin')).status, 404, path);
    t.is((await ask(`${path}?account=${account}`, 'anonymous')).status, 403, path);
    t.is((await ask(`${path}?account=nonsense`, 'anonymous')).status, 422, path);
  }
});

test('an image that is shared says with whom', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({ public: false, acl: [UNSET_OWNER] });
  const { json } = await server.ask('GET', `/datasets/${uuid}`, { as: 'admin', headers: imgadm });
  t.is(json.restricted_to_uuid, UNSET_OWNER);
});

test('channels select here too', async (t) => {
  const channels = [
    { name: 'dev', description: '', default: true },
    { name: 'release', description: '' },
  ];
  const server = await startServer(t, { channels });
  await published(server);
  const status = async (path: string) => (await server.ask('GET', path, { headers: imgadm })).status;
  t.is(await status(`/datasets/${UUID}`), 200);
  t.is(await status(`/datasets/${UUID}?channel=release`), 404);
  t.is(await status(`/datasets/${UUID}/file?channel=release`), 404);
  t.is(await status('/datasets?channel=nope'), 422);
  t.deepEqual((await server.ask('GET', '/datasets?channel=release', { headers: imgadm })).list, []);
});
