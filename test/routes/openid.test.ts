import { randomBytes } from 'node:crypto';
import test from 'ava';
import { ImgapiError } from '../../imgapi/errors.js';
import { type AuditEntry, auditEntries } from '../../server/model/audit.js';
import { groups } from '../../server/model/group.js';
import { usedSignIns } from '../../server/model/openid.js';
import { signInProblems } from '../../server/model/sign-in-problem.js';
import { StorageDown } from '../../storage/errors.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { Browser } from '../support/browser.js';
import { addDatacenter } from '../support/datacenters.js';
import { ownCatalog } from '../support/engines.js';
import { addUser } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { CLIENT, PUBLIC, repeating, signingKey, startIssuer } from '../support/issuer.js';
import { keptLog } from '../support/log.js';
import { sharing } from '../support/members.js';
import { type Answer, startServer, type TestServer, type Wire } from '../support/server.js';
import {
  accountOf,
  change,
  endOf,
  HOST,
  houseOf,
  isPage,
  openHouse,
  serving,
  sessionsIn,
  userNamed,
} from '../support/signing-in.js';
import { told } from '../support/told.js';

const result = <T = Wire>({ json }: Answer) => json.result as T;

async function entriesOf({ deps }: TestServer): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for await (const entry of deps.catalog.list(auditEntries)) entries.push(entry);
  return entries;
}

const callbackOf = (browser: Browser) => browser.seen.find(({ url }) => url.pathname === '/console/openid/callback')!;

// --- How one can sign in

test('what the button says, where there is one', async (t) => {
  const plain = await startServer(t);
  t.deepEqual(result(await plain.ask('GET', '/api/session/ways')), { password: true, token: true, openid: null });
  const { server } = await openHouse(t);
  const answer = await server.ask('GET', '/api/session/ways');
  const openid = { label: 'Sign in at home', start: '/console/openid/start' };
  t.deepEqual(result(answer), { password: true, token: true, openid });
  t.is(answer.headers['cache-control'], 'no-store');
});

test('what went wrong is told in words, for what can go wrong only', async (t) => {
  const { ask } = await startServer(t);
  for (const [code, words] of Object.entries(signInProblems)) {
    t.is(result(await ask('GET', `/api/session/ways?error=${code}`)).problem, words);
  }
  for (const other of ['', 'constructor', '%3Cb%3Ecall%20us']) {
    t.false('problem' in result(await ask('GET', `/api/session/ways?error=${other}`)), other);
  }
  t.is(told(await ask('GET', `/api/session/ways?error=${'x'.repeat(65)}`)), '400 InvalidInput error:Invalid');
  t.is(told(await ask('GET', '/api/session/ways?why')), '400 InvalidInput why:NotAllowed');
});

test('where nobody is configured, a page says so', async (t) => {
  const { ask } = await startServer(t);
  for (const path of ['start', 'callback?code=x&state=y']) {
    const { status, headers } = await ask('GET', `/console/openid/${path}`);
    t.is(`${status} ${headers.location}`, '303 /console/?error=off');
    t.is(headers['set-cookie'], undefined);
  }
});

// --- A sign-in

test('who is unknown becomes a user, comes to where they wanted to, and is the same when they come again', async (t) => {
  const { log, lines } = keptLog();
  const { issuer, server, browser, signIn } = await openHouse(t, {}, { log });
  issuer.person = { sub: 's-1', preferred_username: 'anna', name: 'Anna Berg', email: 'anna@example.com' };
  const first = browser();
  const page = await signIn(first, '/console/images?search=a%20b#top');
  t.is(page.url.href, `${PUBLIC}/console/images?search=a%20b#top`);
  const account = await accountOf(first);
  t.like(account, { name: 'anna', display_name: 'Anna Berg', super_admin: false, groups: [] });
  const user = await userNamed(server, 'anna');
  t.like(user, { email: 'anna@example.com', openid: { issuer: issuer.url, subject: 's-1' }, superAdmin: false });
  t.is(user?.password, undefined);

  issuer.person = { sub: 's-1', preferred_username: 'anna-married' };
  const second = browser();
  await signIn(second);
  t.is((await accountOf(second)).uuid, account.uuid);
  t.is(await userNamed(server, 'anna-married'), undefined);
  t.deepEqual(await userNamed(server, 'anna'), user);

  // Told to nobody else: not to the log, the audit or what is kept.
  const entries = await entriesOf(server);
  const records = JSON.stringify([entries, user]);
  const { searchParams } = callbackOf(first).url;
  for (const secret of [searchParams.get('code')!, searchParams.get('state')!, CLIENT.secret]) {
    t.false(JSON.stringify(lines).includes(secret), secret);
    t.false(records.includes(secret), secret);
  }
  t.true(lines.some(({ url, caller }) => url === '/console/openid/callback?…' && caller === 'anna'));
  const made = entries.filter(({ what }) => what === 'FinishOpenIdSignIn');
  t.like(made[0], {
    who: { name: 'anna', kind: 'user' },
    objects: [{ kind: 'users', name: 'anna', action: 'created' }],
  });
  t.like(made[1], { who: { name: 'anna' }, objects: [{ kind: 'sessions', action: 'created' }] });
  t.is(made.length, 3, 'that it was used up is nobody’s business');
});

