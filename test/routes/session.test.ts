import test, { type ExecutionContext } from 'ava';
import { createApp } from '../../server/app.js';
import { HttpServer } from '../../server/http-server.js';
import { hashPassword } from '../../server/model/password.js';
import { sessions } from '../../server/model/session.js';
import { hashToken, type Token, tokens } from '../../server/model/token.js';
import { users } from '../../server/model/user.js';
import { openSession } from '../../server/operations/open-session.js';
import { asker } from '../support/ask.js';
import { newCertificate } from '../support/certificates.js';
import { addDatacenter, addNodeToken, grant } from '../support/datacenters.js';
import { listen } from '../support/events.js';
import { addUser } from '../support/fixtures.js';
import { keptLog } from '../support/log.js';
import { type Answer, type Ask, type ServerOptions, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { told } from '../support/told.js';

const PASSWORD = 'correct horse battery';
const cheap = await hashPassword(PASSWORD, { ln: 10, r: 8, p: 1 });
const HOUR = 3_600_000;

/** A server with a user whose password is quick to try. */
async function start(t: ExecutionContext, options: ServerOptions = {}) {
  const server = await startServer(t, options);
  const anna = await addUser(server, 'anna');
  await server.deps.catalog.write(async (tx) => {
    const user = await tx.get(users, anna.uuid);
    await tx.replace(users, { ...user!, password: cheap });
  });
  return { ...server, anna };
}

const byPassword = { username: 'anna', password: PASSWORD };

type Asks = Pick<TestServer, 'ask'>;

const signIn = ({ ask }: Asks, body: object = byPassword, headers: Record<string, string> = {}) =>
  ask('POST', '/api/session', { as: 'anonymous', body, headers });

const setCookie = ({ headers }: Answer) => headers['set-cookie'] ?? [];

/** What a browser keeps of it and sends: `slipway=…`. */
const cookieOf = (answer: Answer) => String(setCookie(answer)[0]).split(';', 1)[0] ?? '';

const secretOf = (answer: Answer) => cookieOf(answer).split('=')[1] ?? '';

const ownPage = { 'sec-fetch-site': 'same-origin' };

/** As a page of the server asks. */
const by = (cookie: string, more: Ask = {}): Ask => ({
  as: 'anonymous',
  ...more,
  headers: { cookie, ...ownPage, ...more.headers },
});

const result = <T = Record<string, unknown>>({ json }: Answer) => json.result as T;

async function kept({ deps }: Pick<TestServer, 'deps'>) {
  const all = [];
  for await (const session of deps.catalog.list(sessions)) all.push(session);
  return all;
}

async function addToken({ deps }: Pick<TestServer, 'deps'>, user: string, secret: string, more: Partial<Token> = {}) {
  const token = { hash: hashToken(secret), name: secret, user, created: deps.now().toISOString(), ...more };
  await deps.catalog.write((tx) => tx.insert(tokens, token));
}

test('who signs in gets the account and a cookie, with which a page asks, until it signs out', async (t) => {
  const at = new Date('2026-01-01T00:00:00Z'); // so that no second passes between the two ends
  const server = await start(t, { now: () => at });
  const answer = await signIn(server);
  t.is(answer.status, 200, String(answer.bytes));
  t.is(answer.headers['cache-control'], 'no-store');
  const cookie = cookieOf(answer);
  t.regex(String(setCookie(answer)), /^slipway=slipway_[\w-]{32}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/);
  const account = await server.ask('GET', '/api/account', by(cookie));
  t.is(account.status, 200);
  t.deepEqual({ ...result(account), token: 0 }, { ...result(answer), token: 0 });
  t.is(result(answer).name, 'anna');
  t.is((await server.ask('PUT', '/api/user/anna', by(cookie, { body: { display_name: 'Anna' } }))).status, 200);

  const out = await server.ask('DELETE', '/api/session', by(cookie));
  t.is(out.status, 200);
  t.is(result(out).ended, true);
  t.deepEqual(setCookie(out), ['slipway=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict']);
  t.deepEqual(await kept(server), []);
  t.is(told(await server.ask('GET', '/api/account', by(cookie))), '401 UnauthorizedError');
});

test('signing out is 200 whatever the cookie is', async (t) => {
  const server = await start(t);
  for (const cookie of ['', 'slipway=', `slipway=slipway_${'x'.repeat(32)}`, 'slipway=x; slipway=y', '=;;;', 'a']) {
    const out = await server.ask('DELETE', '/api/session', by(cookie));
    t.is(out.status, 200, cookie);
    t.is(result(out).ended, false);
    t.regex(String(setCookie(out)), /Max-Age=0/);
  }
});

test('what is wrong with it is said, and opens nothing', async (t) => {
  const server = await start(t);
  const { anna } = server;
  await addToken(server, anna.uuid, 'scraper', { scope: 'metrics' });
  await addToken(server, anna.uuid, 'former', { expires: '2020-01-01T00:00:00.000Z' });
  const [, node = ''] = (await addNodeToken(server, 'n1', ['main'])).authorization.split(' ');
  const locked = await addUser(server, 'locked');
  await server.deps.catalog.write(async (tx) =>
    tx.replace(users, { ...(await tx.get(users, locked.uuid))!, inactive: true }),
  );
  const cases: [object | string, string, RegExp?][] = [
    [{ username: 'anna', password: 'wrong' }, '400 InvalidInput', /wrong/],
    [{ username: 'nobody', password: 'wrong' }, '400 InvalidInput', /wrong/],
    [{}, '400 InvalidInput username:MissingParameter password:MissingParameter'],
    [{ username: 'anna' }, '400 InvalidInput password:MissingParameter'],
    [{ ...byPassword, token: 'x' }, '400 InvalidInput username:NotAllowed password:NotAllowed'],
    [{ ...byPassword, otp: 1 }, '400 InvalidInput otp:NotAllowed'],
    [{ token: 7 }, '400 InvalidInput token:Invalid'],
    [{ token: ' ' }, '400 InvalidInput token:Invalid'],
    [[], '400 InvalidInput body:Invalid'],
    [{ token: 'nobodys' }, '401 UnauthorizedError', /make another one, or sign in with a password/],
    [{ token: 'former' }, '401 UnauthorizedError', /"former" has expired/],
    [{ token: 'scraper' }, '403 NotPermitted', /scope metrics/],
    [{ token: node }, '403 NotPermitted', /of a node/],
    [{ token: 'token-of-locked' }, '403 NotPermitted', /not active/],
  ];
  for (const [body, expected, words = /./] of cases) {
    const answer = await signIn(server, body as object);
    t.is(told(answer), expected, JSON.stringify(body));
    t.regex(answer.json.message ?? '', words);
    t.deepEqual(setCookie(answer), []);
  }
  t.is(told(await server.ask('POST', '/api/session?next=1', { as: 'anonymous', body: byPassword })).slice(0, 3), '400');
  t.is(told(await server.ask('POST', '/api/session', { as: 'anonymous', body: '{' })).slice(0, 3), '400');
  t.deepEqual(await kept(server), []);
});

test('guesses are counted together with those of logins', async (t) => {
  const server = await start(t);
  for (let n = 0; n < 5; n += 1) {
    t.is((await signIn(server, { ...byPassword, password: 'wrong' })).status, 400);
    await server.ask('POST', '/api/accounts/login', { as: 'anonymous', body: { ...byPassword, password: 'wrong' } });
  }
  const answer = await signIn(server);
  t.is(told(answer), '429 TooManyRequests');
  t.regex(String(answer.headers['retry-after']), /^[1-9]\d*$/);
  for (let n = 0; n < 40; n += 1) await signIn(server, { token: `guess${n}` });
  t.is(told(await signIn(server, { token: 'token-of-anna' })), '429 TooManyRequests');
});

test('a session is good for no more than its token, and for no longer', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const server = await start(t, { now: () => new Date(now) });
  const { ask, anna, deps } = server;
  await addDatacenter(server, 'north');
  await addDatacenter(server, 'south');
  for (const name of ['north', 'south']) await grant(server, anna, name, 'admin');
  const expires = '2026-01-01T02:00:00.000Z';
  await addToken(server, anna.uuid, 'reader', { scope: 'read', dc: 'north', expires });
  const answer = await signIn(server, { token: ' reader\n' });
  t.is(answer.status, 200, String(answer.bytes));
  t.regex(String(setCookie(answer)), /Max-Age=7200;/);
  t.deepEqual(result(answer).token as object, { scope: 'read', dc: 'north', expires });
  t.deepEqual(Object.keys(result(answer).roles as object), ['north']);
  const cookie = cookieOf(answer);
  t.is(told(await ask('POST', '/api/token', by(cookie, { body: { name: 'more' } }))), '403 NotPermitted');
  now += 2 * HOUR - 60_000;
  t.is((await ask('GET', '/api/account', by(cookie))).status, 200);
  await deps.uses.flush(deps.catalog);
  t.is((await kept(server))[0]?.expires, expires);
  now += 60_000;
  const after = await ask('GET', '/api/account', by(cookie));
  t.is(told(after), '401 UnauthorizedError');
  t.regex(String(setCookie(after)), /Max-Age=0/);
});

