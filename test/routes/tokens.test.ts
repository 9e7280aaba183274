import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { errors } from '../../imgapi/errors.js';
import { permitsNeed, scopes, type UserScope } from '../../server/model/scope.js';
import { FIRST, hashToken, type Token, tokens } from '../../server/model/token.js';
import { users, userUuid } from '../../server/model/user.js';
import { addUser } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { jsonObject, jsonValues } from '../support/hostile.js';
import { type Answer, type Ask, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { told } from '../support/told.js';

type Credentials = Record<string, string>;

const admin: Ask = { as: 'admin' };
const by = (headers: Credentials): Ask => ({ as: 'anonymous', headers });
const bearer = (secret: unknown): Credentials => ({ authorization: `Bearer ${secret}` });

/** What stands in the envelope of an answer. */
const resultOf = ({ json }: Answer) => json.result as { [field: string]: unknown };
const listOf = ({ json }: Answer) => json.result as { [field: string]: unknown }[];

/** The secret of a new token, as credentials. */
async function made({ ask }: TestServer, body: object, options: Ask = admin): Promise<Credentials> {
  const answer = await ask('POST', '/api/token', { ...options, body });
  if (answer.status !== 201) throw new Error(`not made: ${answer.bytes}`);
  return bearer(resultOf(answer).token);
}

async function kept({ deps }: TestServer): Promise<Token[]> {
  const all: Token[] = [];
  for await (const token of deps.catalog.list(tokens)) all.push(token);
  return all;
}

const namesIn = (list: { [field: string]: unknown }[]) => list.map(({ user, name }) => `${user}/${name}`).join(' ');

/** A clock that only the test moves. */
function clock(start = '2026-06-15T12:00:00.000Z') {
  let time = Date.parse(start);
  return {
    now: () => new Date(time),
    pass: (milliseconds: number) => {
      time += milliseconds;
    },
  };
}

test('a token that ends on a day ends when it begins', async (t) => {
  const { ask } = await startServer(t);
  const answer = await ask('POST', '/api/token', { body: { name: 'ci', expires: '2099-01-31' } });
  t.is(resultOf(answer).expires, '2099-01-31T00:00:00.000Z');
});

test('a token is made, works, is listed without its secret, and is revoked', async (t) => {
  const { now } = clock();
  const server = await startServer(t, { now });
  const { ask } = server;
  const answer = await ask('POST', '/api/token', { body: { name: 'ci', scope: 'read', expires: '90d' } });
  t.is(answer.status, 201);
  t.is(answer.headers['cache-control'], 'no-store');
  const { token, ...shown } = resultOf(answer);
  t.regex(String(token), /^slipway_[A-Za-z0-9_-]{32}$/);
  t.deepEqual(shown as object, {
    name: 'ci',
    user: 'admin',
    scope: 'read',
    dc: null,
    created: '2026-06-15T12:00:00.000Z',
    expires: '2026-09-13T12:00:00.000Z',
    expired: false,
    last_used: null,
  });
  t.is((await ask('GET', '/ping', by(bearer(token)))).json.user, 'admin');

  const listed = await ask('GET', '/api/token', admin);
  const { bytes } = listed;
  const alone = await ask('GET', '/api/token/ci', admin);
  const used = { ...shown, last_used: '2026-06-15T12:00:00.000Z' };
  t.deepEqual(listOf(listed)[0], { ...used, etag: alone.headers.etag }, 'used since');
  t.is(namesIn(listOf(listed)), 'admin/ci admin/test');
  t.deepEqual(resultOf(alone), used);
  t.false(bytes.includes(String(token)));
  t.false(bytes.includes(hashToken(String(token))));
  t.false(JSON.stringify(await kept(server)).includes(String(token)));

  t.is((await ask('DELETE', '/api/token/ci')).status, 200);
  t.is(told(await ask('GET', '/ping', by(bearer(token)))), '401 UnauthorizedError');
  t.is(namesIn(listOf(await ask('GET', '/api/token', admin))), 'admin/test');
  t.is(told(await ask('DELETE', '/api/token/ci')), '404 ResourceNotFound');
});

test('no two secrets are the same', async (t) => {
  const server = await startServer(t);
  const secrets = await Promise.all(Array.from({ length: 20 }, (_, n) => made(server, { name: `t${n}` })));
  t.is(new Set(secrets.map(({ authorization }) => authorization)).size, 20);
});

test('the paths answer with a slash at their end too, and HEAD as GET', async (t) => {
  const server = await startServer(t);
  const { ask } = server;
  t.is((await ask('POST', '/api/token/', { body: { name: 'ci' } })).status, 201);
  const [plain, slashed] = [await ask('GET', '/api/token', admin), await ask('GET', '/api/token/', admin)];
  t.deepEqual(slashed.bytes, plain.bytes);
  for (const path of ['/api/token', '/api/token/']) {
    const { status, bytes, headers } = await ask('HEAD', path, admin);
    t.is(status, 200);
    t.is(bytes.length, 0);
    t.is(headers['content-length'], String(plain.bytes.length));
  }
  t.is((await ask('DELETE', '/api/token/ci/')).status, 200);
  t.is((await kept(server)).length, 1);
});

// Time

test('a token is good until it expires, and then says so', async (t) => {
  const { now, pass } = clock();
  const server = await startServer(t, { now });
  const { ask } = server;
  const headers = await made(server, { name: 'ci', expires: '1h' });
  pass(3_600_000 - 1);
  t.is((await ask('GET', '/state', by(headers))).status, 200);
  pass(1);
  const { status, json } = await ask('GET', '/state', by(headers));
  t.is(status, 401);
  t.is(json.message, 'the token "ci" has expired on 2026-06-15T13:00:00.000Z');
  t.is(told(await ask('GET', '/images', by(headers))), '401 UnauthorizedError');
  const list = listOf(await ask('GET', '/api/token', admin));
  t.like(list[0], { name: 'ci', expired: true });
  t.is((await ask('DELETE', '/api/token/ci')).status, 200);
  t.notRegex(String((await ask('GET', '/state', by(headers))).json.message), /expired/);
});

test('where wrong credentials count as none, so do expired ones', async (t) => {
  const { now, pass } = clock();
  const server = await startServer(t, { now });
  const { uuid } = await server.image();
  const headers = await made(server, { name: 'ci', expires: '1m' });
  pass(60_000);
  t.is((await server.ask('GET', `/images/${uuid}/file`, by(headers))).status, 200);
});

test('only who holds a token learns that it has expired', async (t) => {
  const { now, pass } = clock();
  const server = await startServer(t, { now });
  await made(server, { name: 'ci', expires: '1m' });
  pass(60_000);
  for (const secret of ['ci', 'slipway_ci', hashToken('ci')]) {
    t.notRegex(String((await server.ask('GET', '/state', by(bearer(secret)))).json.message), /expired/);
  }
});

// Scopes

/** What each scope opens: a request of every class. Where credentials are not asked for, a scope that is too small is none. */
const opened = table<'method' | 'path' | UserScope>(`
  method  path                             full  admin  write  read  metrics
  GET     /ping                            200   200    200    200   403
  GET     /images                          200   200    200    200   403
  GET     /images/UUID                     200   200    200    200   403
  HEAD    /images/UUID                     200   200    200    200   403
  GET     /images/UUID/file                200   200    200    200   200
  GET     /datasets                        301   301    301    301   301
  GET     /state                           200   200    200    200   403
  GET     /docs/                           200   200    200    200   200
  GET     /api/openapi.json                200   200    200    200   403
  GET     /api/token                       200   200    200    200   403
  POST    /api/token                       201   201    403    403   403
  DELETE  /api/token/unused                200   200    200    403   403
  GET     /api/account                     200   200    200    200   403
  POST    /api/user/new                    400   400    403    403   403
  PUT     /api/user/admin                  400   400    403    403   403
  POST    /api/user/admin/key/k            400   400    403    403   403
  POST    /api/group/new                   400   400    403    403   403
  PUT     /api/dc/main/settings            400   400    403    403   403
  POST    /api/node/new                    400   400    403    403   403
  POST    /images                          422   422    422    403   403
  POST    /images/UUID?action=disable      200   200    200    403   403
  POST    /images/UUID?action=enable       200   200    200    403   403
  POST    /images/UUID/acl                 422   422    422    403   403
  PUT     /images/UUID/icon                400   400    400    403   403
  PUT     /images/UUID/file                422   422    422    403   403
  DELETE  /images/UUID                     204   204    204    403   403
`);

test('what each scope opens', async (t) => {
  for (const scope of scopes) {
    const server = await startServer(t);
    const { uuid } = await server.image();
    const headers = await made(server, { name: 'ci', scope });
    await made(server, { name: 'unused' });
    const before = await server.stored(uuid);
    for (const { method, path, ...expected } of opened) {
      const answer = await server.ask(method, path.replace('UUID', uuid), {
        ...by(headers),
        ...((method === 'POST' || path.startsWith('/api/dc') || path.startsWith('/api/user')) && {
          body: { name: 'new' },
        }),
      });
      t.is(answer.status, Number(expected[scope]), `${scope}: ${method} ${path}`);
      if (answer.status === 403 && method !== 'HEAD') t.is(answer.json.code, 'NotPermitted');
    }
    if (permitsNeed(scope, 'write')) continue;
    t.deepEqual(await server.stored(uuid), before);
    t.deepEqual((await kept(server)).map(({ name }) => name).sort(), ['ci', 'test', 'unused']);
  }
});

test('a token is full where no scope is asked for', async (t) => {
  const server = await startServer(t);
  const headers = await made(server, { name: 'ci' });
  t.is((await server.ask('POST', '/state?action=dropcaches', by(headers))).status, 202);
});

test('a token that ends makes none that outlives it', async (t) => {
  const server = await startServer(t);
  const headers = await made(server, { name: 'short', expires: '1h' });
  const ask = (body: object) => server.ask('POST', '/api/token', { ...by(headers), body });
  t.is(told(await ask({ name: 'a' })), '403 NotPermitted');
  t.is(told(await ask({ name: 'a', scope: 'metrics' })), '403 NotPermitted');
  t.is(told(await ask({ name: 'a', expires: '2h' })), '403 NotPermitted');
  t.is((await kept(server)).length, 2);
  t.is((await ask({ name: 'a', expires: '30m' })).status, 201);
});

// Whose

/** What operators and others may do with tokens of their own and of each other; `anna` is no operator. */
const whose = table<'caller' | 'method' | 'query' | 'told'>(`
  caller  method  query          told
  anna    GET     -              anna/ci anna/test
  anna    GET     ?user=anna     anna/ci anna/test
  anna    GET     ?user=bert     404 ResourceNotFound
  anna    GET     ?user=admin    404 ResourceNotFound
  anna    GET     ?user=nobody   404 ResourceNotFound
  anna    DELETE  ?user=bert     404 ResourceNotFound
  anna    DELETE  ?user=admin    404 ResourceNotFound
  anna    DELETE  ?user=nobody   404 ResourceNotFound
  anna    DELETE  ?user=anna     200
  anna    DELETE  -              404 ResourceNotFound
  admin   GET     -              admin/ci admin/test anna/test bert/ci bert/test
  admin   GET     ?user=bert     bert/ci bert/test
  admin   GET     ?user=nobody   404 ResourceNotFound
  admin   GET     ?user=         404 ResourceNotFound
  admin   DELETE  ?user=nobody   404 ResourceNotFound
  admin   DELETE  ?user=anna     404 ResourceNotFound
  admin   DELETE  ?user=bert     200
  admin   DELETE  -              200
  admin   GET     -              admin/test anna/test bert/test
`);

test('users have their own tokens, operators those of all', async (t) => {
  const server = await startServer(t);
  const callers: Record<string, Ask> = {
    admin,
    anna: by((await addUser(server, 'anna')).headers),
    bert: by((await addUser(server, 'bert')).headers),
  };
  for (const options of Object.values(callers)) await made(server, { name: 'ci' }, options);
  for (const { caller, method, query, told: expected } of whose) {
    const target = method === 'GET' ? `/api/token${query}` : `/api/token/ci${query}`;
    const answer = await server.ask(method, target, callers[caller]);
    const outcome = method === 'GET' && answer.status === 200 ? namesIn(listOf(answer)) : told(answer);
    t.is(outcome, expected, [caller, method, query].join(' '));
  }
});

test('a user that may not be seen and one that does not exist are told of in the same words', async (t) => {
  const server = await startServer(t);
  const { headers } = await addUser(server, 'anna');
  await addUser(server, 'bert');
  const words = async (method: string, target: string, name: string, body?: object) => {
    const answer = await server.ask(method, target.replace('NAME', name), { ...by(headers), ...(body && { body }) });
    return [answer.status, answer.bytes.toString().replaceAll(name, 'NAME')];
  };
  for (const [method, target] of [
    ['GET', '/api/token?user=NAME'],
    ['DELETE', '/api/token/test?user=NAME'],
  ] as const) {
    t.deepEqual(await words(method, target, 'bert'), await words(method, target, 'nobody'), method);
  }
  const [bert, nobody] = [
    { name: 'x', user: 'bert' },
    { name: 'x', user: 'nobody' },
  ];
  t.deepEqual(await words('POST', '/api/token', 'bert', bert), await words('POST', '/api/token', 'nobody', nobody));
});

test('operators make tokens for others, others only for themselves', async (t) => {
  const server = await startServer(t);
  const { headers } = await addUser(server, 'anna');
  await addUser(server, 'bert');
  const forBert = await made(server, { name: 'ci', user: 'bert' });
  t.is((await server.ask('GET', '/ping', by(forBert))).json.user, 'bert');
  const forAnna = await made(server, { name: 'ci', user: 'anna' }, by(headers));
  t.is((await server.ask('GET', '/ping', by(forAnna))).json.user, 'anna');
  const refused = await server.ask('POST', '/api/token', { ...by(headers), body: { name: 'more', user: 'bert' } });
  t.is(told(refused), '400 InvalidInput user:Invalid');
  t.false((await kept(server)).some(({ name }) => name === 'more'));
});

test('nobody becomes a user who only stands in for an owner', async (t) => {
  const server = await startServer(t);
  const { uuid, headers } = await addUser(server, 'ghost');
  await server.deps.catalog.write(async (tx) => {
    const user = await tx.get(users, uuid);
    await tx.replace(users, { ...user!, inactive: true });
  });
  t.is(told(await server.ask('GET', '/ping', by(headers))), '403 NotPermitted');
  const refused = await server.ask('POST', '/api/token', { body: { name: 'ci', user: 'ghost' } });
  t.is(told(refused), '400 InvalidInput user:Invalid');
});

test('an address is no user: trusted callers have no tokens', async (t) => {
  for (const options of [{ trusts: () => true }, { authType: 'none' as const }]) {
    const { ask } = await startServer(t, options);
    t.is(told(await ask('GET', '/api/token', by({}))), '401 UnauthorizedError');
    t.is(
      told(await ask('POST', '/api/token', { ...by({}), body: { name: 'ci', user: 'admin' } })),
      '401 UnauthorizedError',
    );
    t.is(told(await ask('GET', '/api/token', by(bearer('wrong')))), '401 UnauthorizedError');
    t.is((await ask('GET', '/api/token', admin)).status, 200);
  }
});

test('a token that is revoked while its request arrives leaves no other behind', async (t) => {
  const server = await startServer(t);
  const { authentications_total } = server.deps.metrics.instruments;
  const isKnown = async () => {
    const { values } = await authentications_total.get();
    return values.some(({ labels, value }) => labels.outcome === 'accepted' && value === 2);
  };
  const headers = { ...(await made(server, { name: 'stolen' })), 'content-type': 'application/json' };
  const revoked = gate();
  const slowly = async function* () {
    yield '{"name":';
    await revoked.opened;
    yield '"heir"}';
  };
  const asked = server.ask('POST', '/api/token', { ...by(headers), body: Readable.from(slowly()) });
  while (!(await isKnown())) await setImmediate();
  t.is((await server.ask('DELETE', '/api/token/stolen')).status, 200);
  revoked.open();
  t.is(told(await asked), '401 UnauthorizedError');
  t.deepEqual(
    (await kept(server)).map(({ name }) => name),
    ['test'],
  );
});

// Names

test('a name is taken once for each user, and free again when its token is revoked', async (t) => {
  const server = await startServer(t);
  await addUser(server, 'anna');
  const first = await made(server, { name: 'ci' });
  t.is(
    told(await server.ask('POST', '/api/token', { body: { name: 'ci', scope: 'read' } })),
    '406 ObjectAlreadyExists',
  );
  t.is((await server.ask('GET', '/state', by(first))).status, 200);
  await made(server, { name: 'ci', user: 'anna' });
  await made(server, { name: 'CI' });
  await server.ask('DELETE', '/api/token/ci');
  const second = await made(server, { name: 'ci' });
  t.is((await server.ask('GET', '/state', by(first))).status, 401);
  t.is((await server.ask('GET', '/state', by(second))).status, 200);
});

test('of two that ask for one name at the same time, one gets it', async (t) => {
  const server = await startServer(t);
  const answers = await Promise.all(
    ['a', 'b', 'c', 'd'].map(() => server.ask('POST', '/api/token', { body: { name: 'ci' } })),
  );
  t.deepEqual(answers.map(told).sort(), ['201', ...Array(3).fill('406 ObjectAlreadyExists')]);
  t.is((await kept(server)).length, 2);
  const winner = answers.find(({ status }) => status === 201);
  t.is((await server.ask('GET', '/state', by(bearer(winner && resultOf(winner).token)))).status, 200);
});

test('of two that revoke one token at the same time, one does', async (t) => {
  const server = await startServer(t);
  await made(server, { name: 'ci' });
  const answers = await Promise.all([1, 2, 3].map(() => server.ask('DELETE', '/api/token/ci')));
  t.deepEqual(answers.map(told).sort(), ['200', '404 ResourceNotFound', '404 ResourceNotFound']);
});

test('a token can revoke itself', async (t) => {
  const server = await startServer(t);
  const headers = await made(server, { name: 'ci' });
  t.is((await server.ask('DELETE', '/api/token/ci', by(headers))).status, 200);
  t.is((await server.ask('DELETE', '/api/token/ci', by(headers))).status, 401);
});

test('the first token is revoked like any other, but its name is not free', async (t) => {
  const server = await startServer(t);
  const token = { ...FIRST, hash: hashToken('the-first-token'), created: server.deps.now().toISOString() };
  await server.deps.catalog.write((tx) => tx.insert(tokens, token));
  const headers = bearer('the-first-token');
  t.is(namesIn(listOf(await server.ask('GET', '/api/token', by(headers)))), 'admin/first admin/test');
  t.is((await server.ask('DELETE', '/api/token/first', by(headers))).status, 200);
  t.is((await server.ask('GET', '/api/token', by(headers))).status, 401);
  t.is(namesIn(listOf(await server.ask('GET', '/api/token', admin))), 'admin/test');
  t.is(told(await server.ask('DELETE', '/api/token/first')), '404 ResourceNotFound');
  t.is(told(await server.ask('POST', '/api/token', { body: { name: 'first' } })), '406 ObjectAlreadyExists');
});

// Bad input

const refused = table<'body' | 'told'>(`
  body                                                told
  -                                                   400 InvalidInput body:MissingParameter
  {}                                                  400 InvalidInput name:MissingParameter
  []                                                  400 InvalidInput body:Invalid
  null                                                400 InvalidInput body:Invalid
  "ci"                                                400 InvalidInput body:Invalid
  {nonsense                                           400 InvalidContent
  {"name": ""}                                        400 InvalidInput name:Invalid
  {"name": "a b"}                                     400 InvalidInput name:Invalid
  {"name": "../etc"}                                  400 InvalidInput name:Invalid
  {"name": 5}                                         400 InvalidInput name:Invalid
  {"name": null}                                      400 InvalidInput name:Invalid
  {"name": "ci", "scope": "node"}                     400 InvalidInput scope:Invalid
  {"name": "ci", "scope": "publish"}                  400 InvalidInput scope:Invalid
  {"name": "ci", "dc": "nowhere"}                     400 InvalidInput dc:Invalid
  {"name": "ci", "dc": ["main"]}                      400 InvalidInput dc:Invalid
  {"name": "ci", "scope": "toString"}                 400 InvalidInput scope:Invalid
  {"name": "ci", "scope": ["read"]}                   400 InvalidInput scope:Invalid
  {"name": "ci", "expires": ""}                       400 InvalidInput expires:Invalid
  {"name": "ci", "expires": null}                     400 InvalidInput expires:Invalid
  {"name": "ci", "expires": 90}                       400 InvalidInput expires:Invalid
  {"name": "ci", "expires": "90"}                     400 InvalidInput expires:Invalid
  {"name": "ci", "expires": "0d"}                     400 InvalidInput expires:Invalid
  {"name": "ci", "expires": "-1d"}                    400 InvalidInput expires:Invalid
  {"name": "ci", "expires": "1y"}                     400 InvalidInput expires:Invalid
  {"name": "ci", "expires": "999999d"}                400 InvalidInput expires:Invalid
  {"name": "ci", "expires": "tomorrow"}               400 InvalidInput expires:Invalid
  {"name": "ci", "expires": "2100-02-30T00:00:00Z"}   400 InvalidInput expires:Invalid
  {"name": "ci", "expires": "2100-01-01T00:00:00"}    400 InvalidInput expires:Invalid
  {"name": "ci", "expires": "2020-01-01T00:00:00Z"}   400 InvalidInput expires:Invalid
  {"name": "ci", "user": "nobody"}                    400 InvalidInput user:Invalid
  {"name": "ci", "user": ""}                          400 InvalidInput user:Invalid
  {"name": "ci", "user": {"name": "admin"}}           400 InvalidInput user:Invalid
  {"name": "ci", "colour": "red"}                     400 InvalidInput colour:NotAllowed
  {"name": "ci", "__proto__": {"scope": "full"}}      400 InvalidInput __proto__:NotAllowed
  {"name": "", "scope": 1, "expires": 1, "x": 1}      400 InvalidInput name:Invalid scope:Invalid expires:Invalid x:NotAllowed
`);

test('what is refused makes nothing, and every field says why', async (t) => {
  const server = await startServer(t);
  const before = await kept(server);
  for (const { body, told: expected } of refused) {
    const answer = await server.ask('POST', '/api/token', {
      ...(body && { body, headers: { 'content-type': 'application/json' } }),
    });
    t.is(told(answer), expected, body);
    for (const { field, message = '' } of answer.json.errors ?? []) t.true(message.includes(field), message);
  }
  t.deepEqual(await kept(server), before);
});

const queries = table<'method' | 'query' | 'told'>(`
  method  query                    told
  GET     ?user=admin&user=anna    400 InvalidInput user:Invalid
  GET     ?usr=anna                400 InvalidInput usr:NotAllowed
  POST    ?user=anna               400 InvalidInput user:NotAllowed
  DELETE  ?usr=anna                400 InvalidInput usr:NotAllowed
  DELETE  ?user=admin&user=admin   400 InvalidInput user:Invalid
  DELETE  ?__proto__=x             400 InvalidInput __proto__:NotAllowed
`);

test('a parameter that is not known is not passed over', async (t) => {
  const server = await startServer(t);
  await made(server, { name: 'ci' });
  for (const { method, query, told: expected } of queries) {
    const target = `/api/token${method === 'DELETE' ? '/ci' : ''}${query}`;
    const answer = await server.ask(method, target, { ...admin, ...(method === 'POST' && { body: { name: 'new' } }) });
    t.is(told(answer), expected, `${method} ${query}`);
  }
  t.deepEqual((await kept(server)).map(({ name }) => name).sort(), ['ci', 'test']);
});

test('names in the path that nothing has', async (t) => {
  const server = await startServer(t);
  for (const name of [
    'nope',
    '__proto__',
    'toString',
    '%00',
    '%2e%2e',
    '%2F',
    'a%20b',
    'x'.repeat(5000),
    'admin%2Ftest',
  ]) {
    t.is(told(await server.ask('DELETE', `/api/token/${name}`)), '404 ResourceNotFound', name);
  }
  t.is((await kept(server)).length, 1);
});

test('no body brings the server down, and none makes a token that is not sound', async (t) => {
  const server = await startServer(t);
  const headers = { 'content-type': 'application/json' };
  for (const value of jsonValues) {
    const bodies = [value, jsonObject([[value.slice(0, 30), value]])];
    for (const field of ['name', 'scope', 'expires', 'user', '__proto__', 'constructor']) {
      bodies.push(
        jsonObject([[field, value]]),
        jsonObject([
          ['name', '"fine"'],
          [field, value],
        ]),
      );
    }
    for (const body of bodies) {
      const { status, json } = await server.ask('POST', '/api/token', { body, headers });
      t.true([201, 400, 406].includes(status), `${status}: ${body.slice(0, 200)}`);
      if (status !== 201) t.true(json.code !== undefined && json.code in errors);
      t.true((json.errors?.length ?? 0) <= 100);
    }
  }
  for (const { name, scope, user, expires } of await kept(server)) {
    t.regex(name, /^[A-Za-z0-9][\w.-]{0,63}$/);
    t.true(scope === 'full' || scope === undefined);
    t.is(user, userUuid('admin'));
    t.is(expires, undefined);
  }
});
