import test from 'ava';
import { hashToken, tokens } from '../../server/model/token.js';
import { ADMIN, users } from '../../server/model/user.js';
import { addUser, numbered } from '../support/fixtures.js';
import { type Answer, type Ask, startServer, type TestServer } from '../support/server.js';
import { signedHeaders, sshKey } from '../support/ssh-keys.js';
import { table } from '../support/table.js';
import { told } from '../support/told.js';

const admin: Ask = { as: 'admin' };
const by = (headers: Record<string, string>): Ask => ({ as: 'anonymous', headers });
const resultOf = ({ json }: Answer) => json.result as { [field: string]: unknown };

async function names({ deps }: TestServer): Promise<string[]> {
  const all: string[] = [];
  for await (const { name } of deps.catalog.list(users)) all.push(name);
  return all.sort();
}

const userNamed = ({ deps }: TestServer, name: string) => deps.catalog.find(users, `name:${name}`);

test('a user is made, shown, changed and removed, and its password is never told', async (t) => {
  const server = await startServer(t);
  const { ask } = server;
  const made = await ask('POST', '/api/user/anna', {
    body: { display_name: 'Anna', email: 'anna@example.com', password: 'correct horse', active: true },
  });
  t.is(made.status, 201, String(made.bytes));
  const { uuid, created, ...shown } = resultOf(made);
  t.deepEqual(shown, {
    name: 'anna',
    display_name: 'Anna',
    email: 'anna@example.com',
    active: true,
    api_access: true,
    super_admin: false,
    image_bytes_limit: null,
    has_password: true,
    openid_issuer: null,
    openid_subject: null,
    keys: [],
  });
  t.deepEqual((await ask('GET', '/api/user', admin)).json.result, ['admin', 'anna']);
  const full = await ask('GET', '/api/user?full&search=ANNA@&order_by=-name', admin);
  t.like(full.json, { total: 1, offset: 0 });
  const { etag } = (await ask('GET', '/api/user/anna', admin)).headers;
  t.deepEqual((full.json.result as object[])[0], { uuid, created, ...shown, etag });
  const changed = await ask('PUT', '/api/user/anna', { body: { email: '', active: false } });
  t.like(resultOf(changed), { email: '', active: false, display_name: 'Anna' });
  const kept = await userNamed(server, 'anna');
  t.regex(kept?.password ?? '', /^\$scrypt\$ln=15,r=8,p=3\$/);
  for (const { bytes } of [made, full, changed]) {
    t.false(bytes.includes('correct horse'));
    t.false(bytes.includes('scrypt'));
  }
  t.is((await ask('DELETE', '/api/user/anna/', { body: {} })).status, 200);
  t.is(told(await ask('GET', '/api/user/anna', admin)), '404 ResourceNotFound');
  t.deepEqual(await names(server), ['admin']);
});

const refused = table<'method' | 'path' | 'body' | 'told'>(`
  method  path            body                          told
  POST    /api/user/a%20b  {}                           400 InvalidInput name:Invalid
  POST    /api/user/-a    {}                            400 InvalidInput name:Invalid
  POST    /api/user/admin  {}                           406 ObjectAlreadyExists
  POST    /api/user/new   {"name":"new"}                400 InvalidInput name:NotAllowed
  POST    /api/user/new   {"email":"nobody"}            400 InvalidInput email:Invalid
  POST    /api/user/new   {"display_name":"<b>"}        400 InvalidInput display_name:Invalid
  POST    /api/user/new   {"password":"short"}          400 InvalidInput password:Invalid
  POST    /api/user/new   {"active":"yes"}              400 InvalidInput active:Invalid
  POST    /api/user/new   {"uuid":"x"}                  400 InvalidInput uuid:Invalid
  POST    /api/user/new   {"super_admin":1,"x":2}       400 InvalidInput super_admin:Invalid x:NotAllowed
  PUT     /api/user/nope  {}                            404 ResourceNotFound
  PUT     /api/user/anna  {"uuid":"x"}                  400 InvalidInput uuid:NotAllowed
  DELETE  /api/user/nope  {}                            404 ResourceNotFound
  DELETE  /api/user/anna  {"reassign":"nope"}           400 InvalidInput reassign:Invalid
  DELETE  /api/user/anna  {"reassign":"anna"}           400 InvalidInput reassign:Invalid
  DELETE  /api/user/admin  {}                           403 NotPermitted
  GET     /api/user?order_by=password  -                400 InvalidInput order_by:Invalid
  GET     /api/user?full=maybe  -                       400 InvalidInput full:Invalid
  POST    /api/user/anna/key/k  {}                      400 InvalidInput key:MissingParameter
  POST    /api/user/anna/key/k  {"key":"ssh-rsa x"}     400 InvalidInput key:Invalid
  POST    /api/user/anna/key/a%20b  {"key":"x"}         400 InvalidInput title:Invalid
  DELETE  /api/user/anna/key/k  {}                      404 ResourceNotFound
`);