test('a token that is good for all gives a session that gives nothing which outlives what it may', async (t) => {
  const server = await start(t);
  const { ask, anna } = server;
  const expires = new Date(Date.now() + 48 * HOUR).toISOString();
  await addToken(server, anna.uuid, 'two-days', { expires });
  const cookie = cookieOf(await signIn(server, { token: 'two-days' }));
  const make = (name: string, end: string) => ask('POST', `/api/token/${name}`, by(cookie, { body: { expires: end } }));
  t.is((await make('short', '1d')).status, 201);
  t.is(told(await make('long', '90d')), '403 NotPermitted');
  t.is(
    told(await ask('PUT', '/api/user/anna', by(cookie, { body: { password: 'a new long one' } }))),
    '403 NotPermitted',
  );
  const lasting = cookieOf(await signIn(server));
  t.is((await ask('POST', '/api/token/long', by(lasting, { body: { expires: '90d' } }))).status, 201);
});

test('without its token, or its login, a session is none and is not listed', async (t) => {
  const server = await start(t);
  const { ask, anna } = server;
  const login = await ask('POST', '/api/accounts/login', { as: 'anonymous', body: byPassword });
  const secret = String(login.json.token);
  await addToken(server, anna.uuid, 'ci');
  const whole = await ask('GET', '/api/account', { as: 'anonymous', headers: { authorization: `Token ${secret}` } });
  t.is(result<{ token: { expires: string } }>(whole).token.expires, String(login.json.expires));
  const [ofToken, ofLogin] = [
    cookieOf(await signIn(server, { token: 'ci' })),
    cookieOf(await signIn(server, { token: secret })),
  ];
  const stream = await listen(server.port, { cookie: ofToken });
  t.teardown(stream.close);
  t.is((await stream.next()).event, 'ready');
  const listed = async () =>
    result<{ made: string }[]>(await ask('GET', '/api/user/anna/session', { as: 'admin' }))
      .map(({ made }) => made)
      .sort();
  t.deepEqual(await listed(), ['password', 'token', 'token']);
  const token = await ask('GET', '/api/token/ci', { headers: anna.headers });
  t.not(result(token).last_used, null, 'signing in has used it');
  t.is((await ask('DELETE', '/api/token/ci', { headers: anna.headers })).status, 200);
  t.deepEqual(await stream.ended, []);
  t.is(told(await ask('GET', '/api/account', by(ofToken))), '401 UnauthorizedError');
  t.deepEqual(await listed(), ['password', 'token']);
  t.is(
    (await ask('GET', '/api/accounts/logout', { as: 'anonymous', headers: { authorization: `Token ${secret}` } }))
      .status,
    200,
  );
  t.is(told(await ask('GET', '/api/account', by(ofLogin))), '401 UnauthorizedError');
  t.deepEqual(await listed(), []);
  await signIn(server);
  t.is((await kept(server)).length, 1, 'those that are none have gone');
});