test('the session is like any other in a cookie', async (t) => {
  const { server, browser, signIn } = await openHouse(t);
  const one = browser();
  await signIn(one);
  const { headers } = callbackOf(one);
  t.is(headers['cache-control'], 'no-store');
  t.is(headers['referrer-policy'], 'no-referrer');
  t.regex(one.cookie('slipway')!.line, /^slipway=slipway_[\w-]{32}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/);
  const listed = result(await server.ask('GET', '/api/user/anna/session', { as: 'admin' }));
  t.is(listed.length, 1);
  t.like(listed[0], { made: 'openid', address: '127.0.0.1' });
});

test('what the browser keeps meanwhile is sealed, short, and gone afterwards', async (t) => {
  const { browser, signIn } = await openHouse(t);
  const one = browser();
  await signIn(one);
  const [begun] = one.seen;
  t.is(begun?.status, 303);
  t.regex(
    String(begun?.headers['set-cookie']),
    /^slipway-openid=[\w.-]+; Path=\/console\/openid; Max-Age=600; HttpOnly; SameSite=Lax$/,
  );
  const { searchParams } = new URL(begun!.headers.location!);
  t.is(searchParams.get('code_challenge_method'), 'S256');
  t.is(searchParams.get('redirect_uri'), `${PUBLIC}/console/openid/callback`);
  for (const name of ['state', 'nonce', 'code_challenge']) {
    const value = searchParams.get(name) ?? '';
    t.true(value.length >= 43, name);
    t.false(String(begun?.headers['set-cookie']).includes(value), name);
  }
  t.is(one.cookie('slipway-openid'), undefined);
});

test('below a prefix, over TLS', async (t) => {
  const publicUrl = 'https://images.test/base';
  const issuer = await startIssuer(t, { publicUrl, path: '/realms/home' });
  issuer.person = { sub: 's-1', preferred_username: 'anna' };
  const { port } = await startServer(t, serving(issuer, {}, { publicUrl }));
  for (const to of ['/base/console/nodes', '/console/nodes']) {
    const browser = new Browser({ [HOST]: { port, prefix: '/base' } });
    const start = `${publicUrl}/console/openid/start?to=${to}`;
    const page = await browser.open(start, ({ pathname }) => pathname === '/base/console/nodes');
    t.is(page.url.href, `${publicUrl}/console/nodes`);
    const [begun] = browser.seen;
    t.regex(
      String(begun?.headers['set-cookie']),
      /^__Secure-slipway-openid=\S+; Path=\/base\/console\/openid; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
    );
    t.regex(browser.cookie('__Secure-slipway')!.line, /; Path=\/base; .*; Secure$/);
  }
});

test('who comes by another name is sent to publicUrl first, once', async (t) => {
  const { server, browser } = await openHouse(t);
  const one = browser();
  const page = await one.open(`http://127.0.0.1:${server.port}/console/openid/start?to=/console/nodes`, isPage);
  t.is(page.url.href, `${PUBLIC}/console/nodes`);
  t.is(one.seen[1]?.url.origin, PUBLIC);
  const hidden = await server.ask('GET', '/console/openid/start?moved=1');
  t.regex(String(hidden.headers.location), /\/auth\?/, 'behind a proxy that hides the name');
});

test('nobody is sent out of the console', async (t) => {
  const { server } = await openHouse(t);
  const elsewhere = [
    'https://evil.example/console/',
    '//evil.example/console/',
    '/\\evil.example/console/',
    '/console/..//evil.example',
    '/console/../api/account',
    '/console/%2e%2e/api/account',
    '/api/account',
    '/consoles/',
    '/console/openid/start',
    '/console/\u00fc',
    '/console/a\nb',
    `/console/${'a'.repeat(2000)}`,
    'console/',
    '',
  ];
  for (const to of elsewhere) {
    const answer = await server.ask('GET', `/console/openid/start?to=${encodeURIComponent(to)}`);
    t.is(told(answer), '400 InvalidInput to:Invalid', JSON.stringify(to));
    t.is(answer.headers.location, undefined, to);
  }
  t.is(
    told(await server.ask('GET', '/console/openid/start?to=/console/a&to=/console/b')),
    '400 InvalidInput to:Invalid',
  );
});

test('one daemon begins, another one finishes, and no other browser', async (t) => {
  const issuer = await startIssuer(t);
  issuer.person = { sub: 's-1', preferred_username: 'anna' };
  const shared = await ownCatalog();
  t.teardown(() => shared.close());
  const secretsKey = randomBytes(32);
  const ports: number[] = [];
  for (const member of sharing(shared, ['east', 'west'])) {
    const catalog = wrappedCatalog(member.catalog, { close: async () => {} });
    ports.push((await startServer(t, serving(issuer, {}, { catalog, secretsKey }))).port);
  }
  const [east = 0, west = 0] = ports;
  const browser = new Browser({ [HOST]: { port: east } });
  const back = await browser.open(`${PUBLIC}/console/openid/start`, ({ pathname }) => pathname.endsWith('/callback'));
  const other = new Browser({ [HOST]: { port: west } });
  t.is(endOf(await other.open(back.url.href, isPage)), 'cookie');
  other.cookies = browser.cookies;
  t.is(endOf(await other.open(back.url.href, isPage)), 'ok');
  t.is((await accountOf(other)).name, 'anna');
});

