import test from 'ava';
import { LoginThrottle } from '../../server/auth/login-throttle.js';
import { hashPassword, isOutdated, matchesPassword } from '../../server/model/password.js';
import { sessions } from '../../server/model/session.js';
import { users } from '../../server/model/user.js';
import { gate } from '../support/gate.js';
import { keptLog } from '../support/log.js';
import { type Answer, type Ask, startServer, type TestServer } from '../support/server.js';
import { told } from '../support/told.js';

const PASSWORD = 'correct horse battery';
const cheap = await hashPassword(PASSWORD, { ln: 10, r: 8, p: 1 });

const by = (authorization: string): Ask => ({ as: 'anonymous', headers: { authorization } });

/** A user with a password that is quick to try. */
async function person({ deps, ask }: TestServer, name: string, password = cheap): Promise<void> {
  await ask('POST', `/api/user/${name}`);
  await deps.catalog.write(async (tx) => {
    const user = await tx.find(users, `name:${name}`);
    await tx.replace(users, { ...user!, password });
  });
}

const login = ({ ask }: TestServer, username: string, password = PASSWORD, path = '/api/accounts/login') =>
  ask('POST', path, { as: 'anonymous', body: { username, password } });

async function kept({ deps }: TestServer) {
  const all: unknown[] = [];
  for await (const session of deps.catalog.list(sessions)) all.push(session);
  return all;
}

const detailOf = ({ json }: Answer) => json.detail;

test('a password is matched by itself only, and its hash says what it cost', async (t) => {
  const kept = await hashPassword('Größe 12345');
  t.true(await matchesPassword('Größe 12345', kept));
  t.true(await matchesPassword('Gro\u0308ße 12345', kept), 'typed on another keyboard');
  t.false(await matchesPassword('grösse 12345', kept));
  t.false(await matchesPassword('', undefined));
  t.not(await hashPassword('Größe 12345'), kept, 'salted');
  t.false(isOutdated(kept));
  t.true(isOutdated(cheap));
});

test('a login gives a token that both headers take, until it is logged out', async (t) => {
  const server = await startServer(t);
  await person(server, 'anna');
  for (const path of ['/api/accounts/login', '/api/accounts/login/']) {
    const answer = await login(server, 'anna', PASSWORD, path);
    t.is(answer.status, 200, String(answer.bytes));
    t.deepEqual(Object.keys(answer.json).sort(), ['detail', 'expires', 'token']);
    const { token } = answer.json;
    for (const scheme of ['Token', 'Bearer']) {
      t.is((await server.ask('GET', '/api/account', by(`${scheme} ${token}`))).status, 200, scheme);
    }
    const keyed: Ask = { as: 'anonymous', headers: { 'es-api-key': String(token) } };
    t.is((await server.ask('GET', '/api/account', keyed)).status, 200);
    t.is((await server.ask('GET', '/state', keyed)).status, 401, "that header is the management API's");
    t.false(JSON.stringify(await kept(server)).includes(String(token)));
    const out = await server.ask('GET', '/api/accounts/logout/', by(`Token ${token}`));
    t.is(out.status, 200);
    t.is(typeof detailOf(out), 'string');
    t.is((await server.ask('GET', '/api/account', by(`Token ${token}`))).status, 401);
  }
  t.deepEqual(await kept(server), []);
});

test('logging out leaves other tokens alone', async (t) => {
  const { ask } = await startServer(t);
  t.is((await ask('GET', '/api/accounts/logout', { as: 'admin' })).status, 200);
  t.is((await ask('GET', '/api/account', { as: 'admin' })).status, 200);
});