test('the secret of a cookie is nothing else, and nothing else is the secret of a cookie', async (t) => {
  const server = await start(t);
  const { ask } = server;
  const secret = secretOf(await signIn(server));
  const status = async (headers: Record<string, string>, path = '/api/account') =>
    (await ask('GET', path, { as: 'anonymous', headers })).status;
  t.is(await status({ cookie: `slipway=${secret}` }), 200);
  t.is(await status({ cookie: `theme=dark; slipway=${secret};other=1` }), 200);
  t.is(await status({ authorization: `Bearer ${secret}` }), 401);
  t.is(await status({ 'es-api-key': secret }), 401);
  t.is((await signIn(server, { token: secret })).status, 401);
  const login = await ask('POST', '/api/accounts/login', { as: 'anonymous', body: byPassword });
  for (const other of [String(login.json.token), 'token-of-anna'])
    t.is(await status({ cookie: `slipway=${other}` }), 401);
  for (const name of ['__Host-slipway', '__Secure-slipway', 'Slipway', 'xslipway']) {
    t.is(await status({ cookie: `${name}=${secret}` }), 401, name);
  }
  const malformed = [
    '',
    '=',
    ';;',
    '%',
    'slipway',
    'slipway=',
    `slipway="${secret}"`,
    `slipway=${secret}x`,
    'slipway=\u00e9',
  ];
  for (const cookie of malformed) t.is(await status({ cookie }), 401, cookie);
  t.is(await status({ cookie: `slipway=${secret}; slipway=${secret}` }), 401, 'nobody knows whose they are');
  // What is sent on purpose counts first.
  t.is(await status({ cookie: `slipway=${secret}`, authorization: 'Bearer wrong' }), 401);
  t.is(await status({ cookie: `slipway=${secret}`, 'es-api-key': 'wrong' }), 401);
  t.is(await status({ cookie: 'slipway=x', authorization: 'Bearer token-of-anna' }), 200);
});