// --- Whom it proves

test('nobody is taken for somebody here by a name, unless that is said', async (t) => {
  const cases = [
    [{ creates: false, binds: false }, 'unknown'],
    [{ creates: true, binds: false }, 'taken'],
    [{ creates: false, binds: true }, 'ok'],
    [{ creates: true, binds: true }, 'ok'],
  ] as const;
  for (const [rules, end] of cases) {
    const { server, signIn } = await openHouse(t, rules);
    const { uuid } = await addUser(server, 'anna');
    t.is(endOf(await signIn()), end, JSON.stringify(rules));
    t.is((await userNamed(server, 'anna'))?.openid !== undefined, end === 'ok');
    t.is((await userNamed(server, 'anna'))?.uuid, uuid);
    t.is(await sessionsIn(server), end === 'ok' ? 1 : 0);
  }
});

test('nobody is made where that is not said', async (t) => {
  for (const rules of [{ creates: false }, { creates: false, binds: true }]) {
    const { server, signIn } = await openHouse(t, rules);
    t.is(endOf(await signIn()), 'unknown');
    t.is(await userNamed(server, 'anna'), undefined);
  }
});

test('nobody becomes SuperAdmin by a name', async (t) => {
  const { issuer, server, browser, signIn } = await openHouse(t, { binds: true });
  issuer.person = { sub: 's-1', preferred_username: 'admin' };
  const one = browser();
  t.is(endOf(await signIn(one)), 'taken');
  t.is(await accountOf(one), undefined);
  t.is((await userNamed(server, 'admin'))?.openid, undefined);
  t.is(await sessionsIn(server), 0);
});

test('who is bound stays who they are: another subject of the same name is somebody else', async (t) => {
  const { issuer, server, signIn } = await openHouse(t, { binds: true });
  await addUser(server, 'anna');
  t.is(endOf(await signIn()), 'ok');
  const bound = await userNamed(server, 'anna');
  issuer.person = { sub: 'subject-of-another', preferred_username: 'anna' };
  t.is(endOf(await signIn()), 'taken');
  t.deepEqual(await userNamed(server, 'anna'), bound);
  issuer.person = { sub: 'subject-of-anna', preferred_username: 'admin' };
  t.is(endOf(await signIn()), 'ok', 'whatever the name is by then');
});

test('a name that can be none here, or is not told', async (t) => {
  for (const preferred_username of [undefined, '', 'anna berg', '../anna', 'ä', 'x'.repeat(65), 7 as never]) {
    const { issuer, server, signIn } = await openHouse(t);
    issuer.person = { sub: 's-1', ...(preferred_username !== undefined && { preferred_username }) };
    t.is(endOf(await signIn()), 'name', String(preferred_username));
    t.is(await sessionsIn(server), 0);
  }
});

test('the name can be in another claim, and what else is told fits, or is left away', async (t) => {
  const { issuer, server, signIn } = await openHouse(t, { name: 'email' });
  issuer.person = { sub: 's-1', name: '<b>Anna</b>', email: 'anna@example.com' };
  t.is(endOf(await signIn()), 'ok');
  t.like(await userNamed(server, 'anna@example.com'), { displayName: undefined, email: 'anna@example.com' });
});

test('who is locked out here stays out', async (t) => {
  for (const fields of [{ inactive: true }, { withoutApi: true }] as const) {
    const { server, browser, signIn } = await openHouse(t);
    t.is(endOf(await signIn()), 'ok');
    await change(server, 'anna', fields);
    const one = browser();
    t.is(endOf(await signIn(one)), 'inactive');
    t.is(one.cookie('slipway'), undefined);
    t.is(await sessionsIn(server), 1);
  }
});

test('a SuperAdmin says who somebody is, and takes it back', async (t) => {
  const { issuer, server, browser, signIn } = await openHouse(t, { creates: false });
  const anna = await addUser(server, 'anna');
  await addUser(server, 'bert');
  const bind = (name: string, openid_subject: unknown, headers = {}) =>
    server.ask('PUT', `/api/user/${name}`, { body: { openid_subject }, headers });
  t.is(told(await bind('anna', 's-1', anna.headers)), '403 NotPermitted');
  t.like(result(await bind('anna', 's-1')), { openid_issuer: issuer.url, openid_subject: 's-1' });
  t.is(told(await bind('bert', 's-1')), '400 InvalidInput openid_subject:Invalid');
  t.is(told(await bind('bert', 'a\nb')), '400 InvalidInput openid_subject:Invalid');
  t.is((await bind('anna', 's-1')).status, 200, 'once more');
  t.is((await bind('admin', 's-admin')).status, 200);

  issuer.person = { sub: 's-1', preferred_username: 'somebody' };
  const one = browser();
  t.is(endOf(await signIn(one)), 'ok');
  t.is((await accountOf(one)).name, 'anna');
  issuer.person = { sub: 's-admin' };
  const two = browser();
  t.is(endOf(await signIn(two)), 'ok');
  t.like(await accountOf(two), { name: 'admin', super_admin: true });

  t.like(result(await bind('anna', null)), { openid_issuer: null, openid_subject: null });
  t.is(await accountOf(one), undefined, 'and what was opened with it ends');
  issuer.person = { sub: 's-1' };
  t.is(endOf(await signIn()), 'unknown');
  t.is((await bind('anna', '')).status, 200);

  const made = await server.ask('POST', '/api/user/carl', { body: { openid_subject: 's-carl' } });
  t.like(result(made), { openid_subject: 's-carl' });
  const { ask } = await startServer(t);
  const body = { openid_subject: 's-1' };
  t.is(told(await ask('PUT', '/api/user/admin', { body })), '400 InvalidInput openid_subject:Invalid');
});

