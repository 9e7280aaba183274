import test from 'ava';
import { addressMatcher } from '../../server/model/networks.js';
import { keptLog } from '../support/log.js';
import { startServer } from '../support/server.js';

const anonymous = { as: 'anonymous' } as const;

test('callers without credentials must name a host by which the server is known', async (t) => {
  const { ask, image } = await startServer(t, { hostNames: ['images.example.com'] });
  const { uuid } = await image();
  const status = async (host: string, as: 'anonymous' | 'admin') =>
    (await ask('GET', `/images/${uuid}`, { as, headers: { host } })).status;
  t.is(await status('images.example.com', 'anonymous'), 200);
  t.is(await status('evil.example', 'anonymous'), 421);
  t.is(await status('evil.example', 'admin'), 200, 'a page that was rebound knows no token');
});

test('a page that was rebound to our address changes nothing, whatever network its browser is in', async (t) => {
  const { ask, deps } = await startServer(t, { trusts: () => true });
  const body = { name: 'x', version: '1', os: 'other', type: 'other', owner: '00000000-0000-4000-8000-000000000001' };
  const host = 'evil.example';
  const { status, json } = await ask('POST', '/images', {
    ...anonymous,
    body,
    headers: { host, origin: `http://${host}` },
  });
  t.is(status, 421);
  t.is(json.code, 'MisdirectedRequest');
  t.is(deps.listing.size, 0);
});

test('changes that carry a foreign origin are refused, with credentials too', async (t) => {
  const { ask, image, url, stored } = await startServer(t);
  const { uuid } = await image();
  const disable = (headers: Record<string, string>) => ask('POST', `/images/${uuid}?action=disable`, { headers });
  const foreign: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { origin: url, 'sec-fetch-site': 'cross-site' },
  ];
  for (const headers of foreign) {
    const { status, json } = await disable(headers);
    t.is(status, 403);
    t.is(json.code, 'ForeignOrigin');
  }
  t.is((await stored(uuid))?.disabled, false);
  t.is((await disable({ origin: url, 'sec-fetch-site': 'same-origin' })).status, 200);
});