test('over IMGAPI nobody looks at it', async (t) => {
  const { log, lines } = keptLog();
  const server = await start(t, { log });
  const cookie = cookieOf(await signIn(server, { token: 'test-token' }));
  for (const [path, status] of [
    ['/images', 200],
    ['/ping', 200],
    ['/state', 401],
    ['/docs/', 200],
    ['/apis', 404],
  ] as const) {
    const answer = await server.ask('GET', path, by(cookie));
    t.is(answer.status, status, path);
    t.deepEqual(setCookie(answer), [], path);
  }
  t.is((await server.ask('GET', '/api/audit', by(cookie))).status, 200);
  t.deepEqual(
    lines.filter(({ url }) => url === '/images').map(({ caller }) => caller),
    ['anonymous'],
  );
});

test('an ended session is the same 401 as any, and the cookie is taken away', async (t) => {
  const server = await start(t);
  const cookie = cookieOf(await signIn(server));
  const never = `slipway=slipway_${'x'.repeat(32)}`;
  t.deepEqual(result(await server.ask('DELETE', '/api/user/anna/session')), { ended: 1 });
  const [ended, unknown] = [
    await server.ask('GET', '/api/account', by(cookie)),
    await server.ask('GET', '/api/account', by(never)),
  ];
  t.is(told(ended), '401 UnauthorizedError');
  t.deepEqual(ended.bytes, unknown.bytes);
  for (const answer of [ended, unknown])
    t.deepEqual(setCookie(answer), [`slipway=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`]);
  t.deepEqual(setCookie(await server.ask('GET', '/api/account', { as: 'anonymous' })), [], 'without one');
});