test('a token that ends, or is limited, makes nobody who lasts', async (t) => {
  const { server } = await openHouse(t);
  await addUser(server, 'anna');
  const created = await server.ask('POST', '/api/token', { body: { name: 'short', expires: '1h' } });
  const headers = { authorization: `Bearer ${result<{ token: string }>(created).token}` };
  const body = { openid_subject: 's-1' };
  t.is(told(await server.ask('PUT', '/api/user/anna', { body, headers })), '403 NotPermitted');
  t.is((await userNamed(server, 'anna'))?.openid, undefined);
});

// --- Groups

test('groups follow what is told with each sign-in, those of the map and no others', async (t) => {
  const groupMap = { operations: ['east', 'west'], developers: ['north'], absent: ['nowhere'] };
  const { log, lines } = keptLog();
  const { issuer, server, browser, signIn } = await openHouse(t, { groupMap }, { log });
  for (const name of ['east', 'west', 'north', 'other']) await server.ask('POST', `/api/group/${name}`);
  const groupsOf = async () => {
    const one = browser();
    t.is(endOf(await signIn(one)), 'ok');
    return (await accountOf(one)).groups;
  };
  const anna = { sub: 's-1', preferred_username: 'anna' };
  issuer.person = { ...anna, groups: ['operations', 'strangers', 'constructor', 'absent'] };
  t.deepEqual(await groupsOf(), ['east', 'west']);
  t.like(
    lines.find(({ level }) => level === 40),
    { groups: ['nowhere'] },
  );
  await server.ask('PUT', '/api/group/other', { body: { users: ['anna'] } });
  await server.ask('PUT', '/api/group/west', { body: { users: ['anna', 'admin'] } });
  issuer.person = { ...anna, groups: 'developers' };
  t.deepEqual(await groupsOf(), ['north', 'other']);
  t.is((await server.deps.catalog.get(groups, 'west'))?.members.length, 1, 'others stay in it');
  issuer.person = anna;
  t.deepEqual(await groupsOf(), ['other'], 'no claim is no group');

  const entries = result<Wire[]>(await server.ask('GET', '/api/audit?object=north', { as: 'admin' }));
  const changes = entries.filter(({ what }) => what === 'FinishOpenIdSignIn');
  t.is(changes.length, 2);
  t.like(changes[0], { who: 'anna' });
});

test('without a map groups are not touched', async (t) => {
  const { issuer, server, signIn } = await openHouse(t);
  await signIn();
  await server.ask('POST', '/api/group/east', { body: { users: ['anna'] } });
  issuer.person = { sub: 'subject-of-anna', groups: { odd: true } };
  t.is(endOf(await signIn()), 'ok');
  t.is((await server.deps.catalog.get(groups, 'east'))?.members.length, 1);
});

test('groups that can not be read let nobody in with those of before', async (t) => {
  const { issuer, server, signIn } = await openHouse(t, { groupMap: { a: ['east'] } });
  await server.ask('POST', '/api/group/east');
  const anna = { sub: 's-1', preferred_username: 'anna' };
  for (const told of [{ a: true }, [1], 7]) {
    issuer.person = { ...anna, groups: told };
    t.is(endOf(await signIn()), 'groups', JSON.stringify(told));
  }
  issuer.person = anna;
  issuer.bend = (payload) => Object.assign(payload, { _claim_names: { groups: 'src1' } });
  t.is(endOf(await signIn()), 'groups', 'there are too many, and they are told elsewhere');
  t.is(await sessionsIn(server), 0);
});

test('rights come with groups, at once', async (t) => {
  const { issuer, server, browser, signIn } = await openHouse(t, { groupMap: { a: ['east'] } });
  await addDatacenter(server, 'E1');
  await server.ask('POST', '/api/group/east', { body: { permissions: ['admin'] } });
  await server.ask('POST', '/api/dc/E1/group/east');
  issuer.person = { sub: 's-1', preferred_username: 'anna', groups: ['a'] };
  const one = browser();
  await signIn(one);
  t.deepEqual((await accountOf(one)).roles, { E1: ['member', 'admin'] });
});

// --- An issuer that lies

