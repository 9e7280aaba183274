import test from 'ava';
import { addressMatcher } from '../../server/model/networks.js';
import { nodes } from '../../server/model/node.js';
import { nodeTokens } from '../../server/model/node-token.js';
import { ADMIN } from '../../server/model/user.js';
import { keptLog } from '../support/log.js';
import { type Answer, type Ask, type ServerOptions, startServer, type TestServer } from '../support/server.js';
import { table } from '../support/table.js';
import { told } from '../support/told.js';

const admin: Ask = { as: 'admin' };
const anonymous: Ask = { as: 'anonymous' };
const resultOf = ({ json }: Answer) => json.result as { [field: string]: unknown };
const from = (address: string, headers: Record<string, string> = {}): Ask => ({
  as: 'anonymous',
  headers: { 'x-forwarded-for': address, ...headers },
});

const behindLoopback: ServerOptions = { isProxy: addressMatcher(['127.0.0.0/8']), trustedProxies: ['127.0.0.0/8'] };

async function must(server: TestServer, path: string, body: object = {}): Promise<Answer> {
  const answer = await server.ask('POST', path, { body });
  if (answer.status !== 201) throw new Error(`${path}: ${answer.bytes}`);
  return answer;
}

/** The secret of a new token of node n1. */
async function secretOf(server: TestServer, body: object = {}, name = 'main'): Promise<string> {
  return String(resultOf(await must(server, `/api/node/n1/token/${name}`, body)).token);
}

/** Node n1 serves north; an image that only north has, and one that only south has. */
async function fleet(t: Parameters<typeof startServer>[0], options: ServerOptions = {}, node: object = {}) {
  const server = await startServer(t, options);
  for (const name of ['north', 'south']) await must(server, `/api/dc/${name}`);
  await must(server, '/api/node/n1', { dcs: ['north'], ...node });
  const make = async (dc: string) => {
    const body = { name: dc, version: '1', os: 'smartos', type: 'zone-dataset', public: false };
    const { uuid } = (await server.ask('POST', `/images?dc=${dc}`, { body })).json;
    await server.ask('PUT', `/images/${uuid}/file?compression=none`, { body: `of ${dc}` });
    const activated = await server.ask('POST', `/images/${uuid}?action=activate`);
    if (activated.status !== 200) throw new Error(`not activated: ${activated.bytes}`);
    return uuid;
  };
  return { server, north: await make('north'), south: await make('south') };
}

const seen = async ({ ask }: TestServer, options: Ask, base = '') =>
  (await ask('GET', `${base}/images`, options)).list.map(({ name }) => name).join(' ');

test('a node is made, shown, changed and removed with its tokens', async (t) => {
  const server = await startServer(t);
  const { ask } = server;
  const certificate = `${'AB:'.repeat(31)}AB`;
  const body = { dcs: 'main', addresses: ['10.0.0.7', '10.1.0.0/16'], certificate };
  t.like(resultOf(await must(server, '/api/node/cn01.example', body)), {
    name: 'cn01.example',
    dcs: ['main'],
    addresses: ['10.0.0.7', '10.1.0.0/16'],
    certificate: 'ab'.repeat(32),
    known_by_address: false,
    vm_rules: [],
    connection: null,
    online: null,
    since: null,
    reason: null,
    platform: null,
    pools: [],
    machines: 0,
    images: 0,
    inventoried: null,
  });
  t.deepEqual((await ask('GET', '/api/node', admin)).json.result, ['cn01.example']);
  const changed = await ask('PUT', '/api/node/cn01.example', { body: { certificate: null, known_by_address: true } });
  t.like(resultOf(changed), { certificate: null, known_by_address: true, dcs: ['main'] });
  await must(server, '/api/node/cn01.example/token/t');
  t.is((await ask('DELETE', '/api/node/cn01.example')).status, 200);
  for await (const token of server.deps.catalog.list(nodeTokens)) t.fail(token.name);
  t.is(told(await ask('GET', '/api/node/cn01.example', admin)), '404 ResourceNotFound');
});