/** What asks with the cookie of a session: `-` is a header that is not there. */
const askers = table<'method' | 'path' | 'origin' | 'site' | 'status'>(`
  method   path                   origin                 site         status
  PUT      /api/user/anna         OWN                    -            200
  PUT      /api/user/anna         -                      same-origin  200
  PUT      /api/user/anna         OWN                    same-origin  200
  PUT      /api/user/anna         -                      -            403
  PUT      /api/user/anna         -                      none         403
  PUT      /api/user/anna         -                      same-site    403
  PUT      /api/user/anna         OWN                    same-site    403
  PUT      /api/user/anna         OWN                    cross-site   403
  PUT      /api/user/anna         https://evil.example   same-origin  403
  PUT      /api/user/anna         https://evil.example   -            403
  PUT      /api/user/anna         http://127.0.0.1:1     -            403
  PUT      /api/user/anna         null                   -            403
  PUT      /api/user/anna         http://box.example     -            200
  PUT      /api/user/anna         http://box.example:81  -            403
  PUT      /api/user/anna         http://box.example:81  same-site    403
  DELETE   /api/session           -                      -            403
  DELETE   /api/session           https://evil.example   -            403
  GET      /api/accounts/logout   -                      -            403
  GET      /api/accounts/logout   -                      none         403
  GET      /api/accounts/logout   -                      same-site    403
  GET      /api/accounts/logout   -                      cross-site   403
  HEAD     /api/accounts/logout   -                      cross-site   403
  GET      /api/account           -                      -            200
  GET      /api/account           -                      none         200
  GET      /api/account           -                      same-origin  200
  GET      /api/account           -                      same-site    200
  GET      /api/account           -                      cross-site   403
  GET      /api/events            -                      cross-site   403
  GET      /api/backup            -                      cross-site   403
  OPTIONS  /api/account           -                      cross-site   403
`);

test('only pages of the server change something with the cookie, and pages of other sites read nothing', async (t) => {
  const server = await start(t, { hostNames: ['box.example'] });
  const cookie = cookieOf(await signIn(server));
  for (const { method, path, origin, site, status } of askers) {
    const headers = {
      cookie,
      ...(origin && { origin: origin === 'OWN' ? server.url : origin }),
      ...(site && { 'sec-fetch-site': site }),
    };
    const body = method === 'PUT' ? { display_name: `${origin} ${site}` } : undefined;
    const answer = await server.ask(method, path, { as: 'anonymous', headers, ...(body && { body }) });
    const id = JSON.stringify([method, path, origin, site]);
    t.is(String(answer.status), status, id);
    if (answer.status === 403 && method !== 'HEAD') {
      t.is(answer.json.code, 'ForeignOrigin', id);
      t.true((answer.json.message ?? '').length > 20, id);
    }
  }
  t.is(result(await server.ask('GET', '/api/user/anna', by(cookie))).display_name, 'http://box.example ');
  t.is((await kept(server)).length, 1, 'and the session lives');
  t.is((await server.ask('GET', '/api/accounts/logout', by(cookie))).status, 200);
  t.deepEqual(await kept(server), []);
});

test('who asks by other means needs to say nothing of pages', async (t) => {
  const { ask, anna } = await start(t);
  const body = { display_name: 'x' };
  t.is((await ask('PUT', '/api/user/anna', { as: 'anonymous', body, headers: anna.headers })).status, 200);
  const both = { ...anna.headers, cookie: `slipway=slipway_${'x'.repeat(32)}` };
  t.is((await ask('PUT', '/api/user/anna', { as: 'anonymous', body, headers: both })).status, 200);
});

test('a page of another site signs nobody in', async (t) => {
  const server = await start(t);
  const foreign: Record<string, string>[] = [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }];
  for (const headers of foreign) {
    t.is(told(await signIn(server, byPassword, headers)), '403 ForeignOrigin');
  }
  t.deepEqual(await kept(server), []);
});

test('who signs in once more in the same browser leaves nothing behind', async (t) => {
  const server = await start(t);
  const first = await signIn(server);
  const again = await signIn(server, { token: 'test-token' }, { cookie: cookieOf(first), ...ownPage });
  t.is(result(again).name, 'admin');
  t.not(secretOf(again), secretOf(first));
  t.deepEqual(
    (await kept(server)).map(({ made }) => made),
    ['token'],
  );
  // Another login, which is not in a cookie, is not ended by anybody who puts it there.
  const login = await server.ask('POST', '/api/accounts/login', { as: 'anonymous', body: byPassword });
  await signIn(server, byPassword, { cookie: `slipway=${login.json.token}`, ...ownPage });
  const headers = { authorization: `Token ${login.json.token}` };
  t.is((await server.ask('GET', '/api/account', { as: 'anonymous', headers })).status, 200);
});

