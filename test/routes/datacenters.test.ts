import test from 'ava';
import { datacenters } from '../../server/model/datacenter.js';
import { groups } from '../../server/model/group.js';
import { nodes } from '../../server/model/node.js';
import { vms } from '../../server/model/vm.js';
import { addUser, numbered } from '../support/fixtures.js';
import { startFleet } from '../support/managed.js';
import { type Answer, type Ask, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { told } from '../support/told.js';

const admin: Ask = { as: 'admin' };
const by = (headers: Record<string, string>): Ask => ({ as: 'anonymous', headers });
const resultOf = ({ json }: Answer) => json.result as { [field: string]: unknown };

/** Two data centers; anna owns the first, bert administrates it by a group, carl is a plain member there. */
async function fleet(server: TestServer) {
  const users = {
    anna: await addUser(server, 'anna'),
    bert: await addUser(server, 'bert'),
    carl: await addUser(server, 'carl'),
    dora: await addUser(server, 'dora'),
  };
  const must = async (path: string, body?: object) => {
    const answer = await server.ask('POST', path, body && { body });
    if (answer.status !== 201) throw new Error(`${path}: ${answer.bytes}`);
  };
  await must('/api/dc/north', { owner: 'anna' });
  await must('/api/dc/south');
  await must('/api/group/admins', { permissions: ['admin', 'image_admin'], users: ['bert'] });
  await must('/api/group/people', { users: ['carl'] });
  await must('/api/group/southern', { users: ['dora'], permissions: ['image_admin'] });
  for (const name of ['admins', 'people']) await must(`/api/dc/north/group/${name}`);
  await must('/api/dc/south/group/southern');
  await must('/api/dc/south/group/people');
  return users;
}

test('a data center is made, shown, changed and removed', async (t) => {
  const server = await startServer(t);
  const { ask } = server;
  const made = await ask('POST', '/api/dc/lab', { body: { alias: 'Lab', location: 'here' } });
  t.is(made.status, 201, String(made.bytes));
  t.like(resultOf(made), { name: 'lab', alias: 'Lab', owner: 'admin', description: '', location: 'here' });
  t.deepEqual((await ask('GET', '/api/dc/', admin)).json.result, ['lab', 'main']);
  const full = (await ask('GET', '/api/dc?full=True&search=HERE', admin)).json;
  t.is(full.total, 1);
  const changed = await ask('PUT', '/api/dc/lab/', { body: { description: 'for tests' } });
  t.like(resultOf(changed), { alias: 'Lab', description: 'for tests' });
  t.is((await ask('DELETE', '/api/dc/lab', { body: {} })).status, 200);
  t.is(told(await ask('GET', '/api/dc/lab', admin)), '404 ResourceNotFound');
});

const refused = table<'method' | 'path' | 'body' | 'told'>(`
  method  path                     body                              told
  POST    /api/dc/a%20b            {}                                400 InvalidInput dc:Invalid
  POST    /api/dc/seventeen-letters  {}                              400 InvalidInput dc:Invalid
  POST    /api/dc/main             {}                                406 ObjectAlreadyExists
  POST    /api/dc/NORTH            {}                                406 ObjectAlreadyExists
  POST    /api/dc/new              {"owner":"nobody"}                400 InvalidInput owner:Invalid
  POST    /api/dc/new              {"alias":"","x":1}                400 InvalidInput alias:Invalid x:NotAllowed
  PUT     /api/dc/nope             {}                                404 ResourceNotFound
  PUT     /api/dc/main             {"owner":7}                       400 InvalidInput owner:Invalid
  DELETE  /api/dc/main             {}                                403 NotPermitted
  DELETE  /api/dc/nope             {}                                404 ResourceNotFound
  POST    /api/group/-             {}                                400 InvalidInput name:Invalid
  POST    /api/group/new           {"permissions":["root"]}          400 InvalidInput permissions:Invalid
  POST    /api/group/new           {"users":["nobody"]}              400 InvalidInput users:Invalid
  POST    /api/group/people        {}                                406 ObjectAlreadyExists
  PUT     /api/group/nope          {}                                404 ResourceNotFound
  DELETE  /api/group/nope          {}                                404 ResourceNotFound
  POST    /api/dc/nope/group/people  {}                              404 ResourceNotFound
  POST    /api/dc/main/group/nope  {}                                404 ResourceNotFound
  POST    /api/dc/north/group/people  {}                             406 ObjectAlreadyExists
  DELETE  /api/dc/main/group/people  {}                              404 ResourceNotFound
  GET     /api/dc/main/group/people  -                               404 ResourceNotFound
  GET     /api/group?order_by=members  -                             400 InvalidInput order_by:Invalid
`);

test('what is refused makes nothing, and says which field is wrong', async (t) => {
  const server = await startServer(t);
  await fleet(server);
  const kept = async () => {
    const all: unknown[] = [];
    for await (const one of server.deps.catalog.list(datacenters)) all.push(one);
    for await (const one of server.deps.catalog.list(groups)) all.push(one);
    return all;
  };
  const before = await kept();
  for (const { method, path, body, told: expected } of refused) {
    const answer = await server.ask(method, path, { ...admin, ...(body && { body: JSON.parse(body) }) });
    t.is(told(answer), expected, `${method} ${path} ${body}`);
  }
  t.deepEqual(await kept(), before);
});

/** Whose administrators may read theirs; members see that it is there; to others it is not. */
const sights = table<'path' | 'anna' | 'bert' | 'carl' | 'dora'>(`
  path                              anna  bert  carl  dora
  /api/dc/north                     200   200   403   403
  /api/dc/south                     404   404   403   403
  /api/dc/nope                      404   404   403   403
  /api/dc/north/settings            200   200   403   403
  /api/dc/south/settings            404   404   403   403
  /api/dc/north/group               200   200   403   403
  /api/dc/north/group/people        200   200   403   403
  /api/dc/north/group/southern      404   404   403   403
  /api/dc/south/group/southern      404   404   403   403
  /api/group/people                 200   200   403   403
  /api/group/southern               404   404   403   403
  /api/group/nope                   404   404   403   403
  /api/user                         403   403   403   403
  /api/node                         403   403   403   403
  /api/node/nope                    403   403   403   403
`);

test('administrators read what is theirs; what is hidden and what is absent are the same', async (t) => {
  const server = await startServer(t);
  const users = await fleet(server);
  for (const { path, ...expected } of sights) {
    for (const name of ['anna', 'bert', 'carl', 'dora'] as const) {
      const answer = await server.ask('GET', path, by(users[name].headers));
      t.is(answer.status, Number(expected[name]), `${name} ${path}`);
    }
  }
  const { headers } = users.anna;
  const hidden = (await server.ask('GET', '/api/dc/south', by(headers))).bytes.toString();
  const absent = (await server.ask('GET', '/api/dc/nope', by(headers))).bytes.toString();
  t.is(hidden.replaceAll('south', 'nope'), absent);
  t.deepEqual((await server.ask('GET', '/api/dc', by(headers))).json.result, ['north']);
  t.deepEqual((await server.ask('GET', '/api/group', by(headers))).json.result, ['admins', 'people']);
  t.deepEqual(resultOf(await server.ask('GET', '/api/group/people', by(headers))).dcs, ['north'], 'not the other one');
});

test("every change is the SuperAdmins', and refused to others before anything is looked up", async (t) => {
  const server = await startServer(t);
  const { anna, bert } = await fleet(server);
  const changes: [string, string, object?][] = [
    ['POST', '/api/dc/NAME'],
    ['PUT', '/api/dc/NAME', { owner: 'bert' }],
    ['DELETE', '/api/dc/NAME'],
    ['PUT', '/api/dc/NAME/settings', { anonymous: true }],
    ['POST', '/api/dc/NAME/group/people'],
    ['DELETE', '/api/dc/NAME/group/people'],
    ['PUT', '/api/group/admins', { users: ['anna', 'bert'] }],
    ['PUT', '/api/group/nope', { permissions: ['admin'] }],
    ['POST', '/api/group/mine', { users: ['anna'], permissions: ['admin'] }],
    ['DELETE', '/api/group/admins'],
    ['POST', '/api/node/mine', { dcs: ['north'] }],
  ];
  for (const [method, path, body] of changes) {
    for (const name of ['north', 'south', 'nope']) {
      for (const { headers } of [anna, bert]) {
        const answer = await server.ask(method, path.replace('NAME', name), { ...by(headers), ...(body && { body }) });
        t.is(told(answer), '403 NotPermitted', `${method} ${path} ${name}`);
      }
    }
  }
  t.like(await server.deps.catalog.get(datacenters, 'north'), { owner: anna.uuid, settings: {} });
  t.deepEqual((await server.deps.catalog.get(groups, 'admins'))?.members, [bert.uuid]);
  t.is(await server.deps.catalog.get(nodes, 'mine'), undefined);
});

test('rights come and go with the next request', async (t) => {
  const server = await startServer(t);
  const { bert, carl } = await fleet(server);
  const sees = async ({ headers }: typeof bert) => (await server.ask('GET', '/api/dc/north', by(headers))).status;
  const change = async (method: string, path: string, body: object = {}) => {
    const { status } = await server.ask(method, path, { body });
    if (status >= 300) throw new Error(`${method} ${path}: ${status}`);
  };
  t.deepEqual([await sees(bert), await sees(carl)], [200, 403]);
  await change('PUT', '/api/group/people', { permissions: 'admin' });
  t.is(await sees(carl), 200);
  await change('DELETE', '/api/dc/north/group/people');
  t.is(await sees(carl), 404, 'an administrator of the other one still');
  await change('PUT', '/api/group/admins', { users: [] });
  t.is(await sees(bert), 403);
  await change('PUT', '/api/dc/north', { owner: 'bert' });
  t.is(await sees(bert), 200);
  await change('PUT', '/api/user/carl', { super_admin: true });
  t.is(await sees(carl), 200);
  await change('PUT', '/api/user/carl', { super_admin: false });
  await change('DELETE', '/api/group/people');
  t.is(await sees(carl), 403);
});

test('a group that is deleted takes nobody along who comes after it', async (t) => {
  const server = await startServer(t);
  const image = await server.image();
  await server.ask('POST', '/api/group/few');
  const narrowed = await server.ask('PUT', `/api/image/${image.uuid}`, { body: { groups: ['few'] } });
  t.true([200, 201].includes(narrowed.status), String(narrowed.bytes));
  await server.ask('DELETE', '/api/group/few');
  const kept = (await server.stored(image.uuid)) as { registration?: { groups?: string[] } };
  t.deepEqual(kept.registration?.groups, [], 'narrowed still, to nobody');
});

test('images survive their data center: bound ones become shared, with names that are free', async (t) => {
  const server = await startServer(t);
  for (const name of ['north', 'south']) await server.ask('POST', `/api/dc/${name}`);
  const make = async (dc: string) => {
    const body = { name: 'base', version: '1', os: 'smartos', type: 'zone-dataset', public: true };
    return (await server.ask('POST', `/images?dc=${dc}`, { body })).json.uuid;
  };
  const [north, south] = [await make('north'), await make('south')];
  await server.ask('POST', '/api/group/g');
  await server.ask('POST', '/api/dc/north/group/g');
  await server.ask('POST', '/api/node/n1', { body: { dcs: ['north', 'south'] } });
  await server.ask('POST', '/api/node/n1/token/pub', { body: { publish: 'north' } });
  const answer = await server.ask('DELETE', '/api/dc/north');
  t.is(answer.status, 200, String(answer.bytes));
  const released = `base-${north.slice(0, 8)}`;
  t.deepEqual(resultOf(answer).released, [released]);
  const { registration } = (await server.stored(north)) as { registration?: object };
  t.like(registration, { name: released, datacenters: [], boundTo: undefined });
  t.like((await server.stored(south)) as object, { registration: { name: 'base', boundTo: 'south' } });
  t.deepEqual((await server.deps.catalog.get(groups, 'g'))?.datacenters, []);
  t.deepEqual((await server.deps.catalog.get(nodes, 'n1'))?.datacenters, ['south']);
  t.deepEqual((await server.ask('GET', '/api/node/n1/token', admin)).json.result, []);
});

test('a data center with machines stays as it is', async (t) => {
  const server = await startServer(t);
  await server.ask('POST', '/api/dc/lab');
  const at = server.deps.now().toISOString();
  const vm = {
    uuid: numbered(1),
    hostname: 'web01',
    datacenter: 'lab',
    tags: [],
    images: [],
    state: 'active' as const,
  };
  await server.deps.catalog.write((tx) => tx.insert(vms, { ...vm, created: at, changed: at }));
  const answer = await server.ask('DELETE', '/api/dc/lab');
  t.is(told(answer), '428 DatacenterInUse');
  t.regex(String(answer.json.detail), /web01/);
  t.truthy(await server.deps.catalog.get(datacenters, 'lab'));
});

test('settings are inherited from main, but that it answers everybody', async (t) => {
  const server = await startServer(t);
  await server.ask('POST', '/api/dc/lab');
  const settings = async (name: string) => resultOf(await server.ask('GET', `/api/dc/${name}/settings/`, admin));
  t.like(await settings('main'), { anonymous: true, VMS_IMAGE_LIMIT: null, VMS_DISK_IMAGE_ZONE_DEFAULT: 'base-64-es' });
  t.deepEqual(await settings('lab'), { ...(await settings('main')), anonymous: false });
  const body = { VMS_IMAGE_LIMIT: '5', anonymous: true, privateUsableByDcAdmin: true, VMS_IMAGE_SOURCES: [] };
  const changed = await server.ask('PUT', '/api/dc/main/settings', { body });
  t.like(resultOf(changed), { VMS_IMAGE_LIMIT: 5, privateUsableByDcAdmin: true });
  t.like(await settings('lab'), { VMS_IMAGE_LIMIT: 5, privateUsableByDcAdmin: true, anonymous: false });
  await server.ask('PUT', '/api/dc/lab/settings', { body: { VMS_IMAGE_LIMIT: null, VMS_VM_SNAPSHOT_ENABLED: false } });
  t.like(await settings('lab'), { VMS_IMAGE_LIMIT: null, VMS_VM_SNAPSHOT_ENABLED: false });
  t.like(await settings('main'), { VMS_IMAGE_LIMIT: 5, VMS_VM_SNAPSHOT_ENABLED: true });
  const repositories = { 'my.own': 'https://images.example.com/base' };
  await server.ask('PUT', '/api/dc/main/settings', {
    body: { VMS_IMAGE_REPOSITORIES: repositories, VMS_IMAGE_VM: '' },
  });
  t.like(await settings('lab'), { VMS_IMAGE_REPOSITORIES: repositories, VMS_IMAGE_VM: '' });
});

test('it is told where settings come from, and what would hold without, to whoever asks for that', async (t) => {
  const server = await startServer(t);
  await server.ask('POST', '/api/dc/lab');
  const told = async (name: string) =>
    resultOf(await server.ask('GET', `/api/dc/${name}/settings?full=true`, admin)) as { from: object; unset: object };
  const { from, unset, ...plain } = await told('main');
  t.deepEqual(new Set(Object.values(from)), new Set(['default']));
  t.deepEqual(plain, unset);
  t.deepEqual(plain, resultOf(await server.ask('GET', '/api/dc/main/settings', admin)));

  await server.ask('PUT', '/api/dc/main/settings', {
    body: { VMS_IMAGE_LIMIT: 5, anonymous: false, VMS_IMAGE_VM: '', publicUrl: 'https://main.example.com' },
  });
  await server.ask('PUT', '/api/dc/lab/settings', { body: { VMS_IMAGE_LIMIT: 7, VMS_VM_SNAPSHOT_ENABLED: true } });
  t.like(await told('main'), {
    from: { VMS_IMAGE_LIMIT: 'here', anonymous: 'here', VMS_VM_SNAPSHOT_ENABLED: 'default' },
    unset: { VMS_IMAGE_LIMIT: null, anonymous: true, VMS_IMAGE_VM: null, publicUrl: null },
  });
  t.like(await told('lab'), {
    VMS_IMAGE_LIMIT: 7,
    from: {
      ...{ VMS_IMAGE_LIMIT: 'here', VMS_VM_SNAPSHOT_ENABLED: 'here' },
      ...{ VMS_IMAGE_VM: 'main', publicUrl: 'main', anonymous: 'default', imageBytesLimit: 'default' },
    },
    unset: { VMS_IMAGE_LIMIT: 5, anonymous: false, VMS_IMAGE_VM: '', publicUrl: 'https://main.example.com' },
  });
});

test('what would hold without is told to those who may change it', async (t) => {
  const { root, dora } = await startFleet(t);
  await root('PUT', '/api/dc/main/settings', { VMS_IMAGE_LIMIT: 5 });
  await root('PUT', '/api/dc/east/settings', { VMS_IMAGE_LIMIT: 7 });
  const seen = resultOf(await dora('GET', '/api/dc/east/settings?full=true'));
  t.like(seen, { VMS_IMAGE_LIMIT: 7, from: { VMS_IMAGE_LIMIT: 'here' } });
  t.false('unset' in seen);
});

const badSettings = table<'dc' | 'body' | 'field'>(`
  dc    body                                                    field
  main  {"NONSENSE":1}                                          NONSENSE
  lab   {"VMS_IMAGE_VM":""}                                     VMS_IMAGE_VM
  lab   {"VMS_IMAGE_VM_NIC":2}                                  VMS_IMAGE_VM_NIC
  lab   {"VMS_IMAGE_SOURCES":[]}                                VMS_IMAGE_SOURCES
  lab   {"VMS_IMAGE_REPOSITORIES":{}}                           VMS_IMAGE_REPOSITORIES
  main  {"VMS_IMAGE_VM":"nowhere"}                              VMS_IMAGE_VM
  main  {"VMS_IMAGE_VM":7}                                      VMS_IMAGE_VM
  main  {"VMS_IMAGE_VM_NIC":0}                                  VMS_IMAGE_VM_NIC
  main  {"VMS_IMAGE_VM_NIC":null}                               VMS_IMAGE_VM_NIC
  main  {"VMS_IMAGE_SOURCES":["ftp://x"]}                       VMS_IMAGE_SOURCES
  main  {"VMS_IMAGE_SOURCES":["https://u:p@x.example"]}         VMS_IMAGE_SOURCES
  main  {"VMS_IMAGE_SOURCES":17}                                VMS_IMAGE_SOURCES
  main  {"VMS_IMAGE_REPOSITORIES":{"Upper":"https://x.example"}}  VMS_IMAGE_REPOSITORIES
  main  {"VMS_IMAGE_REPOSITORIES":{"x":"nothing"}}              VMS_IMAGE_REPOSITORIES
  main  {"VMS_IMAGE_REPOSITORIES":[]}                           VMS_IMAGE_REPOSITORIES
  lab   {"VMS_IMAGE_LIMIT":-1}                                  VMS_IMAGE_LIMIT
  lab   {"VMS_IMAGE_LIMIT":1.5}                                 VMS_IMAGE_LIMIT
  lab   {"VMS_IMAGE_LIMIT":"many"}                              VMS_IMAGE_LIMIT
  lab   {"imageBytesLimit":true}                                imageBytesLimit
  lab   {"anonymous":"yes"}                                     anonymous
  lab   {"privateUsableByDcAdmin":null}                         privateUsableByDcAdmin
  lab   {"VMS_VM_SNAPSHOT_ENABLED":1}                           VMS_VM_SNAPSHOT_ENABLED
  lab   {"publicUrl":"ftp://x"}                                publicUrl
  lab   {"publicUrl":"http://localhost:8080"}                  publicUrl
  lab   {"publicUrl":"http://127.1"}                           publicUrl
  lab   {"publicUrl":"http://u:p@x.example"}                   publicUrl
  lab   {"publicUrl":"http://x.example/?a"}                    publicUrl
  lab   {"publicUrl":7}                                         publicUrl
  lab   {"VMS_DISK_IMAGE_DEFAULT":"nowhere"}                    VMS_DISK_IMAGE_DEFAULT
  lab   {"VMS_DISK_IMAGE_DEFAULT":"in-main"}                    VMS_DISK_IMAGE_DEFAULT
  lab   {"VMS_DISK_IMAGE_ZONE_DEFAULT":"a b"}                   VMS_DISK_IMAGE_ZONE_DEFAULT
  lab   {"VMS_DISK_IMAGE_LX_ZONE_DEFAULT":5}                    VMS_DISK_IMAGE_LX_ZONE_DEFAULT
`);

test('a setting that is unknown, misplaced or wrong is refused by its name, and nothing is set', async (t) => {
  const server = await startServer(t);
  await server.ask('POST', '/api/dc/lab');
  await server.image({ name: 'in-main' });
  for (const { dc, body, field } of badSettings) {
    const answer = await server.ask('PUT', `/api/dc/${dc}/settings`, { body: { ...JSON.parse(body) } });
    t.is(answer.status, 400, body);
    t.true(
      answer.json.errors?.every((error) => error.field.split('.')[0] === field),
      `${body}: ${answer.bytes}`,
    );
    t.true(Object.keys(Object(answer.json.result)).some((name) => name.startsWith(field)));
  }
  for (const name of ['main', 'lab']) t.deepEqual((await server.deps.catalog.get(datacenters, name))?.settings, {});
  t.is(told(await server.ask('PUT', '/api/dc/nope/settings', { body: {} })), '404 ResourceNotFound');
});

test('an image that pickers preselect is one of the data center; the image server, one of the machines', async (t) => {
  const server = await startServer(t);
  await server.image({ name: 'in-main' });
  const set = (body: object) => server.ask('PUT', '/api/dc/main/settings', { body });
  t.is(resultOf(await set({ VMS_DISK_IMAGE_DEFAULT: 'in-main' })).VMS_DISK_IMAGE_DEFAULT, 'in-main');
  t.is(resultOf(await set({ VMS_DISK_IMAGE_DEFAULT: '' })).VMS_DISK_IMAGE_DEFAULT, '');
  const at = server.deps.now().toISOString();
  const vm = { uuid: numbered(1), hostname: 'img01', tags: [], images: [], state: 'active' as const };
  const linux = await server.image({ name: 'linux', os: 'linux', type: 'lx-dataset' });
  await server.deps.catalog.write(async (tx) => {
    const others = [
      { ...vm, uuid: numbered(2), hostname: 'planned', state: 'wanted' as const },
      { ...vm, uuid: numbered(3), hostname: 'linux', images: [{ disk: 1, image: linux.uuid }] },
    ];
    for (const one of [vm, ...others]) await tx.insert(vms, { ...one, created: at, changed: at });
  });
  for (const hostname of ['absent', 'planned', 'linux']) {
    t.is(told(await set({ VMS_IMAGE_VM: hostname })), '400 InvalidInput VMS_IMAGE_VM:Invalid', hostname);
  }
  t.is(resultOf(await set({ VMS_IMAGE_VM: 'img01' })).VMS_IMAGE_VM, numbered(1), 'kept as its uuid');
  t.is(resultOf(await set({ VMS_IMAGE_VM: null })).VMS_IMAGE_VM, null);
});

test('on servers without data centers there are none of these', async (t) => {
  const { ask } = await startServer(t, { mode: 'public' });
  for (const path of ['/api/dc', '/api/dc/main', '/api/group', '/api/node', '/api/dc/main/settings']) {
    t.is((await ask('GET', path, admin)).status, 404, path);
  }
  t.is((await ask('GET', '/api/user', admin)).status, 200);
  t.is((await ask('GET', '/api/account', admin)).status, 200);
});
