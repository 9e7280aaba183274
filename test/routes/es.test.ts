import test, { type ExecutionContext } from 'ava';
import { userUuid } from '../../server/model/user.js';
import { type Es, es, requestOf } from '../support/es.js';
import { addUser } from '../support/fixtures.js';
import { disk } from '../support/managed.js';
import { startServer, type TestServer } from '../support/server.js';

// What Danube Cloud's own command line sends, byte for byte, and what it makes of the answers: features.md 1.9, 1.11.

interface Fleet {
  server: TestServer;
  /** The administrator, with the token as an API key. */
  admin: Es;
  /** The image's uuid, bound to north. */
  base: string;
}

const manifest = (name: string) => ({ ...disk, v: 2, name });

/** Two data centers, and an image that is bound to the first. */
async function fleet(t: ExecutionContext): Promise<Fleet> {
  const server = await startServer(t);
  const admin = es(server, `ES-API-KEY: ${server.token}`);
  for (const dc of ['north', 'south']) t.like(await admin('create', `/dc/${dc}`), { json: { status: 'SUCCESS' } });
  const made = await admin('create', '/image/base', { manifest: manifest('base'), dc: 'north', dc_bound: true });
  t.is(made.json.status, 'SUCCESS', JSON.stringify(made.json));
  return { server, admin, base: String(Object(made.json.result).uuid) };
}

const told = ({ status, json }: Awaited<ReturnType<Es>>) => `${status} ${json.status ?? 'refused'}`;

test('a request is what its HTTP library makes of it', (t) => {
  t.is(
    requestOf(80, 'get', '/image', { parameters: { full: true, order_by: '-name', dc: null } }),
    'GET /api/image/?full=True&order_by=-name HTTP/1.1\r\nHost: 127.0.0.1:80\r\nUser-Agent: es/1.3.2\r\n' +
      'Accept-Encoding: gzip, deflate\r\nAccept: application/json; indent=4\r\nConnection: keep-alive\r\n' +
      'Content-Type: application/json; indent=4\r\nES-STREAM: es\r\n\r\n',
  );
  t.is(
    requestOf(80, 'set', '/image/base', { parameters: { tags: ['a', 'b'], resize: true }, credentials: ['X: y'] }),
    'PUT /api/image/base/ HTTP/1.1\r\nHost: 127.0.0.1:80\r\nUser-Agent: es/1.3.2\r\n' +
      'Accept-Encoding: gzip, deflate\r\nAccept: application/json; indent=4\r\nConnection: keep-alive\r\n' +
      'Content-Type: application/json; indent=4\r\nES-STREAM: es\r\nX: y\r\nContent-Length: 36\r\n\r\n' +
      '{"tags": ["a", "b"], "resize": true}',
  );
});

test('login, calls with its token, logout', async (t) => {
  const { server, admin } = await fleet(t);
  t.is(
    (await admin('create', '/user/alice', { password: 'open sesame 12', super_admin: true })).json.status,
    'SUCCESS',
  );
  const nobody = es(server);
  const wrong = await nobody('login', '/accounts/login', { username: 'alice', password: 'guessed' });
  t.is(wrong.status, 400);
  t.is(typeof wrong.json.detail, 'string');
  t.deepEqual([wrong.json.token, wrong.json.status], [undefined, undefined]);
  const { status, json } = await nobody('login', '/accounts/login', { username: 'alice', password: 'open sesame 12' });
  t.is(status, 200);
  t.like(json, { token: json.token!, detail: json.detail! });
  const alice = es(server, `Authorization: Token ${json.token}`);
  t.is(told(await alice('get', '/image')), '200 SUCCESS');
  t.is((await alice('logout', '/accounts/logout')).status, 200);
  t.is((await alice('get', '/image')).status, 401);
  t.is(told(await admin('get', '/image')), '200 SUCCESS', 'others go on');
});

test('an API key that is wrong, or none, lets nobody in', async (t) => {
  const server = await startServer(t);
  for (const credentials of [[], ['ES-API-KEY: guessed'], ['Authorization: Token guessed']]) {
    const { status, json } = await es(server, ...credentials)('get', '/image');
    t.is(status, 401);
    t.is(typeof json.detail, 'string');
  }
});