test('what is refused changes nobody, and says which field is wrong', async (t) => {
  const server = await startServer(t);
  await addUser(server, 'anna');
  const before = await userNamed(server, 'anna');
  for (const { method, path, body, told: expected } of refused) {
    const answer = await server.ask(method, path, { ...admin, ...(body && { body: JSON.parse(body) }) });
    t.is(told(answer), expected, `${method} ${path} ${body}`);
  }
  t.deepEqual(await names(server), ['admin', 'anna']);
  t.deepEqual(await userNamed(server, 'anna'), before);
});

test('users that exist and others are the same to whoever is no SuperAdmin, and nothing is changed', async (t) => {
  const server = await startServer(t);
  const anna = by((await addUser(server, 'anna')).headers);
  await addUser(server, 'bert');
  const calls: [string, string, object?][] = [
    ['GET', '/api/user/NAME'],
    ['PUT', '/api/user/NAME', { display_name: 'x' }],
    ['POST', '/api/user/NAME', {}],
    ['DELETE', '/api/user/NAME', {}],
    ['GET', '/api/user/NAME/key'],
    ['POST', '/api/user/NAME/key/k', { key: sshKey('ed25519').line }],
    ['DELETE', '/api/user/NAME/key/k', {}],
    ['GET', '/api/user/NAME/session'],
    ['DELETE', '/api/user/NAME/session', {}],
  ];
  for (const [method, path, body] of calls) {
    const words = await Promise.all(
      ['bert', 'nobody'].map(async (name) => {
        const answer = await server.ask(method, path.replace('NAME', name), { ...anna, ...(body && { body }) });
        return [told(answer), answer.bytes.toString().replaceAll(name, 'NAME')];
      }),
    );
    t.is(words[0]?.[0], '403 NotPermitted', `${method} ${path}`);
    t.deepEqual(words[0], words[1], `${method} ${path}`);
  }
  t.is(told(await server.ask('GET', '/api/user', anna)), '403 NotPermitted');
  t.deepEqual(await names(server), ['admin', 'anna', 'bert']);
  t.is((await userNamed(server, 'bert'))?.keys, undefined);
});

test('nobody raises its own rights', async (t) => {
  const server = await startServer(t);
  const anna = by((await addUser(server, 'anna')).headers);
  t.is(resultOf(await server.ask('PUT', '/api/user/anna', { ...anna, body: { display_name: 'A' } })).display_name, 'A');
  for (const body of [{ super_admin: true }, { super_admin: false }, { active: true }, { api_access: true }]) {
    t.is(told(await server.ask('PUT', '/api/user/anna', { ...anna, body })), '403 NotPermitted', JSON.stringify(body));
  }
  t.like(await userNamed(server, 'anna'), { superAdmin: false, displayName: 'A' });
});