const lies: [
  what: string,
  bend: (payload: Record<string, unknown>, header: { alg: string; kid?: string }) => void,
  end: string,
][] = [
  ['a nonce of another sign-in', (payload) => Object.assign(payload, { nonce: 'of-another' }), 'nonce'],
  ['no nonce', (payload) => delete payload.nonce, 'nonce'],
  ['another audience', (payload) => Object.assign(payload, { aud: 'another' }), 'audience'],
  ['several audiences, without ours', (payload) => Object.assign(payload, { aud: ['a', 'b'] }), 'audience'],
  [
    'meant for another one of several',
    (payload) => Object.assign(payload, { aud: ['slipway', 'b'], azp: 'b' }),
    'audience',
  ],
  ['another issuer', (payload) => Object.assign(payload, { iss: 'https://evil.example' }), 'issuer'],
  ['expired', (payload) => Object.assign(payload, { exp: seconds() - 60 }), 'expired'],
  ['not good yet', (payload) => Object.assign(payload, { nbf: seconds() + 60 }), 'expired'],
  ['not signed', (_payload, header) => Object.assign(header, { alg: 'none' }), 'signature'],
  ['a key that nobody knows', (_payload, header) => Object.assign(header, { kid: 'unheard' }), 'signature'],
  ['no subject', (payload) => delete payload.sub, 'odd'],
  ['a subject that is no text', (payload) => Object.assign(payload, { sub: 7 }), 'odd'],
  [
    'a subject with a line break',
    (payload) => Object.assign(payload, { sub: 'a\nb', preferred_username: 'anna' }),
    'odd',
  ],
];

const seconds = () => Math.floor(Date.now() / 1000);

for (const [what, bend, end] of lies) {
  test(`a proof that is not believed: ${what}`, async (t) => {
    const { log, lines } = keptLog();
    const { issuer, server, browser, signIn } = await openHouse(t, {}, { log });
    issuer.bend = bend;
    const one = browser();
    t.is(endOf(await signIn(one)), end);
    t.is(one.cookie('slipway'), undefined);
    t.is(await userNamed(server, 'anna'), undefined);
    t.is(await sessionsIn(server), 0);
    const line = lines.find(({ problem }) => problem === end);
    t.truthy(line?.reason);
    const all = JSON.stringify(lines);
    t.false(/eyJ[\w-]+\.eyJ/.test(all), 'no token is told to the log');
    t.false(all.includes(callbackOf(one).url.searchParams.get('code')!));
    issuer.bend = undefined;
    t.is(endOf(await signIn(one)), 'ok');
  });
}

test('signed by another key that calls itself by the right name', async (t) => {
  const { issuer, server, signIn } = await openHouse(t);
  issuer.otherKey = signingKey(1);
  t.is(endOf(await signIn()), 'signature');
  t.is(await sessionsIn(server), 0);
});

test('what else is told of somebody is told of that very somebody', async (t) => {
  const { issuer, signIn } = await openHouse(t);
  issuer.before = (request, response) => {
    if (!request.url?.startsWith('/me')) return false;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ sub: 'somebody else', preferred_username: 'admin' }));
    return true;
  };
  t.is(endOf(await signIn()), 'odd');
});

test('an issuer that calls itself otherwise, or describes itself in no way that helps', async (t) => {
  const { log, lines } = keptLog();
  const { issuer, server, signIn } = await openHouse(t, {}, { log });
  const answers: [status: number, body: string, end: string][] = [
    [200, JSON.stringify({ issuer: 'https://evil.example' }), 'odd'],
    [200, JSON.stringify({ issuer: issuer.url }), 'odd'],
    [200, '[]', 'odd'],
    [200, '{', 'odd'],
    [200, '', 'odd'],
    [204, '', 'odd'],
    [404, '{}', 'odd'],
    [302, '', 'odd'],
    [500, '{}', 'away'],
    [503, 'x', 'away'],
    [200, `"${'x'.repeat(1 << 20)}"`, 'odd'],
  ];
  for (const [status, body, end] of answers) {
    issuer.before = (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json', location: 'http://127.0.0.1:1/' });
      response.end(body);
      return true;
    };
    const started = await server.ask('GET', '/console/openid/start?moved=1');
    t.is(
      `${started.status} ${started.headers.location}`,
      `303 ${PUBLIC}/console/?error=${end}`,
      `${status} ${body.slice(0, 50)}`,
    );
    t.is(started.headers['set-cookie'], undefined);
  }
  t.regex(
    String(lines.find(({ problem }) => problem === 'odd')?.reason),
    /it calls itself https:\/\/evil\.example, openidIssuer is http:/,
  );
  issuer.before = undefined;
  t.is(endOf(await signIn()), 'ok', 'what has failed is not remembered');
});

test('what the issuer names elsewhere is asked only where anybody may have it asked', async (t) => {
  const { log, lines } = keptLog();
  const { issuer, server } = await openHouse(t, {}, { log, outgoing: { allowedAddresses: [] } });
  const begun = await server.ask('GET', '/console/openid/start?moved=1');
  t.regex(String(begun.headers.location), /\/auth\?/, 'a SuperAdmin has configured the host of the issuer');
  issuer.before = (request, response) => {
    if (!request.url?.startsWith('/.well-known/')) return false;
    const told = { issuer: issuer.url, authorization_endpoint: `${issuer.url}/auth`, jwks_uri: `${issuer.url}/jwks` };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...told, token_endpoint: 'http://localhost:1/token' }));
    return true;
  };
  const fresh = await startServer(t, serving(issuer, {}, { log, outgoing: { allowedAddresses: [] } }));
  const house = houseOf(issuer, fresh);
  issuer.person = { sub: 's-1', preferred_username: 'anna' };
  t.is(endOf(await house.signIn()), 'away');
  t.regex(
    String(lines.find(({ problem }) => problem === 'away')?.reason),
    /localhost stands at an address that is private/,
  );
});