test('a user sees where it is signed in, how, and by what program', async (t) => {
  const server = await start(t, { isProxy: (address) => address === '127.0.0.1' });
  const odd = `Browser\u00e9\t${'x'.repeat(300)}`;
  const from = { 'x-forwarded-for': '192.0.2.7' };
  const cookie = cookieOf(await signIn(server, byPassword, { 'user-agent': odd, ...from }));
  await signIn(server, { token: 'token-of-anna' });
  await server.ask('POST', '/api/accounts/login', {
    as: 'anonymous',
    body: byPassword,
    headers: { 'user-agent': 'es' },
  });
  await openSession(server.deps, {
    user: server.anna,
    made: 'openid',
    holder: 'browser',
    address: '::1',
    userAgent: '',
  });
  const listed = result<Record<string, unknown>[]>(await server.ask('GET', '/api/user/anna/session', by(cookie)));
  const rows = listed.map(({ made, address, user_agent, current }) => [made, address, user_agent, current].join(' '));
  t.deepEqual(rows.sort(), [
    'openid ::1  false',
    'password 127.0.0.1 es false',
    `password 192.0.2.7 Browser${'x'.repeat(193)} true`,
    'token 127.0.0.1  false',
  ]);
  t.false(JSON.stringify(listed).includes(cookie.split('=')[1] ?? '?'));
  t.deepEqual(result(await server.ask('DELETE', '/api/user/anna/session', by(cookie))), { ended: 4 });
  t.is(told(await server.ask('GET', '/api/account', by(cookie))), '401 UnauthorizedError');
});

test('a new password ends all sessions but the one that sets it, and what that stands on', async (t) => {
  const server = await start(t);
  const { ask } = server;
  const login = await ask('POST', '/api/accounts/login', { as: 'anonymous', body: byPassword });
  const own = cookieOf(await signIn(server, { token: String(login.json.token) }));
  const other = cookieOf(await signIn(server));
  t.is((await ask('PUT', '/api/user/anna', by(own, { body: { password: 'another long one' } }))).status, 200);
  t.is((await ask('GET', '/api/account', by(own))).status, 200);
  t.is((await ask('GET', '/api/account', by(other))).status, 401);
});

test('a stream of events ends with its session', async (t) => {
  const server = await start(t);
  const ends: ((cookie: string) => Promise<Answer>)[] = [
    (cookie) => server.ask('DELETE', '/api/session', by(cookie)),
    () => server.ask('DELETE', '/api/user/anna/session'),
    (cookie) => signIn(server, byPassword, { cookie, ...ownPage }),
  ];
  for (const end of ends) {
    const cookie = cookieOf(await signIn(server));
    const stream = await listen(server.port, { cookie });
    t.teardown(stream.close);
    t.is(stream.status, 200);
    t.is((await stream.next()).event, 'ready');
    t.is((await end(cookie)).status, 200);
    t.deepEqual(await stream.ended, []);
  }
});

test('a session is prolonged by use, up to its last end, and a stream goes on with it', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const at = (hours: number) => new Date(Date.parse('2026-01-01T00:00:00Z') + hours * HOUR).toISOString();
  const eventLimits = { keepAlive: 20, patience: 60_000, mostBehind: 10 };
  const server = await start(t, { now: () => new Date(now), sessionLifetime: 3600, eventLimits });
  const { ask, deps } = server;
  const answer = await signIn(server);
  t.regex(String(setCookie(answer)), /Max-Age=50400;/);
  const cookie = cookieOf(answer);
  const idle = cookieOf(await signIn(server));
  const ends = async () => (result(await ask('GET', '/api/account', by(cookie))).token as { expires: string }).expires;
  t.is(await ends(), at(1));
  const stream = await listen(server.port, { cookie });
  t.teardown(stream.close);
  t.is((await stream.next()).event, 'ready');
  for (let hours = 0.5; hours <= 13.5; hours += 0.5) {
    now = Date.parse(at(hours));
    t.is(await ends(), at(Math.min(hours + 1, 14)), `${hours} h`);
    await deps.uses.flush(deps.catalog);
  }
  t.is(told(await ask('GET', '/api/account', by(idle))), '401 UnauthorizedError', 'the one that was not used');
  now = Date.parse(at(14));
  t.is(told(await ask('GET', '/api/account', by(cookie))), '401 UnauthorizedError');
  t.deepEqual(await stream.ended, []);
});