const refused = table<'path' | 'body' | 'told'>(`
  path                    body                                                told
  /api/node/a%20b         {}                                                  400 InvalidInput host:Invalid
  /api/node/n1            {}                                                  406 ObjectAlreadyExists
  /api/node/n2            {"dcs":["nope"]}                                    400 InvalidInput dcs:Invalid
  /api/node/n2            {"addresses":["here"]}                              400 InvalidInput addresses.0:Invalid
  /api/node/n2            {"addresses":["10.0.0.0/33"]}                       400 InvalidInput addresses.0:Invalid
  /api/node/n2            {"addresses":["127.0.0.0/16"]}                      400 InvalidInput addresses:Invalid
  /api/node/n2            {"addresses":["0.0.0.0/0"]}                         400 InvalidInput addresses:Invalid
  /api/node/n2            {"known_by_address":true}                           400 InvalidInput known_by_address:Invalid
  /api/node/n2            {"known_by_address":true,"addresses":["10.0.0.7"]}  400 InvalidInput addresses:Invalid
  /api/node/n2            {"certificate":"ab"}                                400 InvalidInput certificate:Invalid
  /api/node/n2            {"dcs":["main"],"vm_rules":["x"]}                   400 InvalidInput vm_rules:Invalid
  /api/node/n2            {"vm_rules":"tag:web=main"}                         400 InvalidInput vm_rules:Invalid
  /api/node/n2            {"x":1}                                             400 InvalidInput x:NotAllowed
  /api/node/nope/token/t  {}                                                  404 ResourceNotFound
  /api/node/n1/token/-    {}                                                  400 InvalidInput name:Invalid
  /api/node/n1/token/t    {"expires":"soon"}                                  400 InvalidInput expires:Invalid
  /api/node/n1/token/t    {"publish":"nope"}                                  400 InvalidInput publish:Invalid
  /api/node/n1/token/t    {"scope":"full"}                                    400 InvalidInput scope:NotAllowed
`);

test('what is refused makes nothing, and says which field is wrong', async (t) => {
  const server = await startServer(t, behindLoopback);
  await must(server, '/api/node/n1', { addresses: ['10.0.0.0/24'], known_by_address: true });
  for (const { path, body, told: expected } of refused) {
    t.is(told(await server.ask('POST', path, { body: JSON.parse(body) })), expected, `${path} ${body}`);
  }
  const changed = await server.ask('PUT', '/api/node/n1', { body: { addresses: ['127.0.0.1'] } });
  t.is(told(changed), '400 InvalidInput addresses:Invalid');
  t.deepEqual((await server.deps.catalog.get(nodes, 'n1'))?.addresses, ['10.0.0.0/24']);
  t.is(await server.deps.catalog.get(nodes, 'n2'), undefined);
  for await (const token of server.deps.catalog.list(nodeTokens)) t.fail(token.name);
});

test('a token of a node shows it the images of its data centers, as a header and in the path', async (t) => {
  const { server, north, south } = await fleet(t);
  const secret = await secretOf(server);
  const bearer: Ask = { ...anonymous, headers: { authorization: `Bearer ${secret}` } };
  t.is(await seen(server, anonymous), '');
  t.is(await seen(server, bearer), 'north');
  t.is(await seen(server, anonymous, `/n/${secret}`), 'north');
  for (const path of [`/images/${north}`, `/images/${north}/file`]) {
    t.is((await server.ask('GET', `/n/${secret}${path}`, anonymous)).status, 200, path);
  }
  for (const path of [`/images/${south}`, `/images/${south}/file`]) {
    t.is((await server.ask('GET', `/n/${secret}${path}`, anonymous)).status, 404, path);
  }
  t.is((await server.ask('GET', `/n/${secret}/ping`, anonymous)).json.imgapi, true);
  await server.ask('PUT', '/api/node/n1', { body: { dcs: ['south'] } });
  t.is(await seen(server, anonymous, `/n/${secret}`), 'south', 'from the next request on');
  await server.ask('DELETE', '/api/node/n1/token/main');
  t.is((await server.ask('GET', `/n/${secret}/images`, anonymous)).status, 401);
});

test('old clients are sent on below the token in their path, which no answer names', async (t) => {
  const { server, north } = await fleet(t);
  const secret = await secretOf(server);
  for (const path of ['/datasets', `/datasets/${north}`, '/datasets/sdc:sdc:north:1']) {
    const { status, headers } = await server.ask('GET', `/n/${secret}${path}`, anonymous);
    const { location = '' } = headers;
    t.is(status, 301);
    t.false(location.includes(secret));
    const { pathname, search } = new URL(location, `http://localhost/n/${secret}${path}`);
    t.is((await server.ask('GET', `${pathname}${search}`, anonymous)).status, 200, path);
    t.true(pathname.startsWith(`/n/${secret}/images`), path);
  }
});

test('the source of imgadm is below publicUrl, and told once', async (t) => {
  const { server } = await fleet(t, { publicUrl: 'https://images.example.com/base' });
  const { token, path, source } = resultOf(await must(server, '/api/node/n1/token/main'));
  t.is(path, `/n/${token}`);
  t.is(source, `https://images.example.com/base/n/${token}`);
  const listed = await server.ask('GET', '/api/node/n1/token?full', admin);
  t.like((listed.json.result as object[])[0], { name: 'main', node: 'n1', pinned: true, publish: null });
  t.false(listed.bytes.includes(String(token)));
  t.deepEqual((await server.ask('GET', '/api/node/n1/token', admin)).json.result, ['main']);
});

