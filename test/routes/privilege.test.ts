import test, { type ExecutionContext } from 'ava';
import type { Permission } from '../../server/model/group.js';
import { groups } from '../../server/model/group.js';
import { hashToken, type Token, tokens } from '../../server/model/token.js';
import { ADMIN, userUuid } from '../../server/model/user.js';
import { addDatacenter, addNodeToken, grant, place, stored } from '../support/datacenters.js';
import { addUser, numbered } from '../support/fixtures.js';
import { sample, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { kept, told } from '../support/told.js';

// Nobody gets more over IMGAPI than was given, whichever way is tried.

type User = Awaited<ReturnType<typeof addUser>>;

async function arranged(t: ExecutionContext, ...permissions: Permission[]) {
  const server = await startServer(t);
  await addDatacenter(server, 'D');
  await addDatacenter(server, 'E');
  const user = await addUser(server, 'someone');
  const group = await grant(server, user, 'D', 'admin', 'image_admin', ...permissions);
  return { server, user, group };
}

async function standing(server: TestServer, datacenter: string, more: { isShared?: true; activate?: boolean } = {}) {
  const { uuid } = await server.image({ public: false }, { activate: more.activate ?? true });
  await place(server, uuid, { datacenters: [datacenter], ...(!more.isShared && { boundTo: datacenter }) });
  return uuid;
}

async function addToken({ deps }: TestServer, { uuid }: User, secret: string, grant: Partial<Token>) {
  const token = { hash: hashToken(secret), name: secret, user: uuid, created: deps.now().toISOString(), ...grant };
  await deps.catalog.write((tx) => tx.insert(tokens, token));
  return { authorization: `Bearer ${secret}` };
}

const bodies = table<'body' | 'answer'>(`
  body                                                answer
  {"dc_bound": false}                                 422 ValidationFailed dc_bound:NotAllowed
  {"boundTo": "E"}                                    422 ValidationFailed boundTo:NotAllowed
  {"datacenters": ["E"]}                              422 ValidationFailed datacenters:NotAllowed
  {"global": true}                                    422 ValidationFailed global:NotAllowed
  {"access": "public"}                                422 ValidationFailed access:NotAllowed
  {"registration": {"access": "public", "datacenters": ["E"]}}  422 ValidationFailed registration:NotAllowed
  {"uuid": "00000000-0000-4000-8000-000000000077"}    422 ValidationFailed uuid:NotAllowed
  {"origin": "00000000-0000-4000-8000-000000000077"}  422 ValidationFailed origin:NotAllowed
  {"activated": true}                                 422 ValidationFailed activated:NotAllowed
  {"state": "active"}                                 422 ValidationFailed state:NotAllowed
  {"files": []}                                       422 ValidationFailed files:NotAllowed
  {"acl": ["00000000-0000-4000-8000-000000000077"], "billing_tags": ["x"]}  422 ValidationFailed billing_tags:NotAllowed
  {"owner": "00000000-0000-4000-8000-000000000077"}   422 OwnerDoesNotExist
`);

test('an update changes neither where an image stands nor what is the operators’', async (t) => {
  const { server, user } = await arranged(t);
  for (const activate of [true, false]) {
    const uuid = await standing(server, 'D', { activate });
    const before = await stored(server, uuid);
    for (const { body, answer } of bodies) {
      for (const query of ['', '&dc=E', `&account=${user.uuid}`]) {
        const path = `/images/${uuid}?action=update${query}`;
        const asked = await server.ask('POST', path, { body: JSON.parse(body), headers: user.headers });
        t.is(told(asked), query.includes('account') ? '404 ResourceNotFound' : answer, `${body} ${query}`);
        t.deepEqual(await stored(server, uuid), before, body);
      }
    }
  }
});

const made = table<'body' | 'answer'>(`
  body                                                answer
  {"registration": {"datacenters": ["E"]}}            422 InvalidParameter registration:Invalid
  {"boundTo": "E"}                                    422 InvalidParameter boundTo:Invalid
  {"access": "public"}                                422 InvalidParameter access:Invalid
  {"activated": true}                                 422 InvalidParameter activated:Invalid
`);

test('what comes with a manifest says nothing of where it stands', async (t) => {
  const { server, user } = await arranged(t, 'image_import_admin');
  const { headers } = user;
  for (const { body, answer } of made) {
    const draft = { ...sample('dc'), ...JSON.parse(body) };
    t.is(told(await server.ask('POST', '/images', { body: draft, headers })), answer, body);
    const imported = { body: { ...draft, v: 2, uuid: numbered(1) }, headers };
    t.is(told(await server.ask('POST', `/images/${numbered(1)}?action=import`, imported)), answer, body);
  }
  t.deepEqual((await kept(server)).images, []);
});

test('images are made where the role is held, and nowhere else', async (t) => {
  const { server, user } = await arranged(t, 'image_import_admin');
  const { headers } = user;
  await grant(server, user, 'E');
  const ways = [
    (query: string) => server.ask('POST', `/images?${query}`, { body: sample('dc'), headers }),
    (query: string) =>
      server.ask('POST', `/images/${numbered(1)}?action=import&${query}`, {
        body: { ...sample('dc'), v: 2, uuid: numbered(1) },
        headers,
      }),
  ];
  for (const way of ways) {
    t.is(told(await way('dc=E')), '403 NotPermitted', 'seen, as a member');
    for (const unseen of ['main', 'nowhere', '', 'd', '*']) {
      t.is(told(await way(`dc=${unseen}`)), '422 InvalidParameter dc:Invalid', unseen);
    }
    t.is(told(await way('dc=D&dc=E')), '422 InvalidParameter dc:Invalid');
    t.deepEqual((await kept(server)).images, []);
  }
  await grant(server, user, 'E', 'admin', 'image_admin');
  const { json, status } = await ways[0]!('');
  t.is(status, 422);
  t.deepEqual(json.errors, [{ field: 'dc', code: 'MissingParameter', message: 'dc is missing: it is one of D, E' }]);
  const { json: imported } = await ways[1]!('');
  t.is((await stored(server, imported.uuid)).registration?.boundTo, 'D', 'the only one where images may be imported');
});

test('an image that is given away is not taken along', async (t) => {
  const { server, user } = await arranged(t);
  const other = await addUser(server, 'other');
  await grant(server, other, 'E', 'admin', 'image_admin', 'image_import_admin', 'share_public');
  const uuid = await standing(server, 'D');
  const give = { body: { owner: other.uuid }, headers: user.headers };
  t.is(told(await server.ask('POST', `/images/${uuid}?action=update`, give)), '200');
  const before = await stored(server, uuid);
  t.is(
    (await server.ask('GET', `/images/${uuid}`, { headers: other.headers })).status,
    200,
    'owners see what they own',
  );
  const body = { name: 'mine' };
  for (const query of ['', `&account=${other.uuid}`, '&dc=E']) {
    const path = `/images/${uuid}?action=update${query}`;
    t.is(told(await server.ask('POST', path, { body, headers: other.headers })), '403 NotPermitted', query);
  }
  t.is(told(await server.ask('DELETE', `/images/${uuid}`, { headers: other.headers })), '403 NotPermitted');
  t.deepEqual(await stored(server, uuid), before);
});

test('a hidden image is not come by through an access list, an owner or an account', async (t) => {
  const { server, user } = await arranged(t);
  const uuid = await standing(server, 'E');
  const before = await stored(server, uuid);
  const { headers } = user;
  const tries = [
    server.ask('POST', `/images/${uuid}/acl`, { body: [user.uuid], headers }),
    server.ask('POST', `/images/${uuid}?action=update`, { body: { owner: user.uuid }, headers }),
    server.ask('POST', `/images/${uuid}/clone?account=${user.uuid}`, { headers }),
    server.ask('GET', `/images/${uuid}?account=${user.uuid}`, { headers }),
  ];
  for (const answer of await Promise.all(tries)) t.is(told(answer), '404 ResourceNotFound');
  for (const account of [ADMIN.uuid, userUuid('nobody')]) {
    for (const [method, path] of [
      ['GET', `/images?account=${account}`],
      ['GET', `/images/${uuid}?account=${account}`],
      ['POST', `/images?account=${account}`],
      ['DELETE', `/images/${uuid}?account=${account}`],
    ] as const) {
      t.is(
        told(await server.ask(method, path, { headers, body: sample('dc') })),
        '403 OperatorOnly',
        `${method} ${path}`,
      );
    }
  }
  t.deepEqual(await stored(server, uuid), before);
});

test('a shared image is read only to all but operators, whoever owns it', async (t) => {
  const { server, user } = await arranged(t, 'image_import_admin', 'share_public');
  const uuid = await standing(server, 'D', { isShared: true });
  await place(server, uuid, {}, { owner: user.uuid });
  const before = await stored(server, uuid);
  for (const query of ['', `&account=${user.uuid}`]) {
    const path = `/images/${uuid}?action=update${query}`;
    t.is(told(await server.ask('POST', path, { body: { name: 'x' }, headers: user.headers })), '403 NotPermitted');
  }
  t.deepEqual(await stored(server, uuid), before);
});

const scopes = table<'scope' | 'dc' | 'in D' | 'in E' | 'made in E' | 'read D' | 'read E'>(`
  scope    dc  in D              in E                  made in E                        read D                read E
  full     -   200               200                   200                              200                   200
  full     D   200               404 ResourceNotFound  422 InvalidParameter dc:Invalid  200                   404 ResourceNotFound
  read     -   403 NotPermitted  403 NotPermitted      403 NotPermitted                 200                   200
  read     E   403 NotPermitted  403 NotPermitted      403 NotPermitted                 404 ResourceNotFound  200
  metrics  -   403 NotPermitted  403 NotPermitted      403 NotPermitted                 403 NotPermitted      403 NotPermitted
`);

test('a token gives no more than its scope and its data center', async (t) => {
  const { server, user } = await arranged(t);
  await grant(server, user, 'E', 'admin', 'image_admin');
  const root = await addUser(server, 'root', { superAdmin: true });
  for (const whose of [user, root]) {
    for (const { scope, dc, ...expected } of scopes) {
      const secret = [whose.uuid, scope, dc].join('-');
      const headers = await addToken(server, whose, secret, { scope: scope as 'full', ...(dc && { dc }) });
      const [inD, inE] = [await standing(server, 'D'), await standing(server, 'E')];
      const update = (uuid: string) =>
        server.ask('POST', `/images/${uuid}?action=update`, { body: { name: 'other' }, headers });
      const read = (uuid: string) => server.ask('GET', `/images/${uuid}`, { headers });
      const answers = {
        'in D': await update(inD),
        'in E': await update(inE),
        'made in E': await server.ask('POST', '/images?dc=E', { body: sample('dc'), headers }),
        'read D': await read(inD),
        'read E': await read(inE),
      };
      t.deepEqual(
        Object.fromEntries(Object.entries(answers).map(([what, answer]) => [what, told(answer)])),
        expected,
        secret,
      );
    }
  }
});

test('an administrator with a token for one data center is none elsewhere, and no operator', async (t) => {
  const { server } = await arranged(t);
  const root = await addUser(server, 'root', { superAdmin: true });
  const headers = await addToken(server, root, 'limited', { dc: 'D' });
  const uuid = await standing(server, 'D');
  const ask = (method: string, path: string, body?: object) =>
    server.ask(method, path, { headers, ...(body && { body }) });
  t.is(told(await ask('GET', '/state')), '403 OperatorOnly');
  t.is(told(await ask('GET', '/metrics')), '403 OperatorOnly');
  t.is(told(await ask('GET', '/images?inclAdminFields=true')), '401 UnauthorizedError');
  t.is(told(await ask('GET', `/images?account=${ADMIN.uuid}`)), '403 OperatorOnly');
  t.is(
    told(await ask('POST', `/images/${uuid}?action=update`, { traits: {} })),
    '422 ValidationFailed traits:NotAllowed',
  );
  t.is(told(await ask('POST', `/images/${uuid}?action=change-stor&stor=local`)), '403 OperatorOnly');
  const { json } = await ask('POST', '/images', sample('dc'));
  t.like((await stored(server, json.uuid)).registration, { boundTo: 'D', datacenters: ['D'] });
});

test('rights that are taken are gone with the next request', async (t) => {
  const { server, user, group } = await arranged(t);
  const uuid = await standing(server, 'D');
  const update = () =>
    server.ask('POST', `/images/${uuid}?action=update`, { body: { description: 'x' }, headers: user.headers });
  t.is(told(await update()), '200');
  await server.deps.catalog.write(async (tx) => {
    const record = await tx.get(groups, group);
    if (record) await tx.replace(groups, { ...record, permissions: ['image_admin'] });
  });
  t.is(told(await update()), '403 NotPermitted');
  t.is((await server.ask('GET', `/images/${uuid}`, { headers: user.headers })).status, 404);
});

test('a node that may publish brings new images to one data center, and does nothing else', async (t) => {
  const { server } = await arranged(t);
  await addDatacenter(server, 'open', { settings: { anonymous: true } });
  const reads = { headers: await addNodeToken(server, 'reads', ['D', 'E']) };
  const brings = { headers: await addNodeToken(server, 'brings', ['D', 'E'], { publish: 'D' }) };
  const shows = { headers: await addNodeToken(server, 'shows', ['open'], { publish: 'open' }) };
  const uuid = numbered(1);
  const importing = (by: object, query = '') =>
    server.ask('POST', `/images/${uuid}?action=import${query}`, { body: { ...sample('dc'), v: 2, uuid }, ...by });
  t.is(told(await importing(reads)), '403 NotPermitted');
  t.is(told(await importing(brings, '&dc=E')), '422 InvalidParameter dc:Invalid');
  t.is(told(await importing(brings, '&skip_owner_check=true')), '403 OperatorOnly');
  t.is(told(await importing(brings)), '200');
  t.like((await stored(server, uuid)).registration, { boundTo: 'D', datacenters: ['D'] });
  const arriving = await standing(server, 'E', { activate: false });
  const path = (uuid: string) => `/images/${uuid}/file?compression=none`;
  t.is(told(await server.ask('PUT', path(arriving), { body: 'bytes', ...brings })), '404 ResourceNotFound');
  t.is(told(await server.ask('PUT', path(uuid), { body: 'bytes', ...reads })), '403 NotPermitted');
  t.is(told(await server.ask('PUT', path(uuid), { body: 'bytes', ...brings })), '200');
  t.is(told(await server.ask('POST', `/images/${uuid}?action=activate`, brings)), '200');
  for (const action of ['disable', 'update', 'enable']) {
    const asked = { body: { name: 'other' }, ...brings };
    t.is(told(await server.ask('POST', `/images/${uuid}?action=${action}`, asked)), '403 NotPermitted', action);
  }
  t.is(told(await server.ask('DELETE', `/images/${uuid}`, brings)), '403 NotPermitted');

  t.is((await server.ask('DELETE', `/images/${uuid}`)).status, 204);
  t.is(told(await importing(shows)), '200');
  t.is(told(await server.ask('PUT', path(uuid), { body: 'bytes', ...shows })), '200');
  t.is(
    told(await server.ask('POST', `/images/${uuid}?action=activate`, shows)),
    '403 NotPermitted',
    'to the whole world',
  );
  t.is(told(await server.ask('DELETE', `/images/${uuid}`, shows)), '204', 'what was not published is taken back');
});