test('limited tokens bring nothing that outlives them or can do more', async (t) => {
  const server = await startServer(t);
  const { key } = { key: sshKey('ed25519').line };
  for (const limits of [{ scope: 'write' }, { expires: '1h' }, { dc: 'main' }]) {
    const made = await server.ask('POST', '/api/token', { body: { name: Object.keys(limits)[0], ...limits } });
    const limited = by({ authorization: `Bearer ${resultOf(made).token}` });
    const why = JSON.stringify(limits);
    const ask = (method: string, path: string, body: object) => server.ask(method, path, { ...limited, body });
    t.is(told(await ask('POST', '/api/user/admin/key/mine', { key })), '403 NotPermitted', why);
    t.is(told(await ask('PUT', '/api/user/admin', { password: 'a new password' })), '403 NotPermitted', why);
    t.is(told(await ask('POST', '/api/user/heir', { super_admin: true })), '403 NotPermitted', why);
    t.is(told(await ask('POST', '/api/token', { name: 'heir' })), 'dc' in limits ? '201' : '403 NotPermitted', why);
  }
  t.deepEqual(await names(server), ['admin']);
  const kept = await userNamed(server, 'admin');
  t.deepEqual([kept?.password, kept?.keys], [undefined, undefined]);
  const heir = resultOf(await server.ask('GET', '/api/token/heir', admin));
  t.is(heir.dc, 'main', 'what a token for one data center gives is for that one');
});

test('a token for one data center has no rights elsewhere, whoever made it', async (t) => {
  const server = await startServer(t);
  await server.ask('POST', '/api/dc/lab');
  const made = await server.ask('POST', '/api/token', { body: { name: 'lab', dc: 'lab' } });
  const limited = by({ authorization: `Bearer ${resultOf(made).token}` });
  t.like(resultOf(await server.ask('GET', '/api/account', limited)), {
    name: 'admin',
    super_admin: false,
    roles: { lab: ['member', 'admin', 'image_admin', 'image_import_admin', 'share_public'] },
    token: { scope: 'full', dc: 'lab', expires: null },
  });
  t.deepEqual((await server.ask('GET', '/api/dc', limited)).json.result, ['lab']);
  t.is(told(await server.ask('GET', '/api/dc/main', limited)), '404 ResourceNotFound');
  t.is(told(await server.ask('POST', '/api/dc/third', limited)), '403 NotPermitted');
  t.is(told(await server.ask('GET', '/api/user', limited)), '403 NotPermitted');
  t.is((await server.ask('DELETE', '/api/dc/lab')).status, 200);
  t.is((await server.ask('GET', '/api/account', limited)).status, 401, 'it went with the data center');
});

test('the last active SuperAdmin stays, however many try at once', async (t) => {
  const server = await startServer(t);
  await addUser(server, 'second', { superAdmin: true });
  const changes = [{ super_admin: false }, { active: false }, { api_access: false }];
  for (const body of changes) {
    const answers = await Promise.all(
      ['admin', 'second'].map((name) => server.ask('PUT', `/api/user/${name}`, { body })),
    );
    t.is(answers.filter(({ status }) => status === 200).length, 1, JSON.stringify(body));
    const left = await Promise.all(['admin', 'second'].map((name) => userNamed(server, name)));
    t.is(left.filter((user) => user?.superAdmin && !user.inactive && !user.withoutApi).length, 1);
    await server.deps.catalog.write(async (tx) => {
      for (const user of left) {
        const { inactive, withoutApi, ...rest } = user!;
        await tx.replace(users, { ...rest, superAdmin: true });
      }
    });
  }
  await server.deps.catalog.write(async (tx) => {
    const first = await tx.get(users, ADMIN.uuid);
    await tx.replace(users, { ...first!, superAdmin: false });
  });
  const second = by({ authorization: 'Bearer token-of-second' });
  const answer = await server.ask('DELETE', '/api/user/second', second);
  t.is(told(answer), '428 LastSuperAdmin');
  t.truthy(await userNamed(server, 'second'));
});

test('who owns images or data centers is not deleted, but can leave them to another', async (t) => {
  const server = await startServer(t);
  const { uuid } = await addUser(server, 'anna');
  const bert = await addUser(server, 'bert');
  const image = await server.image({ owner: uuid, name: 'annas' });
  await server.ask('POST', '/api/dc/lab', { body: { owner: 'anna' } });
  await server.ask('POST', '/api/group/g', { body: { users: ['anna', 'bert'] } });
  const kept = await server.ask('DELETE', '/api/user/anna');
  t.is(told(kept), '428 UserOwnsImages');
  t.regex(String(kept.json.detail), /annas/);
  t.truthy(await userNamed(server, 'anna'));
  t.is((await server.ask('DELETE', '/api/user/anna', { body: { reassign: 'bert' } })).status, 200);
  t.is((await server.stored(image.uuid))?.owner, bert.uuid);
  t.is(resultOf(await server.ask('GET', '/api/dc/lab', admin)).owner, 'bert');
  t.deepEqual(resultOf(await server.ask('GET', '/api/group/g', admin)).users, ['bert']);
  t.is(await server.deps.catalog.get(tokens, hashToken('token-of-anna')), undefined);
  t.is((await server.ask('GET', '/api/account', by({ authorization: 'Bearer token-of-anna' }))).status, 401);
});