test('a wrong password and a user who does not exist are refused in the same words', async (t) => {
  const server = await startServer(t);
  await person(server, 'anna');
  await server.ask('POST', '/api/user/bert');
  const answers = [await login(server, 'anna', 'wrong'), await login(server, 'bert'), await login(server, 'nobody')];
  for (const answer of answers) {
    t.is(answer.status, 400);
    t.is(typeof detailOf(answer), 'string');
    t.deepEqual(answer.bytes, answers[0]?.bytes);
  }
  for (const body of [{}, { username: 'anna' }, { username: ['anna'], password: PASSWORD }, []]) {
    t.is((await server.ask('POST', '/api/accounts/login', { as: 'anonymous', body })).status, 400);
  }
  t.deepEqual(await kept(server), []);
});

test('who is locked out is told so with the right password, and not with a wrong one', async (t) => {
  const server = await startServer(t);
  await person(server, 'anna');
  for (const body of [{ active: false }, { active: true, api_access: false }]) {
    await server.ask('PUT', '/api/user/anna', { body });
    t.is((await login(server, 'anna')).status, 403);
    t.is((await login(server, 'anna', 'wrong')).status, 400);
  }
  t.deepEqual(await kept(server), []);
});

test('too many wrong passwords: nobody is listened to for a while, known or not', async (t) => {
  const server = await startServer(t);
  await person(server, 'anna');
  const statuses: number[] = [];
  for (let n = 0; n < 11; n += 1) statuses.push((await login(server, 'anna', 'wrong')).status);
  t.deepEqual(statuses, [...Array(10).fill(400), 429]);
  for (let n = 0; n < 10; n += 1) await server.deps.logins.admit('nobody', '127.0.0.1');
  for (const name of ['anna', 'nobody']) {
    const { status, headers, json } = await login(server, name);
    t.is(status, 429, 'the right one either');
    t.regex(String(headers['retry-after']), /^[1-9]\d*$/);
    t.is(json.code, 'TooManyRequests');
  }
  t.deepEqual(await kept(server), []);
});

test('one address has so many guesses for all names together; right ones do not count', async (t) => {
  const logins = new LoginThrottle();
  for (let n = 0; n < 60; n += 1) {
    await logins.admit('anna', '192.0.2.1');
    await logins.forgive('anna', '192.0.2.1');
  }
  for (let n = 0; n < 50; n += 1) await logins.admit(`guess${n}`, '192.0.2.1');
  await t.throwsAsync(logins.admit('anna', '192.0.2.1'), { message: /^too many logins have failed/ });
  await t.notThrowsAsync(logins.admit('anna', '192.0.2.2'), 'another address');
});

test('passwords are tried two at a time, and not all that come wait', async (t) => {
  const logins = new LoginThrottle();
  const end = gate();
  let running = 0;
  const work = async () => {
    running += 1;
    await end.opened;
    running -= 1;
  };
  const all = Array.from({ length: 52 }, () => logins.inTurn(work));
  t.is(running, 2);
  await t.throwsAsync(logins.inTurn(work), { message: /^too many/ });
  end.open();
  await Promise.all(all);
  t.is(running, 0);
  await logins.inTurn(work);
});

test('a hash from cheaper days is made anew by a login', async (t) => {
  const server = await startServer(t);
  await person(server, 'anna');
  t.is((await login(server, 'anna')).status, 200);
  const user = await server.deps.catalog.find(users, 'name:anna');
  t.false(isOutdated(user?.password ?? ''));
  t.is((await login(server, 'anna')).status, 200);
});

test('a session ends with its time', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const server = await startServer(t, { now: () => new Date(now), sessionLifetime: 60 });
  await person(server, 'anna');
  const { token, expires } = (await login(server, 'anna')).json;
  t.is(expires, '2026-01-01T00:01:00.000Z');
  now += 59_999;
  t.is((await server.ask('GET', '/api/account', by(`Token ${token}`))).status, 200);
  now += 1;
  t.is(told(await server.ask('GET', '/api/account', by(`Token ${token}`))), '401 UnauthorizedError');
  await login(server, 'anna');
  t.is((await kept(server)).length, 1, 'the one that has ended is gone');
});