test('a data center has its own URL, by which its nodes find the server where all of theirs agree', async (t) => {
  const { server } = await fleet(t, { publicUrl: 'https://images.example.com/base' });
  const set = async (dc: string, publicUrl: string | null) => {
    const answer = await server.ask('PUT', `/api/dc/${dc}/settings`, { body: { publicUrl } });
    t.is(answer.status, 200, answer.bytes.toString());
    return resultOf(answer).publicUrl;
  };
  let made = 0;
  const source = async () => {
    made += 1;
    const { token, source: url } = resultOf(await must(server, `/api/node/n1/token/of-${made}`));
    return String(url).replace(`/n/${token}`, '');
  };
  t.is(await set('north', 'http://north.example/slipway/'), 'http://north.example/slipway');
  t.is(await source(), 'http://north.example/slipway');
  await server.ask('PUT', '/api/node/n1', { body: { dcs: 'main,north' } });
  t.is(await source(), 'https://images.example.com/base', 'its data centers do not agree');
  await set('main', 'http://north.example/slipway');
  t.is(await source(), 'http://north.example/slipway');
  t.is(await set('main', ''), null);
  t.is(await set('north', null), null);
  t.is(await source(), 'https://images.example.com/base');

  const anonymous = (host: string) => server.raw(`GET /images HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  t.regex(await anonymous('north.example'), /^HTTP\/1.1 421 /);
  await set('north', 'http://north.example:8080');
  t.regex(await anonymous('north.example'), /^HTTP\/1.1 200 /);
});

test('it changes nothing, is good for images only, and a path takes nothing else', async (t) => {
  const { server, north } = await fleet(t);
  const secret = await secretOf(server);
  const body = { name: 'x', version: '1', os: 'other', type: 'other', public: true };
  for (const [method, path] of [
    ['POST', '/images'],
    ['DELETE', `/images/${north}`],
    ['POST', `/images/${north}?action=disable`],
    ['GET', '/state'],
    ['GET', '/metrics'],
    ['GET', '/api/image'],
    ['GET', '/api/account'],
    ['POST', '/api/token'],
  ] as const) {
    const options = { ...anonymous, ...(method === 'POST' && { body }) };
    t.is((await server.ask(method, `/n/${secret}${path}`, options)).status, 403, `${method} ${path}`);
  }
  t.truthy(await server.stored(north));
  t.is((await server.ask('GET', `/n/${server.token}/images`, anonymous)).status, 401, "a user's token");
  for (const path of ['/n/nobody/images', '/n//images', '/n/%/images', '/n/%00/images', '/n/nobody']) {
    const { status } = await server.ask('GET', path, anonymous);
    t.true([301, 400, 401, 404].includes(status), `${path} ${status}`);
  }
});

test('it is good from the addresses of the node, unless it is not to be pinned to them', async (t) => {
  const { server } = await fleet(t, behindLoopback, { addresses: ['10.0.0.0/24'] });
  const pinned = { authorization: `Bearer ${await secretOf(server)}` };
  const loose = { authorization: `Bearer ${await secretOf(server, { pinned: false }, 'loose')}` };
  t.is(await seen(server, from('10.0.0.5', pinned)), 'north');
  t.is((await server.ask('GET', '/images', from('10.0.1.5', pinned))).status, 401);
  t.is(
    (await server.ask('GET', '/images', from('10.0.0.5, 10.0.1.5', pinned))).status,
    401,
    'it was written by the caller',
  );
  t.is(await seen(server, from('10.0.1.5', loose)), 'north');
});

test('it ends with its time', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const { server } = await fleet(t, { now: () => new Date(now) });
  const secret = await secretOf(server, { expires: '1h' });
  t.is(await seen(server, anonymous, `/n/${secret}`), 'north');
  now += 3_600_000;
  t.is((await server.ask('GET', `/n/${secret}/images`, anonymous)).status, 401);
});

test('a node may bring images to one data center where its token says so, and touches no other', async (t) => {
  const { server, north, south } = await fleet(t);
  const secret = await secretOf(server, { publish: 'north' });
  const at = (path: string) => `/n/${secret}${path}`;
  const body = { name: 'made', version: '1', os: 'smartos', type: 'zone-dataset', public: false, owner: ADMIN.uuid };
  const made = await server.ask('POST', at('/images?dc=north'), { ...anonymous, body });
  t.is(made.status, 200, String(made.bytes));
  const { uuid } = made.json;
  t.is((await server.ask('PUT', at(`/images/${uuid}/file?compression=none`), { ...anonymous, body: 'x' })).status, 200);
  t.is((await server.ask('POST', at(`/images/${uuid}?action=activate`), anonymous)).status, 200);
  t.like((await server.stored(uuid)) as object, { registration: { boundTo: 'north', datacenters: ['north'] } });
  t.not((await server.ask('POST', at('/images?dc=south'), { ...anonymous, body })).status, 200);
  for (const other of [uuid, north, south]) {
    t.true((await server.ask('DELETE', at(`/images/${other}`), anonymous)).status >= 400);
    t.true((await server.ask('POST', at(`/images/${other}?action=disable`), anonymous)).status >= 400);
    t.truthy(await server.stored(other));
  }
  t.is((await server.ask('GET', at('/api/image'), anonymous)).status, 403);
});

test('a node that is known by its address looks, and no more', async (t) => {
  const { server, north } = await fleet(t, behindLoopback, { addresses: ['10.0.0.7'], known_by_address: true });
  t.is(await seen(server, from('10.0.0.7')), 'north');
  t.is(await seen(server, from('10.0.0.8')), '');
  t.is((await server.ask('GET', `/images/${north}/file`, from('10.0.0.7'))).status, 200);
  t.is((await server.ask('DELETE', `/images/${north}`, from('10.0.0.7'))).status, 401);
  t.is((await server.ask('GET', '/api/account', from('10.0.0.7'))).status, 401);
  t.is((await server.ask('GET', '/state', from('10.0.0.7'))).status, 403);
  const rebound = from('10.0.0.7', { host: 'evil.example' });
  t.is((await server.ask('GET', '/images', rebound)).status, 421, 'a page in its browser is not the node');
  await server.ask('PUT', '/api/node/n1', { body: { known_by_address: false } });
  t.is(await seen(server, from('10.0.0.7')), '');
});

test('a certificate that a proxy passes on proves a node; from others the header says nothing', async (t) => {
  const fingerprint = 'cd'.repeat(32);
  const options = { ...behindLoopback, certificateHeader: 'x-client-cert' };
  const { server } = await fleet(t, options, { certificate: fingerprint });
  t.is(await seen(server, from('192.0.2.1', { 'x-client-cert': fingerprint })), 'north');
  t.is(await seen(server, from('192.0.2.1', { 'x-client-cert': fingerprint.toUpperCase() })), 'north');
  for (const wrong of ['ab'.repeat(32), 'nonsense', '%', '-----BEGIN%20CERTIFICATE-----']) {
    t.is(await seen(server, from('192.0.2.1', { 'x-client-cert': wrong })), '', wrong);
  }
  const { server: open } = await fleet(t, { certificateHeader: 'x-client-cert' }, { certificate: fingerprint });
  t.is(await seen(open, { ...anonymous, headers: { 'x-client-cert': fingerprint } }), '');
  const { server: unset } = await fleet(t, behindLoopback, { certificate: fingerprint });
  t.is(await seen(unset, from('192.0.2.1', { 'x-client-cert': fingerprint })), '');
});

test('the token in a path is in no answer and no line of the log, however the request ends', async (t) => {
  const { log, lines } = keptLog();
  const { server, north } = await fleet(t, { log });
  const secret = await secretOf(server);
  const paths = [
    '/images',
    `/images/${north}`,
    `/images/${north}/file`,
    '/nothing',
    '/images/x',
    '/datasets',
    '',
    '/',
    '/api/user',
  ];
  const answers: Answer[] = [];
  for (const base of [
    `/n/${secret}`,
    `//n/${secret}`,
    `/N/${secret}`,
    `/n/x/${secret}`,
    `/n/%73${secret.slice(1)}`,
    `/x/${secret.replace('_', '%5F')}`,
  ]) {
    for (const path of paths) {
      for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) {
        answers.push(await server.ask(method, `${base}${path}`, anonymous));
      }
    }
  }
  const whole = await server.raw(
    `GET http://127.0.0.1/n/${secret}/images HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
  );
  t.regex(whole, /^HTTP\/1.1 200/);
  await server.ask('GET', '/ping', anonymous);
  t.true(lines.length > answers.length);
  t.true(answers.some(({ status }) => status === 301) && answers.some(({ status }) => status === 200));
  for (const part of [secret, secret.slice(10)]) {
    t.false(JSON.stringify(lines).includes(part));
    t.false(whole.includes(part));
    for (const { headers, bytes } of answers) t.false(`${JSON.stringify(headers)}${bytes}`.includes(part));
  }
});