// --- An issuer that is not there

test('away', async (t) => {
  const away = await startIssuer(t);
  await away.close();
  const server = await startServer(t, serving(away));
  const { status, headers } = await server.ask('GET', '/console/openid/start?moved=1');
  t.is(`${status} ${headers.location}`, `303 ${PUBLIC}/console/?error=away`);
  t.like(result(await server.ask('GET', '/api/session/ways')), { openid: { label: 'Sign in at home' } });
});

test('lost on the way back, in each of its answers', async (t) => {
  for (const path of ['/token', '/jwks', '/me']) {
    const { issuer, server, browser, signIn } = await openHouse(t);
    issuer.before = (request) => {
      if (!request.url?.startsWith(path)) return false;
      request.socket.destroy();
      return true;
    };
    const one = browser();
    t.is(endOf(await signIn(one)), 'away', path);
    t.is(await sessionsIn(server), 0);
    issuer.before = undefined;
    t.is(endOf(await signIn(one)), 'ok', path);
  }
});

test('no connection is used twice: what is lost on one that the issuer closes can not be asked again', async (t) => {
  const { issuer, signIn } = await openHouse(t);
  const asked: string[] = [];
  issuer.before = ({ url = '', headers }) => {
    if (/^\/(\.well-known|token|jwks|me)/.test(url)) asked.push(`${url} ${headers.connection}`);
    return false;
  };
  t.is(endOf(await signIn()), 'ok');
  t.true(asked.length > 2);
  t.deepEqual(
    asked.filter((one) => !one.endsWith(' close')),
    [],
  );
});

test('too slow', async (t) => {
  const issuer = await startIssuer(t);
  issuer.person = { sub: 's-1', preferred_username: 'anna' };
  const openidClient = { ...CLIENT, patience: 200 };
  for (const path of ['/.well-known', '/token', '/me']) {
    const { signIn } = houseOf(issuer, await startServer(t, serving(issuer, {}, { openidClient })));
    issuer.before = ({ url }, response) => {
      if (!url?.startsWith(path)) return false;
      // it begins to answer, and does not end
      if (path === '/me') response.writeHead(200, { 'content-type': 'application/json' }).write('{');
      return true;
    };
    t.is(endOf(await signIn()), 'slow', path);
    issuer.before = undefined;
  }
});

test('it does not let this server in', async (t) => {
  const issuer = await startIssuer(t);
  issuer.person = { sub: 's-1', preferred_username: 'anna' };
  const openidClient = { client: CLIENT.client, secret: 'not the secret of the client' };
  const { log, lines } = keptLog();
  const { signIn, server } = houseOf(issuer, await startServer(t, serving(issuer, {}, { openidClient, log })));
  t.is(endOf(await signIn()), 'client');
  t.is(await sessionsIn(server), 0);
  t.false(JSON.stringify(lines).includes(openidClient.secret));
});

test('the secret goes where the issuer takes it: into the body, or there is none', async (t) => {
  for (const token_endpoint_auth_method of ['client_secret_post', 'none'] as const) {
    const issuer = await startIssuer(t, { client: { token_endpoint_auth_method } });
    issuer.person = { sub: 's-1', preferred_username: 'anna' };
    issuer.before = (request, response) => {
      if (!request.url?.startsWith('/.well-known/')) return false;
      const methods = [token_endpoint_auth_method];
      const described = { issuer: issuer.url, token_endpoint_auth_methods_supported: methods };
      const endpoints = {
        authorization_endpoint: 'auth',
        token_endpoint: 'token',
        jwks_uri: 'jwks',
        userinfo_endpoint: 'me',
      };
      const urls = Object.fromEntries(Object.entries(endpoints).map(([name, path]) => [name, `${issuer.url}/${path}`]));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ...described, ...urls }));
      return true;
    };
    const openidClient = token_endpoint_auth_method === 'none' ? { ...CLIENT, secret: undefined } : CLIENT;
    const { signIn } = houseOf(issuer, await startServer(t, serving(issuer, {}, { openidClient })));
    t.is(endOf(await signIn()), 'ok', token_endpoint_auth_method);
  }
});

test('who breaks off there is told so here, and nobody else’s words', async (t) => {
  const { issuer, server, browser, signIn } = await openHouse(t);
  issuer.person = undefined;
  const one = browser();
  const page = await signIn(one);
  t.is(page.url.href, `${PUBLIC}/console/?error=refused`);
  t.is(one.cookie('slipway-openid'), undefined);
  await server.deps.audit.flush();
  const entries = await entriesOf(server);
  t.like(
    entries.find(({ result }) => result !== 'done'),
    { what: 'FinishOpenIdSignIn', result: 'openid refused', from: '127.0.0.1' },
  );
});