test('reading is open to pages of other sites', async (t) => {
  const { ask, image } = await startServer(t);
  const { uuid } = await image();
  const headers = { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' };
  t.is((await ask('GET', `/images/${uuid}`, { ...anonymous, headers })).status, 200);
});

const loopback = addressMatcher(['127.0.0.0/8']);
const admins = addressMatcher(['10.1.0.0/16']);

for (const [forwarded, expected, why] of [
  ['10.1.2.3', 200, 'the proxy says so'],
  ['192.0.2.1, 10.1.2.3', 200, 'what stands left was written by the caller'],
  ['10.1.2.3, 127.0.0.2', 200, 'through two of our proxies'],
  ['10.1.2.3, 192.0.2.1', 401, 'the caller pretends'],
  ['', 401, 'the proxy itself is no operator'],
  ['10.1.2.3.4', 401, 'no address'],
  ['unknown', 401, 'no address'],
] as const) {
  test(`behind a trusted proxy, forwarded for "${forwarded}": ${expected}, ${why}`, async (t) => {
    const { ask } = await startServer(t, { isProxy: loopback, trusts: admins });
    const headers = { ...(forwarded && { 'x-forwarded-for': forwarded }) };
    t.is((await ask('GET', '/state', { ...anonymous, headers })).status, expected);
  });
}

test('who is no trusted proxy forwards for nobody, and lends its own address to nobody', async (t) => {
  const { ask } = await startServer(t, { trusts: addressMatcher(['10.1.0.0/16', '127.0.0.0/8']) });
  t.is((await ask('GET', '/state', anonymous)).status, 200);
  t.is((await ask('GET', '/state', { ...anonymous, headers: { 'x-forwarded-for': '10.1.2.3' } })).status, 401);
  t.is((await ask('GET', '/state', { ...anonymous, headers: { 'x-forwarded-for': '192.0.2.1' } })).status, 401);
});

for (const [proxies, expected] of [
  ['127.0.0.1', '192.0.2.1'],
  ['10.0.0.1', 'behind 127.0.0.1'],
] as const) {
  test(`the log says where a request comes from: with the proxy ${proxies}, ${expected}`, async (t) => {
    const { log, lines } = keptLog();
    const { ask } = await startServer(t, { log, isProxy: addressMatcher([proxies]) });
    await ask('GET', '/ping', { ...anonymous, headers: { 'x-forwarded-for': '192.0.2.1' } });
    // The line of a request is certain to be there when the next one on its connection is answered.
    await ask('GET', '/ping', anonymous);
    t.is(lines.find(({ msg }) => msg === 'request')?.address, expected);
  });
}

test('a token that stands in a URL, where it does not belong, stands in no log', async (t) => {
  const { log, lines } = keptLog();
  const { ask } = await startServer(t, { log });
  const made = await ask('POST', '/api/token', { body: { name: 'misplaced' } });
  const { token } = made.json.result as { token: string };
  await ask('GET', `/ping?token=${token}`, anonymous);
  await ask('GET', '/ping', anonymous);
  t.true(lines.some(({ url }) => url === '/ping?token=slipway_…'));
  t.false(JSON.stringify(lines).includes(String(token)));
});

test('a caller gets as many requests in a minute as are allowed, each by itself', async (t) => {
  const { ask } = await startServer(t, { requestsPerMinute: 3, isProxy: loopback });
  const from = (address: string) => ask('GET', '/ping', { ...anonymous, headers: { 'x-forwarded-for': address } });
  for (let i = 0; i < 3; i += 1) t.is((await from('192.0.2.1')).status, 200);
  const { status, json, headers } = await from('192.0.2.1');
  t.is(status, 429);
  t.is(json.code, 'TooManyRequests');
  t.regex(String(headers['retry-after']), /^([1-9]|[1-5]\d|60)$/);
  t.is((await from('192.0.2.2')).status, 200, 'another address');
  t.is((await ask('GET', '/ping', { as: 'admin', headers: { 'x-forwarded-for': '192.0.2.1' } })).status, 200, 'a user');
});

const nowhere = '/images/00000000-0000-4000-8000-000000000001/file';

for (const [path, wrong] of [
  ['/state', 401],
  [nowhere, 404],
] as const) {
  test(`who guesses tokens too often, as for ${path}, is not told when one is right`, async (t) => {
    const { ask, token } = await startServer(t, { requestsPerMinute: 3, isProxy: loopback });
    const offer = (secret: string, from = '192.0.2.1') => {
      const headers = { authorization: `Bearer ${secret}`, 'x-forwarded-for': from };
      return ask('GET', path, { ...anonymous, headers });
    };
    for (let i = 0; i < 3; i += 1) t.is((await offer(`guess-${i}`)).status, wrong);
    t.is((await offer('guess-4')).status, 429);
    t.is((await offer(token)).status, 429);
    t.not((await offer(token, '192.0.2.2')).status, 429, 'another address');
    t.is((await ask('GET', '/ping', { ...anonymous, headers: { 'x-forwarded-for': '192.0.2.1' } })).status, 200);
  });
}

test('right credentials are no guesses', async (t) => {
  const { ask } = await startServer(t, { requestsPerMinute: 3 });
  const isUser = async () => (await ask('GET', '/state', { as: 'admin' })).status;
  for (let i = 0; i < 3; i += 1) t.is(await isUser(), 200);
  t.is(await isUser(), 429, 'the user has asked too often');
  t.is((await ask('GET', '/state', { ...anonymous, headers: { authorization: 'Bearer x' } })).status, 401);
});

test('a token that is not good for something is no guess', async (t) => {
  const server = await startServer(t, { requestsPerMinute: 3 });
  const made = await server.ask('POST', '/api/token', { body: { name: 'scraper', scope: 'metrics' } });
  const headers = { authorization: `Bearer ${(made.json.result as { token: string }).token}` };
  for (let i = 0; i < 5; i += 1) {
    t.is((await server.ask('GET', '/images', { as: 'anonymous', headers })).status, 403);
  }
});

test('a body may be as large as the setting says', async (t) => {
  const { ask } = await startServer(t, { maxBodySize: 2048 });
  const create = (description: string) =>
    ask('POST', '/images', {
      body: { name: 'x', version: '1', os: 'other', type: 'other', public: true, description },
    });
  t.is((await create('d'.repeat(1000))).status, 200);
  const { status, json } = await create('d'.repeat(2000));
  t.is(status, 413);
  t.regex(String(json.message), /2048/);
});