test('what a page asks for by itself as time passes prolongs no session, and is a use of a token all the same', async (t) => {
  const began = Date.parse('2026-01-01T00:00:00Z');
  let now = began;
  const server = await start(t, { now: () => new Date(now), sessionLifetime: 3600 });
  const { ask, anna } = server;
  const cookie = cookieOf(await signIn(server));
  const unasked = { 'x-unasked': 'true' };
  for (let minutes = 10; minutes < 60; minutes += 10) {
    now = began + minutes * 60_000;
    t.is((await ask('GET', '/api/account', by(cookie, { headers: unasked }))).status, 200, `${minutes} min`);
  }
  await ask('GET', '/api/account', { as: 'anonymous', headers: { ...unasked, ...anna.headers } });
  const [token] = result<{ last_used: string }[]>(await ask('GET', '/api/token', by(cookie, { headers: unasked })));
  t.is(token?.last_used, new Date(now).toISOString());
  now = began + HOUR;
  t.is(told(await ask('GET', '/api/account', by(cookie, { headers: unasked }))), '401 UnauthorizedError');
});

test('that a session is used is written with all other uses, and nobody is told', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const server = await start(t, { now: () => new Date(now) });
  const { ask, deps } = server;
  const cookie = cookieOf(await signIn(server));
  const before = deps.events.head;
  let writes = 0;
  const unfollow = deps.catalog.follow(sessions, () => {
    writes += 1;
  });
  t.teardown(unfollow);
  for (let n = 0; n < 50; n += 1) {
    now += 1000;
    t.is((await ask('GET', '/api/account', by(cookie))).status, 200);
  }
  t.is(writes, 0);
  await deps.uses.flush(deps.catalog);
  t.is(writes, 1);
  t.is(deps.events.head, before);
});

test('over TLS, here or at a proxy that is trusted, browsers send the cookie over TLS only', async (t) => {
  const server = await start(t, { isProxy: (address) => address === '127.0.0.1' });
  const { certificate, key } = await newCertificate();
  const secured = new HttpServer(createApp({ ...server.deps, isProxy: () => false }).callback());
  const { port } = await secured.listenTls(0, '127.0.0.1', { context: { cert: certificate, key }, follow: () => {} });
  const tls = asker(port, server.token, certificate);
  t.teardown(async () => {
    tls.close();
    await secured.close(0);
  });
  const expected = /^__Host-slipway=slipway_[\w-]{32}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict; Secure$/;
  const answer = await signIn(tls);
  t.regex(String(setCookie(answer)), expected);
  const cookie = cookieOf(answer);
  t.is((await tls.ask('GET', '/api/account', by(cookie))).status, 200);
  const plain = { as: 'anonymous', headers: { cookie } } as const;
  t.is((await server.ask('GET', '/api/account', plain)).status, 401, 'the name is that of TLS');
  const proxied = { as: 'anonymous', headers: { cookie, 'x-forwarded-proto': 'https' } } as const;
  t.is((await server.ask('GET', '/api/account', proxied)).status, 200);
  const put = (origin: string) =>
    tls.ask('PUT', '/api/user/anna', { as: 'anonymous', body: { display_name: 'x' }, headers: { cookie, origin } });
  t.is((await put(`https://127.0.0.1:${port}`)).status, 200);
  t.is(told(await put(`http://127.0.0.1:${port}`)), '403 ForeignOrigin', 'anybody may have written that page');
  for (const proto of ['https', 'https, http', ' HTTPS ']) {
    t.regex(String(setCookie(await signIn(server, byPassword, { 'x-forwarded-proto': proto }))), expected, proto);
  }
  for (const proto of ['http', 'http, https', '', 'x']) {
    t.notRegex(
      String(setCookie(await signIn(server, byPassword, { 'x-forwarded-proto': proto }))),
      /Secure|^__/,
      proto,
    );
  }
});