test('so many wait for it, and no more', async (t) => {
  const { issuer, server } = await openHouse(t);
  const silence = gate();
  issuer.before = (_request, response) => {
    silence.opened.then(() => response.writeHead(503).end());
    return true;
  };
  const ends: string[] = [];
  const asked = Array.from({ length: 120 }, async () => {
    const { headers } = await server.ask('GET', '/console/openid/start?moved=1');
    ends.push(String(headers.location));
    if (ends.length === 12) silence.open();
  });
  await Promise.all(asked);
  t.deepEqual(ends.slice(0, 12), Array(12).fill(`${PUBLIC}/console/?error=busy`));
  t.deepEqual(ends.slice(12), Array(108).fill(`${PUBLIC}/console/?error=away`));
});

// --- What comes back wrongly

test('used twice: by the same browser, and at the same time', async (t) => {
  const { issuer, server, browser } = await openHouse(t);
  const one = browser();
  const back = await one.open(`${PUBLIC}/console/openid/start`, ({ pathname }) => pathname.endsWith('/callback'));
  const [flow] = one.cookies.filter(({ name }) => name === 'slipway-openid');
  // it answers a second time as it did the first: all is up to the server
  issuer.before = repeating(issuer);
  const ends = await Promise.all(
    [1, 2, 3].map(async () => {
      const again = browser();
      again.cookies = [flow!];
      return endOf(await again.open(back.url.href, isPage));
    }),
  );
  t.deepEqual(ends.sort(), ['ok', 'used', 'used']);
  t.is(await sessionsIn(server), 1);
  issuer.before = undefined;
  const late = browser();
  late.cookies = [flow!];
  t.is(endOf(await late.open(back.url.href, isPage)), 'code', 'the issuer knows no more of it');
  t.is(await sessionsIn(server), 1);
});

test('without its cookie, with that of another sign-in, with one that is made up', async (t) => {
  const { issuer, server, browser } = await openHouse(t);
  const begin = async () => {
    const one = browser();
    const back = await one.open(`${PUBLIC}/console/openid/start`, ({ pathname }) => pathname.endsWith('/callback'));
    return { one, back: back.url.href, flow: one.cookie('slipway-openid')! };
  };
  const [mine, theirs] = [await begin(), await begin()];
  const asked = issuer.asked.length;
  const none = browser();
  t.is(endOf(await none.open(mine.back, isPage)), 'cookie');
  const changed = mine.flow.value.replace(/(?<=\..{40})./, (letter) => (letter === 'a' ? 'b' : 'a'));
  for (const value of ['', 'x', 'x.y', theirs.flow.value, changed, mine.flow.value.slice(0, -2)]) {
    const wrong = browser();
    wrong.cookies = [{ ...mine.flow, value }];
    t.is(endOf(await wrong.open(mine.back, isPage)), 'cookie', value.slice(0, 10));
  }
  for (const query of [
    '',
    '?',
    '?code=x',
    '?code=x&state=',
    '?state=a&state=b&code=x',
    '?error=x',
    '?code=%ff&state=%00',
  ]) {
    t.is(endOf(await mine.one.open(`${PUBLIC}/console/openid/callback${query}`, isPage)), 'cookie', query);
  }
  t.is(issuer.asked.length, asked, 'nobody was asked anything');
  t.is(await sessionsIn(server), 0);
  // Somebody else's cookie beside it, as another site of the domain could set one, does no harm.
  mine.one.cookies = [{ ...theirs.flow, path: '/console' }, mine.flow];
  t.is(endOf(await mine.one.open(mine.back, isPage)), 'ok');
});

test('the same parameter twice is believed by nobody', async (t) => {
  const { server, browser } = await openHouse(t);
  const one = browser();
  const back = await one.open(`${PUBLIC}/console/openid/start`, ({ pathname }) => pathname.endsWith('/callback'));
  back.url.searchParams.append('code', 'another');
  t.is(endOf(await one.open(back.url.href, isPage)), 'odd');
  t.is(await sessionsIn(server), 0);
});

test('an answer in the name of another issuer', async (t) => {
  const { server, browser } = await openHouse(t);
  const one = browser();
  const back = await one.open(`${PUBLIC}/console/openid/start`, ({ pathname }) => pathname.endsWith('/callback'));
  back.url.searchParams.set('iss', 'https://evil.example');
  t.is(endOf(await one.open(back.url.href, isPage)), 'issuer');
  t.is(await sessionsIn(server), 0);
});

test('the storage is away', async (t) => {
  const issuer = await startIssuer(t);
  issuer.person = { sub: 's-1', preferred_username: 'anna' };
  const stored = await ownCatalog();
  let isDown = false;
  const write: typeof stored.write = (change) =>
    isDown ? Promise.reject(new StorageDown('the disk', new Error('it is gone'))) : stored.write(change);
  const server = await startServer(t, serving(issuer, {}, { catalog: wrappedCatalog(stored, { write }) }));
  const { signIn } = houseOf(issuer, server);
  isDown = true;
  t.is(endOf(await signIn()), 'storage');
  isDown = false;
  t.is(endOf(await signIn()), 'ok');
});

