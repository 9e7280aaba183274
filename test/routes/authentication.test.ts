import test from 'ava';
import { addressMatcher } from '../../server/model/networks.js';
import { hashToken } from '../../server/model/token.js';
import { users } from '../../server/model/user.js';
import { docsRoutes } from '../../server/routes/docs.js';
import { routes } from '../../server/routes/table.js';
import { addUser, numbered } from '../support/fixtures.js';
import { type ServerOptions, startServer } from '../support/server.js';
import { table } from '../support/table.js';

const channels = [{ name: 'dev', description: '', default: true }];
const TOKEN = 'Bearer test-token';

const credentials: Record<string, string> = {
  wrong: 'Bearer nonsense',
  'no token': 'Bearer ',
  'two tokens': 'Bearer test-token test-token',
  'a long token': `Bearer ${'x'.repeat(513)}`,
  basic: `Basic ${Buffer.from('admin:test-token').toString('base64')}`,
  signature: 'Signature keyId="admin",algorithm="rsa-sha256",signature="AAAA"',
  hmac: 'Signature keyId="admin",algorithm="hmac-sha256",signature="AAAA"',
  digest: 'Digest username="admin"',
  'no scheme': 'test-token',
  'a hash': `Bearer ${hashToken('test-token')}`,
};

/** Which routes let whom pass, by their strictness; `anonymous` and `known` are what the caller then is. */
const passes = table<'server' | 'credentials' | 'needed' | 'strict' | 'passive' | 'lenient'>(`
  server     credentials   needed   strict     passive    lenient
  signature  -             401      401        anonymous  anonymous
  signature  good          known    known      known      known
  signature  wrong         401      401        401        anonymous
  signature  no token      401      401        401        anonymous
  signature  two tokens    401      401        401        anonymous
  signature  a long token  401      401        401        anonymous
  signature  basic         401      401        401        anonymous
  signature  signature     401      401        401        anonymous
  signature  hmac          401      401        401        anonymous
  signature  digest        401      401        401        anonymous
  signature  no scheme     401      401        401        anonymous
  signature  a hash        401      401        401        anonymous
  trusting   -             401      known      known      known
  trusting   good          known    known      known      known
  trusting   wrong         401      401        401        known
  trusting   basic         401      401        401        known
  none       -             401      known      known      known
  none       good          known    known      known      known
  none       wrong         401      known      known      known
  none       basic         401      known      known      known
  none       signature     401      known      known      known
`);

const servers: Record<string, ServerOptions> = {
  signature: {},
  trusting: { trusts: () => true },
  none: { authType: 'none' },
};

test('every route lets those pass whom its strictness says', async (t) => {
  const started = new Map<string, Awaited<ReturnType<typeof startServer>>>();
  for (const [name, options] of Object.entries(servers)) {
    started.set(name, await startServer(t, { channels, ...options }));
  }
  for (const { server, credentials: given, ...expected } of passes) {
    const authorization = given === 'good' ? TOKEN : credentials[given];
    for (const { method, path, name, auth } of [...routes, ...docsRoutes(routes)]) {
      if (auth === 'open') continue;
      const target = path.replace(':uuid', numbered(0)).replace(':urn', 'base');
      const { status, json, headers } = await started
        .get(server)!
        .ask(method, target, { as: 'anonymous', ...(authorization && { headers: { authorization } }) });
      const why = `${server}, ${given || 'no'} credentials: ${name}`;
      const outcome = expected[auth === 'credentials' ? 'needed' : auth];
      t.is(status === 401, outcome === '401', why);
      if (method !== 'HEAD') t.is(json.code === 'UnauthorizedError', outcome === '401', why);
      t.is(headers['www-authenticate'], undefined, why);
    }
  }
});

/** Of a hidden image. */
const statusFor = (caller: string) => (caller === 'known' ? 200 : caller === 'anonymous' ? 404 : 401);