test('a user who may not use the management API is refused', async (t) => {
  const { server, admin } = await fleet(t);
  const { headers } = await addUser(server, 'bob');
  const bob = es(server, `ES-API-KEY: ${headers.authorization.slice('Bearer '.length)}`);
  t.not((await bob('get', '/account')).status, 401);
  t.is((await admin('set', '/user/bob', { api_access: false })).json.status, 'SUCCESS');
  t.is((await bob('get', '/account')).status, 403);
  t.is((await admin('set', '/user/bob', { api_access: true, active: false })).json.status, 'SUCCESS');
  t.is((await bob('get', '/account')).status, 403);
});

test('images are listed by name, as objects, in order, and shown', async (t) => {
  const { admin, base } = await fleet(t);
  await admin('create', '/image/web', { manifest: manifest('web'), dc_bound: false });
  const names = await admin('get', '/image');
  t.is(told(names), '200 SUCCESS');
  t.deepEqual(names.json.result, ['base', 'web']);
  t.deepEqual((await admin('get', '/image', { order_by: '-name' })).json.result, ['web', 'base']);
  const [first] = (await admin('get', '/image', { full: true })).json.result as [object];
  t.like(first, {
    name: 'base',
    alias: 'base',
    version: '1.0',
    uuid: base,
    access: 3,
    ostype: 1,
    size: 10_240,
    resize: false,
    deploy: false,
    owner: 'admin',
    status: 1,
    dc_bound: true,
    tags: [],
  });
  t.deepEqual((await admin('get', '/image', { full: false })).json.result, ['base', 'web'], 'False is no');
  const shown = await admin('get', '/image/base', { extended: true });
  t.is(told(shown), '200 SUCCESS');
  t.like(shown.json.result, { name: 'base', dcs: ['north'] });
  const absent = await admin('get', '/image/nothing');
  t.is(absent.status, 404);
  t.is(typeof absent.json.detail, 'string');
  t.is((await admin('get', '/image', { order_by: 'colour' })).status, 400);
});

test('switches and numbers are spelled the same in every list, and a wrong one is told how', async (t) => {
  const { admin } = await fleet(t);
  for (const list of ['/image', '/dc/north/image', '/dc', '/user', '/group', '/node', '/vm', '/task', '/token']) {
    for (const full of [true, false, '1', '0', '']) t.is(told(await admin('get', list, { full })), '200 SUCCESS', list);
    t.deepEqual((await admin('get', list, { full: 'yes' })).json.result, { full: ['full is neither true nor false'] });
    const { json } = await admin('get', list, { limit: -1 });
    t.deepEqual(json.result, { limit: ['limit is not a whole number from 0 to 10000'] }, list);
  }
  t.is(told(await admin('get', '/image', { golden: '0' })), '200 SUCCESS');
});

test('what exists already, or is not valid, is refused in its words', async (t) => {
  const { admin } = await fleet(t);
  t.is((await admin('create', '/image/base', { manifest: manifest('other'), dc: 'north' })).status, 406);
  const wrong = await admin('set', '/image/base', { access: '5', desc: 'x'.repeat(129) });
  t.is(told(wrong), '400 FAILURE');
  t.deepEqual(Object.keys(Object(wrong.json.result)).sort(), ['access', 'desc']);
  t.true(Object.values(Object(wrong.json.result)).every((messages) => Array.isArray(messages)));
  t.like((await admin('get', '/image/base')).json.result, { access: 3, desc: '' }, 'nothing of it was done');
});

test('set changes what is typed: numbers and lists come as text', async (t) => {
  const { admin } = await fleet(t);
  const changed = await admin('set', '/image/base', {
    alias: 'Base',
    access: '1',
    resize: true,
    deploy: true,
    desc: 'what everything builds on',
    version: '2',
    tags: ['db', 'web'],
  });
  t.regex(told(changed), /^20[01] SUCCESS$/);
  t.like((await admin('get', '/image/base')).json.result, {
    alias: 'Base',
    access: 1,
    resize: true,
    deploy: true,
    desc: 'what everything builds on',
    version: '2',
    tags: ['db', 'web'],
  });
  t.regex(told(await admin('set', '/image/base', { tags: 'a,b' })), /^20[01] SUCCESS$/);
  t.like((await admin('get', '/image/base')).json.result, { tags: ['a', 'b'] });
});