test('who is locked out or removed in the last moment, and what else refuses, is told on the page', async (t) => {
  const refusals = [
    [new ImgapiError('NotPermitted', 'the user "anna" is not active'), 'inactive'],
    [new ImgapiError('UnauthorizedError', 'the user who signs in is not there any more'), 'inactive'],
    [new ImgapiError('StorageIsDown', 'the storage failed'), 'storage'],
    [new ImgapiError('ResourceNotFound', 'there is no such thing'), 'odd'],
  ] as const;
  const issuer = await startIssuer(t);
  issuer.person = { sub: 's-1', preferred_username: 'anna' };
  const stored = await ownCatalog();
  let refusal: ImgapiError | undefined;
  const write: typeof stored.write = (change) => (refusal ? Promise.reject(refusal) : stored.write(change));
  const { signIn } = houseOf(
    issuer,
    await startServer(t, serving(issuer, {}, { catalog: wrappedCatalog(stored, { write }) })),
  );
  for (const [thrown, problem] of refusals) {
    refusal = thrown;
    t.is(endOf(await signIn()), problem);
  }
});

test('the session that the browser had is none any more', async (t) => {
  const { server, browser, signIn } = await openHouse(t);
  const one = browser();
  await signIn(one);
  await signIn(one);
  t.is(await sessionsIn(server), 1);
  t.is((await accountOf(one)).name, 'anna');
});

test('too late', async (t) => {
  let now = Date.now();
  const { server, browser } = await openHouse(t, {}, { now: () => new Date(now) });
  const one = browser();
  const back = await one.open(`${PUBLIC}/console/openid/start`, ({ pathname }) => pathname.endsWith('/callback'));
  now += 601_000;
  t.is(endOf(await one.open(back.url.href, isPage)), 'late');
  t.is(await sessionsIn(server), 0);
});

test('what was used is forgotten when it would be too late anyway', async (t) => {
  let now = Date.now();
  const { issuer, server, signIn } = await openHouse(t, {}, { now: () => new Date(now) });
  issuer.bend = (payload) => Object.assign(payload, { exp: Number(payload.exp) + 3600 });
  const kept = async () => {
    let found = 0;
    for await (const _ of server.deps.catalog.list(usedSignIns)) found += 1;
    return found;
  };
  for (const [later, left] of [
    [0, 1],
    [20, 2],
    [590, 2],
  ] as const) {
    now += later * 1000;
    t.is(endOf(await signIn()), 'ok');
    t.is(await kept(), left, `${later} s later`);
  }
});

// --- Clocks and keys

test('a clock that is off by some seconds does no harm, on either side; one that is off by minutes does', async (t) => {
  for (const [off, end] of [
    [-20, 'ok'],
    [20, 'ok'],
    [3600, 'expired'],
  ] as const) {
    const { issuer, signIn } = await openHouse(t, {}, { now: () => new Date(Date.now() + off * 1000) });
    // for as long as most give it
    issuer.bend = (payload) => Object.assign(payload, { exp: Number(payload.iat) + 300 });
    t.is(endOf(await signIn()), end, `${off} s`);
  }
  const { issuer, signIn } = await openHouse(t);
  issuer.bend = (payload) => Object.assign(payload, { iat: seconds() + 20, nbf: seconds() + 20 });
  t.is(endOf(await signIn()), 'ok');
});

test('keys that were changed a moment ago are known', async (t) => {
  const { issuer, signIn } = await openHouse(t);
  t.is(endOf(await signIn()), 'ok');
  issuer.rotate();
  t.is(endOf(await signIn()), 'ok');
});

// --- Signing out

test('who has signed in there is told where to sign out there', async (t) => {
  const { server, browser, signIn } = await openHouse(t);
  const one = browser();
  await signIn(one);
  const cookie = `slipway=${one.cookie('slipway')!.value}`;
  const headers = { cookie, 'sec-fetch-site': 'same-origin' };
  const out = await server.ask('DELETE', '/api/session', { as: 'anonymous', headers });
  t.true(result(out).ended);
  const url = new URL(String(result(out).go_to));
  t.is(url.pathname, '/session/end');
  t.deepEqual(Object.fromEntries(url.searchParams), {
    client_id: CLIENT.client,
    post_logout_redirect_uri: `${PUBLIC}/console/`,
  });
  t.is(await accountOf(one), undefined);
  const again = await server.ask('DELETE', '/api/session', { as: 'anonymous', headers });
  t.deepEqual(result(again), { ended: false, go_to: null });
});

test('who has not, or where nobody offers it, or answers, is signed out here and that is all', async (t) => {
  const issuer = await startIssuer(t, { without: 'logout' });
  issuer.person = { sub: 's-1', preferred_username: 'anna' };
  const { server, browser, signIn } = houseOf(issuer, await startServer(t, serving(issuer)));
  const leave = async (cookie: string) => {
    const headers = { cookie: `slipway=${cookie}`, 'sec-fetch-site': 'same-origin' };
    return result(await server.ask('DELETE', '/api/session', { as: 'anonymous', headers }));
  };
  const one = browser();
  await signIn(one);
  t.deepEqual(await leave(one.cookie('slipway')!.value), { ended: true, go_to: null });
  const byToken = await server.ask('POST', '/api/session', { as: 'anonymous', body: { token: server.token } });
  const [line = ''] = byToken.headers['set-cookie'] ?? [];
  t.deepEqual(await leave(line.split(/[=;]/)[1]!), { ended: true, go_to: null });
});