test('whoever passes is who he is: operators see what is hidden, others do not', async (t) => {
  for (const [name, options] of Object.entries(servers)) {
    const server = await startServer(t, options);
    const { uuid } = await server.image({ public: false });
    for (const { credentials: given, ...expected } of passes.filter((row) => row.server === name)) {
      const authorization = given === 'good' ? TOKEN : credentials[given];
      const options = authorization ? { headers: { authorization } } : {};
      const why = `${name}, ${given || 'no'} credentials`;
      t.is((await server.ask('GET', `/images/${uuid}`, options)).status, statusFor(expected.passive), why);
      t.is((await server.ask('GET', `/images/${uuid}/file`, options)).status, statusFor(expected.lenient), why);
    }
  }
});

const schemes = table<'authorization' | 'status'>(`
  authorization       status
  Bearer test-token   200
  bearer test-token   200
  BEARER test-token   200
  Bearer TEST-TOKEN   401
  Bearer test-token,  401
  Bearer__test-token  401
  Bearertest-token    401
`);

test('how a token is written', async (t) => {
  const { ask } = await startServer(t);
  for (const { authorization, status } of schemes) {
    const headers = { authorization: authorization.replace('__', '  ') };
    t.is((await ask('GET', '/state', { headers })).status, Number(status), authorization);
  }
});

// What comes first

test('changing: credentials come before uuid, channel, account and existence, and before the body is read', async (t) => {
  const { ask, image } = await startServer(t, { channels });
  const { uuid } = await image();
  for (const { method, path, auth } of routes) {
    if (auth !== 'strict') continue;
    for (const name of [uuid, numbered(0), 'nonsense']) {
      const target = `${path.replace(':uuid', name)}?channel=nope&account=nope&action=nope`;
      const { status } = await ask(method, target, {
        as: 'anonymous',
        ...(method !== 'GET' && { body: '{not json', headers: { 'content-type': 'application/json' } }),
      });
      t.is(status, 401, `${method} ${target}`);
    }
  }
});

test('reading: the uuid comes before the credentials', async (t) => {
  const { ask } = await startServer(t);
  const headers = { authorization: 'Bearer wrong' };
  t.is((await ask('GET', '/images/nonsense', { headers })).status, 404);
  t.is((await ask('GET', `/images/${numbered(0)}`, { headers })).status, 401);
});

test('refusals for want of credentials look the same for any image', async (t) => {
  const { ask, image } = await startServer(t);
  const { uuid } = await image({ public: false });
  const refusal = async (name: string) => {
    const { status, bytes } = await ask('DELETE', `/images/${name}`, { as: 'anonymous' });
    return `${status} ${bytes}`;
  };
  t.is(await refusal(uuid), await refusal(numbered(0)));
});

test('a token is good until it is taken away', async (t) => {
  const server = await startServer(t);
  const { headers, uuid } = await addUser(server, 'someone', { superAdmin: true });
  t.is((await server.ask('GET', '/ping', { headers })).json.user, 'someone');
  await server.deps.catalog.write((tx) => tx.delete(users, uuid));
  t.is((await server.ask('GET', '/ping', { headers })).status, 401);
});

test('no answer holds the token', async (t) => {
  const { ask } = await startServer(t);
  const headers = { authorization: 'Bearer a-secret-that-is-wrong' };
  for (const path of ['/ping', '/state', '/images', '/nowhere', '/%zz']) {
    const answer = await ask('GET', path, { headers });
    t.false(JSON.stringify([answer.headers, answer.bytes.toString()]).includes('a-secret'), path);
  }
});

// Trusted networks

const networks = table<'networks' | 'known'>(`
  networks                      known
  -                             no
  127.0.0.1                     yes
  127.0.0.0/8                   yes
  10.0.0.0/8                    no
  10.0.0.0/8,127.0.0.1/32       yes
  ::1                           no
  ::ffff:127.0.0.1              yes
  0.0.0.0/0                     yes
`);

test('callers from trusted networks need no credentials', async (t) => {
  for (const { networks: given, known } of networks) {
    const server = await startServer(t, { trusts: addressMatcher(given ? given.split(',') : []) });
    t.is((await server.ask('GET', '/state')).status, known === 'yes' ? 200 : 401, given);
  }
});

test('an address in a header is nobody’s address', async (t) => {
  const { ask } = await startServer(t, { trusts: addressMatcher(['10.0.0.0/8']) });
  const headers = { 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1', 'x-real-ip': '10.0.0.1' };
  t.is((await ask('GET', '/state', { headers })).status, 401);
});