test('who is no proxy of ours says nothing of TLS', async (t) => {
  const server = await start(t);
  t.regex(String(setCookie(await signIn(server, byPassword, { 'x-forwarded-proto': 'https' }))), /^slipway=.*Strict$/);
});

for (const [publicUrl, name, path, secure] of [
  ['https://images.example', '__Host-slipway', '/', true],
  ['https://images.example/', '__Host-slipway', '/', true],
  ['https://images.example/below/it/', '__Secure-slipway', '/below/it', true],
  ['http://images.example:8080/below', 'slipway', '/below', false],
] as const) {
  test(`the cookie of ${publicUrl}`, async (t) => {
    const server = await start(t, { publicUrl });
    const answer = await signIn(server);
    const [pair = '', ...attributes] = String(setCookie(answer)).split('; ');
    t.is(pair.split('=')[0], name);
    t.true(attributes.includes(`Path=${path}`));
    t.is(attributes.includes('Secure'), secure);
    const cookie = cookieOf(answer);
    const put = (origin: string) =>
      server.ask('PUT', '/api/user/anna', {
        as: 'anonymous',
        body: { display_name: 'x' },
        headers: { cookie, origin },
      });
    t.is((await put(new URL(publicUrl).origin)).status, 200);
    t.is((await put(`${new URL(publicUrl).protocol}//images.example:81`)).status, 403);
    const out = await server.ask('DELETE', '/api/session', by(cookie));
    t.is(result(out).ended, true);
    t.true(String(setCookie(out)).startsWith(`${name}=; Path=${path}; Max-Age=0`));
  });
}

test('no secret is in a body, the log, or the audit', async (t) => {
  const { log, lines } = keptLog();
  const server = await start(t, { log });
  const answers = [await signIn(server), await signIn(server, { token: 'token-of-anna' })];
  const secrets = answers.map(secretOf);
  const [cookie = '', ofToken = ''] = answers.map(cookieOf);
  answers.push(await server.ask('GET', '/api/account', by(cookie)));
  answers.push(await server.ask('PUT', '/api/user/anna', by(ofToken, { body: { display_name: 'x' } })));
  answers.push(await server.ask('PUT', '/api/user/nobody', by(cookie, { body: { display_name: 'x' } })));
  answers.push(await server.ask('DELETE', '/api/session', by(cookie)));
  const audit = await server.ask('GET', '/api/audit', { as: 'admin' });
  const entries = result<{ what: string; who: string; token?: string }[]>(audit);
  t.true(entries.some(({ what, who }) => what === 'OpenSession' && who === 'anna'));
  t.true(entries.some(({ what, who }) => what === 'CloseSession' && who === 'anna'));
  t.true(
    entries.some(({ what, token }) => what === 'UpdateUser' && token === 'test'),
    'the token behind it is named',
  );
  t.true(lines.some(({ url, caller }) => url === '/api/session' && caller === 'anna'));
  const all = JSON.stringify([answers.map(({ bytes }) => String(bytes)), lines, String(audit.bytes)]);
  for (const secret of [...secrets, PASSWORD, 'token-of-anna']) {
    t.true(secret.length > 10);
    t.false(all.includes(secret), secret);
    t.false(all.includes(hashToken(secret)));
  }
});

test('what is taken from the user is taken from its sessions', async (t) => {
  const server = await start(t);
  const { ask } = server;
  const cookie = cookieOf(await signIn(server));
  for (const body of [{ active: false }, { active: true, api_access: false }]) {
    await ask('PUT', '/api/user/anna', { body });
    t.is(told(await ask('GET', '/api/account', by(cookie))), '403 NotPermitted');
    t.is((await ask('DELETE', '/api/session', by('slipway=x'))).status, 200);
  }
  await ask('PUT', '/api/user/anna', { body: { api_access: true } });
  t.is((await ask('GET', '/api/account', by(cookie))).status, 200);
  t.is((await ask('DELETE', '/api/user/anna')).status, 200);
  t.is(told(await ask('GET', '/api/account', by(cookie))), '401 UnauthorizedError');
  t.deepEqual(await kept(server), []);
});