test('sessions are listed and ended; a new password ends all but the one that sets it', async (t) => {
  const server = await startServer(t);
  await person(server, 'anna');
  const [one, other] = [
    String((await login(server, 'anna')).json.token),
    String((await login(server, 'anna')).json.token),
  ];
  const listed = (await server.ask('GET', '/api/user/anna/session', by(`Token ${one}`))).json.result as object[];
  t.is(listed.length, 2);
  t.is(listed.filter((session) => 'current' in session && session.current).length, 1);
  t.false(JSON.stringify(listed).includes(one));
  const body = { password: 'another long one' };
  t.is((await server.ask('PUT', '/api/user/anna', { ...by(`Token ${one}`), body })).status, 200);
  t.is((await server.ask('GET', '/api/account', by(`Token ${other}`))).status, 401);
  t.is((await server.ask('GET', '/api/account', by(`Token ${one}`))).status, 200);
  t.deepEqual((await server.ask('DELETE', '/api/user/anna/session')).json.result as object, { ended: 1 });
  t.is((await server.ask('GET', '/api/account', by(`Token ${one}`))).status, 401);
  t.is((await login(server, 'anna')).status, 400);
  t.is((await login(server, 'anna', body.password)).status, 200);
});

test('one session is ended, and the others go on; whoever is no operator ends only their own', async (t) => {
  const server = await startServer(t);
  await person(server, 'anna');
  await person(server, 'bert');
  const [one, other, his] = [
    by(`Token ${(await login(server, 'anna')).json.token}`),
    by(`Token ${(await login(server, 'anna')).json.token}`),
    by(`Token ${(await login(server, 'bert')).json.token}`),
  ] as const;
  const idsOf = async (as: Ask) =>
    ((await server.ask('GET', '/api/user/anna/session', as)).json.result as { id: string; current: boolean }[]).map(
      ({ id, current }) => ({ id, current }),
    );
  const listed = await idsOf(one);
  const mine = listed.find(({ current }) => current)?.id;
  const theirs = listed.find(({ current }) => !current)?.id;
  t.is((await server.ask('DELETE', `/api/user/anna/session/${theirs}`, his)).status, 403);
  t.is((await server.ask('DELETE', `/api/user/bert/session/${theirs}`, his)).status, 404);
  t.is((await server.ask('DELETE', `/api/user/anna/session/${theirs}`, one)).status, 200);
  t.is((await server.ask('GET', '/api/account', other)).status, 401);
  t.deepEqual(await idsOf(one), [{ id: String(mine), current: true }]);
  t.is((await server.ask('DELETE', `/api/user/anna/session/${theirs}`, one)).status, 404, 'it has ended');
  t.is((await server.ask('DELETE', `/api/user/anna/session/${mine}`)).status, 200, 'by the SuperAdmin');
  t.is((await server.ask('GET', '/api/account', one)).status, 401);
  t.is((await server.ask('GET', '/api/account', his)).status, 200);
});

test('a session makes tokens that outlive it: its user can log in again at any time', async (t) => {
  const server = await startServer(t);
  await person(server, 'anna');
  const session = by(`Token ${(await login(server, 'anna')).json.token}`);
  t.is((await server.ask('POST', '/api/token/ci', { ...session, body: { expires: '90d' } })).status, 201);
});

test('a page of another site logs nobody in, and the log knows no password', async (t) => {
  const { log, lines } = keptLog();
  const server = await startServer(t, { log });
  await person(server, 'anna');
  const headers = { origin: 'https://evil.example' };
  const body = { username: 'anna', password: PASSWORD };
  t.is((await server.ask('POST', '/api/accounts/login', { as: 'anonymous', headers, body })).status, 403);
  const { token } = (await login(server, 'anna')).json;
  await server.ask('GET', '/api/account', by(`Token ${token}`));
  t.true(lines.some(({ url, caller }) => url === '/api/accounts/login' && caller === 'anna'));
  t.false(JSON.stringify(lines).includes(PASSWORD));
  t.false(JSON.stringify(lines).includes(String(token)));
});