test('a key that is uploaded signs at once, and no more once it is removed', async (t) => {
  const server = await startServer(t);
  const anna = by((await addUser(server, 'anna')).headers);
  const key = sshKey('ed25519');
  const signed = () => by(signedHeaders({ keyId: 'anna', algorithm: 'ed25519-sha512', key }));
  t.is((await server.ask('GET', '/api/account', signed())).status, 401);
  const added = await server.ask('POST', '/api/user/anna/key/laptop', { ...anna, body: { key: key.line } });
  t.is(added.status, 201, String(added.bytes));
  t.is(resultOf(await server.ask('GET', '/api/account', signed())).name, 'anna');
  t.is(
    told(await server.ask('POST', '/api/user/anna/key/other', { ...anna, body: { key: key.line } })),
    '406 ObjectAlreadyExists',
  );
  t.deepEqual((await server.ask('GET', '/api/user/anna/key', anna)).json.result, ['laptop']);
  t.is((await server.ask('DELETE', '/api/user/anna/key/laptop', anna)).status, 200);
  t.is((await server.ask('GET', '/api/account', signed())).status, 401);
});

test('who would come back by its keys is locked out instead of deleted', async (t) => {
  const key = sshKey('ed25519');
  const server = await startServer(t, { keys: { authKeys: { ops: [key.line] } } });
  const signed = () => by(signedHeaders({ keyId: 'ops', algorithm: 'ed25519-sha512', key }));
  t.is(told(await server.ask('DELETE', '/api/user/ops')), '403 NotPermitted');
  t.is((await server.ask('GET', '/api/account', signed())).status, 200);
  await server.ask('PUT', '/api/user/ops', { body: { active: false } });
  await server.deps.keyring.reload();
  t.is((await server.ask('GET', '/api/account', signed())).status, 403);
});

test('nothing is left to, and no data center given to, a user who is not active', async (t) => {
  const server = await startServer(t);
  for (const name of ['anna', 'ghost']) await server.ask('POST', `/api/user/${name}`);
  await server.ask('PUT', '/api/user/ghost', { body: { active: false } });
  const reassign = await server.ask('DELETE', '/api/user/anna', { body: { reassign: 'ghost' } });
  t.is(told(reassign), '400 InvalidInput reassign:Invalid');
  t.is(told(await server.ask('POST', '/api/dc/lab', { body: { owner: 'ghost' } })), '400 InvalidInput owner:Invalid');
  t.deepEqual(await names(server), ['admin', 'anna', 'ghost']);
});

test('a user can be given the uuid that images name as their owner', async (t) => {
  const { ask } = await startServer(t);
  const uuid = numbered(7);
  t.is(resultOf(await ask('POST', '/api/user/anna', { body: { uuid } })).uuid, uuid);
  t.is(told(await ask('POST', '/api/user/bert', { body: { uuid } })), '400 InvalidInput uuid:Invalid');
});

test('who is locked out is told so with what proves it, and gets nothing', async (t) => {
  const server = await startServer(t);
  const { headers } = await addUser(server, 'anna');
  for (const body of [{ active: false }, { active: true, api_access: false }]) {
    await server.ask('PUT', '/api/user/anna', { body });
    t.is(told(await server.ask('GET', '/api/account', by(headers))), '403 NotPermitted');
    t.is(told(await server.ask('GET', '/images', by(headers))), '403 NotPermitted');
  }
  await server.ask('PUT', '/api/user/anna', { body: { api_access: true } });
  t.is((await server.ask('GET', '/api/account', by(headers))).status, 200);
});