test('the images of a data center are attached, listed, shown and detached', async (t) => {
  const { admin } = await fleet(t);
  t.is(told(await admin('create', '/dc/south/image/base')), '201 SUCCESS');
  t.is((await admin('create', '/dc/south/image/base')).status, 406);
  t.deepEqual((await admin('get', '/dc/south/image')).json.result, ['base']);
  t.like((await admin('get', '/dc/south/image/base')).json.result, { name: 'base', dc_bound: false });
  t.is(((await admin('get', '/dc/south/image', { full: true })).json.result as unknown[]).length, 1);
  t.is(told(await admin('delete', '/dc/south/image/base')), '200 SUCCESS');
  t.deepEqual((await admin('get', '/dc/south/image')).json.result, []);
  for (const [action, path] of [
    ['get', '/dc/nowhere/image'],
    ['get', '/dc/south/image/base'],
    ['create', '/dc/nowhere/image/base'],
    ['create', '/dc/south/image/nothing'],
    ['delete', '/dc/south/image/base'],
  ] as const) {
    t.is((await admin(action, path)).status, 404, `${action} ${path}`);
  }
});

test('machines that use an image are listed, and keep it from being deleted', async (t) => {
  const { server, admin, base } = await fleet(t);
  await server.ask('PUT', `/images/${base}/file?compression=none`, { body: 'the bytes' });
  await server.ask('POST', `/images/${base}?action=activate`);
  t.deepEqual((await admin('get', '/image/base/vm')).json.result, []);
  const vm = userUuid('a machine');
  const images = [{ disk: 1, image: base }];
  const registered = await admin('set', `/vm/${vm}`, { hostname: 'web', dc: 'north', state: 'active', images });
  t.is(registered.json.status, 'SUCCESS', JSON.stringify(registered.json));
  t.deepEqual((await admin('get', '/image/base/vm')).json.result, ['web']);
  const refused = await admin('delete', '/image/base');
  t.is(refused.status, 428);
  t.regex(String(refused.json.detail), /web/);
  t.is((await admin('delete', `/vm/${vm}`)).json.status, 'SUCCESS');
  t.regex(told(await admin('delete', '/image/base')), /^20[01] SUCCESS$/);
  t.is((await admin('get', '/image/base')).status, 404);
});

test('a call that becomes a task is waited for: blanks, then the status, then the answer', async (t) => {
  const { admin } = await fleet(t);
  const done = await admin('create', '/bulk/image', { action: 'deprecate', images: ['base'], reason: 'old' });
  t.regex(done.text, /^ +\n?200\n\{/);
  t.is(done.headers.get('es_stream'), 'True');
  const id = done.headers.get('es_task_id') ?? '';
  t.like(done.json, { task_id: id, status: 'SUCCESS' });
  t.like(done.json.result, [{ image: 'base', status: 'SUCCESS' }]);
  t.like(await admin('get', `/task/${id}/status`), { status: 200, json: { task_id: id, status: 'SUCCESS' } });
  const log = await admin('get', '/task/log');
  t.is(log.status, 200);
  t.true(Array.isArray(log.json.result));
  t.regex(String((await admin('set', `/task/${id}/cancel`)).status), /^40/, 'it has ended');
  t.is((await admin('get', '/task/nothing/status')).status, 404);
});

test('an ImageAdmin works in one data center, and learns of nothing else', async (t) => {
  const { server, admin } = await fleet(t);
  const people: Record<string, Es> = {};
  for (const [name, dc] of [
    ['alice', 'north'],
    ['bob', 'south'],
  ] as const) {
    const { headers } = await addUser(server, name);
    await admin('create', `/group/${dc}`, { permissions: ['admin', 'image_admin'], users: [name] });
    await admin('create', `/dc/${dc}/group/${dc}`);
    people[name] = es(server, `ES-API-KEY: ${headers.authorization.slice('Bearer '.length)}`);
  }
  const { alice, bob } = people as { alice: Es; bob: Es };
  t.deepEqual((await alice('get', '/image')).json.result, ['base']);
  t.deepEqual((await bob('get', '/image')).json.result, []);
  for (const [action, path, parameters] of [
    ['get', '/image/NAME', {}],
    ['get', '/image/NAME/vm', {}],
    ['set', '/image/NAME', { desc: 'mine' }],
    ['delete', '/image/NAME', {}],
    ['get', '/dc/south/image/NAME', {}],
    ['help', '/image/NAME', {}],
  ] as const) {
    const ask = (name: string) => bob(action, path.replace('NAME', name), parameters);
    const [hidden, absent] = [await ask('base'), await ask('none')];
    t.is(hidden.status, action === 'help' ? 200 : 404, `${action} ${path}`);
    t.deepEqual([absent.status, absent.text], [hidden.status, hidden.text.replaceAll('base', 'none')], path);
  }
  t.is((await bob('get', '/dc/north/image')).status, 404);
  t.is((await alice('create', '/dc/north/image/base')).status, 403, 'attaching is for SuperAdmins');
  t.is(told(await alice('set', '/image/base', { dc_bound: false })), '400 FAILURE', 'and so is the binding');
  t.is(told(await alice('set', '/image/base', { desc: 'hers' })), '200 SUCCESS');
  t.is(told(await alice('create', '/image/web', { manifest: manifest('web') })), '201 SUCCESS');
  t.like((await alice('get', '/image/web')).json.result, { dcs: ['north'], dc_bound: true, owner: 'alice' });
  t.is((await alice('delete', '/image/web')).json.status, 'SUCCESS');
});

test('help tells which methods there are', async (t) => {
  const { admin } = await fleet(t);
  const { status, headers } = await admin('help', '/image/base');
  t.is(status, 200);
  t.regex(headers.get('allow') ?? '', /GET.*PUT|DELETE.*GET/);
});

test('the limit of a data center is read and set, and holds', async (t) => {
  const { admin } = await fleet(t);
  t.like((await admin('get', '/dc/north/settings')).json.result, { VMS_IMAGE_LIMIT: null });
  t.is(told(await admin('set', '/dc/north/settings', { VMS_IMAGE_LIMIT: '1' })), '200 SUCCESS');
  t.like((await admin('get', '/dc/north/settings')).json.result, { VMS_IMAGE_LIMIT: 1 });
  const refused = await admin('create', '/image/second', { manifest: manifest('second'), dc: 'north', dc_bound: true });
  t.is(refused.status, 400);
  t.deepEqual((await admin('get', '/image')).json.result, ['base']);
  t.is((await admin('set', '/dc/north/settings', { VMS_IMAGE_LIMT: '1' })).status, 400);
});

test('answers and refusals say who asked, and of which data center, as far as the caller sees that', async (t) => {
  const { server, admin } = await fleet(t);
  const version = server.deps.policy.version;
  const said = ({ headers }: Awaited<ReturnType<Es>>) =>
    ['es_username', 'es_dc', 'es_version'].map((name) => headers.get(name));
  t.deepEqual(said(await admin('get', '/image')), ['admin', 'main', version]);
  t.deepEqual(said(await admin('get', '/image', { dc: 'north' })), ['admin', 'north', version]);
  const { headers } = await addUser(server, 'eve');
  const eve = es(server, `Authorization: ${headers.authorization}`);
  const refused = await eve('set', '/image/base', { dc: 'north', desc: 'mine' });
  t.is(refused.status, 403);
  t.deepEqual(said(refused), ['eve', 'main', version], 'what is hidden is not repeated');
  t.deepEqual(said(await eve('get', '/user', { dc: 'no\r\nsuch: x' })), ['eve', 'main', version]);
});

test('every call takes a data center, where it means nothing too, and the document says so', async (t) => {
  const { server, admin } = await fleet(t);
  t.is(told(await admin('get', '/dc', { dc: 'north' })), '200 SUCCESS');
  t.is(told(await admin('get', '/dc/south/image', { dc: 'north', full: true })), '200 SUCCESS');
  t.is(told(await admin('create', '/node/node1', { dc: 'north', dcs: 'south' })), '201 SUCCESS');
  t.is(told(await admin('set', '/dc/south/settings', { dc: 'main', VMS_IMAGE_LIMIT: 3 })), '200 SUCCESS');
  t.is(told(await admin('delete', '/node/node1', { dc: 'north' })), '200 SUCCESS');
  t.is(told(await admin('get', '/dc', { dc: 'x'.repeat(101) })), '400 FAILURE', 'it is a name all the same');
  t.is(told(await admin('set', '/dc/south/settings', { dc: 7 })), '400 FAILURE');
  const { json } = await server.ask('GET', '/api/openapi.json', { as: 'admin' });
  for (const [path, methods] of Object.entries(json.paths as Record<string, Record<string, Described>>)) {
    if (!path.startsWith('/api/') || path.startsWith('/api/accounts/')) continue;
    for (const [method, { parameters = [], requestBody }] of Object.entries(methods)) {
      // What comes as bytes has no place for it.
      const schema = requestBody?.content['application/json']?.schema;
      const says = method === 'get' ? parameters.some(({ name }) => name === 'dc') : !schema || schema.properties?.dc;
      t.truthy(says, `${method} ${path}`);
    }
  }
});

interface Described {
  parameters?: { name: string }[];
  requestBody?: { content: { 'application/json'?: { schema: { properties?: { dc?: object } } } } };
}

test('images are imported from a repository and by the URL of a manifest, and whoever streams is told the end', async (t) => {
  const { server, admin } = await fleet(t);
  const other = await startServer(t, { mode: 'public', authType: 'none' });
  const [one, two] = [await other.image({ name: 'debian' }), await other.image({ name: 'ubuntu' })];
  await admin('set', '/dc/main/settings', { VMS_IMAGE_REPOSITORIES: { rep: other.url } });
  const made = await admin('create', `/imagestore/rep/image/${one.uuid}`, { dc: 'north' });
  t.is(made.headers.get('es_stream'), 'True');
  t.is(made.headers.get('es_task_id'), String(made.json.task_id));
  t.is(told(made), '200 SUCCESS', made.text);
  t.like(made.json.result, { uuid: one.uuid, images: [one.uuid] });
  t.like((await admin('get', '/image/debian')).json.result, {
    uuid: one.uuid,
    dcs: ['north'],
    dc_bound: true,
    status: 1,
  });
  const manifest_url = `${other.url}/images/${two.uuid}`;
  const named = await admin('create', '/image/ours', { manifest_url, alias: 'ours', tags: ['a'], dc_bound: false });
  t.is(told(named), '200 SUCCESS', named.text);
  t.like((await admin('get', '/image/ours')).json.result, {
    uuid: two.uuid,
    alias: 'ours',
    tags: ['a'],
    dcs: ['main'],
  });
  const again = await admin('create', '/image/again', { manifest_url });
  t.is(told(again), '400 FAILURE');
  t.deepEqual(Object.keys(Object(again.json.result)), ['manifest_url']);
  t.is((await admin('create', '/image/ours', { manifest_url })).status, 406);
  t.is((await admin('create', `/imagestore/rep/image/${one.uuid}`)).status, 406);
  t.deepEqual((await admin('get', '/task/log')).status, 200);
  t.is(server.deps.imports.awaited(), 0);
});

test('repositories are listed, refreshed and browsed, and an image of one is shown', async (t) => {
  const { server, admin } = await fleet(t);
  const other = await startServer(t, { mode: 'public', authType: 'none' });
  const { uuid } = await other.image({ name: 'debian' });
  const set = await admin('set', '/dc/main/settings', { VMS_IMAGE_REPOSITORIES: { rep: other.url } });
  t.is(told(set), '200 SUCCESS');
  t.deepEqual((await admin('get', '/imagestore')).json.result, ['rep']);
  t.like((await admin('get', '/imagestore', { full: true })).json.result, [
    { name: 'rep', url: other.url, image_count: 0, last_update: null, error: null },
  ]);
  t.like((await admin('set', '/imagestore/rep')).json, { status: 'SUCCESS', result: { image_count: 1 } });
  t.is(told(await admin('set', '/imagestore')), '200 SUCCESS');
  t.like((await admin('get', '/imagestore/rep')).json.result, { name: 'rep', image_count: 1, error: null });
  t.deepEqual((await admin('get', '/imagestore/rep/image')).json.result, [uuid]);
  t.like((await admin('get', '/imagestore/rep/image', { full: true })).json.result, [{ uuid, name: 'debian' }]);
  const shown = await admin('get', `/imagestore/rep/image/${uuid}`);
  t.is(told(shown), '200 SUCCESS');
  t.like(shown.json.result, { uuid, manifest_url: `${other.url}/images/${uuid}`, ostype: 5, state: 'active' });
  t.is((await admin('get', '/imagestore/none')).status, 404);
  t.is((await admin('get', `/imagestore/rep/image/${uuid.replace(/.$/, 'x')}`)).status, 404);
  await other.close();
  const failed = await admin('set', '/imagestore/rep');
  t.is(failed.status, 400);
  t.regex(String(failed.json.detail), /repository "rep"/);
  const { headers } = await addUser(server, 'eve');
  const eve = es(server, `Authorization: ${headers.authorization}`);
  for (const path of ['/imagestore', '/imagestore/rep', '/imagestore/none']) t.is((await eve('get', path)).status, 403);
});
