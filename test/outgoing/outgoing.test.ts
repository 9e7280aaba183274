import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { type Call, Exchange, type ExchangeOptions } from '../../imgapi/exchange.js';
import { Barred, Unreachable } from '../../imgapi/exchange-errors.js';
import { problemWithCa } from '../../server/model/certificates-to-trust.js';
import { type Access, Outgoing, type OutgoingOptions } from '../../server/outgoing/outgoing.js';
import { proxiesFrom } from '../../server/outgoing/proxies.js';
import { newCertificate } from '../support/certificates.js';
import { connectProxy } from '../support/connect-proxy.js';
import { type Reply, remote } from '../support/remote.js';

const stranger: Access = { trusted: false };
const operator: Access = { trusted: true };

function way(t: ExecutionContext, options: Partial<OutgoingOptions> = {}): Outgoing {
  const outgoing = new Outgoing({ allowedAddresses: [], allowedHosts: [], ...options });
  t.teardown(() => outgoing.close());
  return outgoing;
}

/** Every name stands at these addresses, one list after the other. */
function names(...answers: string[][]): LookupFunction & { asked: string[] } {
  const asked: string[] = [];
  const lookup: LookupFunction = (hostname, _options, callback) => {
    asked.push(hostname);
    const found = answers[Math.min(asked.length, answers.length) - 1] ?? [];
    callback(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return Object.assign(lookup, { asked });
}

async function get(options: ExchangeOptions, call: Call = {}): Promise<string> {
  const { body } = await new Exchange(options).send('GET', '', call);
  return text(body);
}

const refusal = (t: ExecutionContext, asked: Promise<unknown>) => t.throwsAsync(asked, { instanceOf: Barred });

async function tlsRemote(t: ExecutionContext, validity: Parameters<typeof newCertificate>[0] = {}) {
  const pem = await newCertificate(validity);
  const server = createTlsServer({ key: pem.key, cert: pem.certificate }, (_request, response) =>
    response.end('hello'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, ca: pem.certificate };
}

test('an address of ours is closed to strangers in every spelling, and open to operators', async (t) => {
  const { url, asked } = await remote(t, { 'GET /': { ok: true } });
  const { port } = new URL(url);
  const outgoing = way(t);
  for (const host of ['127.0.0.1', '0x7f.1', '2130706433', '017700000001', '127.1', '[::ffff:127.0.0.1]', '0.0.0.0']) {
    const error = await refusal(t, get(outgoing.to(`http://${host}:${port}/`, stranger)));
    t.regex(error?.message ?? '', /private or reserved.*allowedAddresses/, host);
    t.not(outgoing.problemWith(`http://${host}:${port}/`, stranger), undefined, host);
  }
  t.deepEqual(asked, []);
  t.is(await get(outgoing.to(`${url}/`, operator)), '{"ok":true}');
});

test('localhost is told to be closed at once', (t) => {
  const outgoing = way(t);
  t.regex(outgoing.problemWith('http://localhost:1/', stranger) ?? '', /private/);
  t.regex(outgoing.problemWith('http://a.localhost./', stranger) ?? '', /private/);
  t.is(outgoing.problemWith('http://localhost:1/', operator), undefined);
  t.regex(outgoing.problemWith('ftp://example.com/', stranger) ?? '', /is not a URL/);
  t.regex(outgoing.problemWith('http://a:b@example.com/', operator) ?? '', /credentials/);
  t.is(outgoing.problemWith('https://example.com/x?y=z', stranger), undefined);
});

test('a name that leads inside is closed, and which address it is stays untold', async (t) => {
  const { url, asked } = await remote(t, { 'GET /': { ok: true } });
  const { port } = new URL(url);
  for (const inside of ['127.0.0.1', '169.254.169.254', '::1', '::ffff:10.0.0.1']) {
    const outgoing = way(t, { lookup: names([inside]) });
    const error = await refusal(t, get(outgoing.to(`http://inside.test:${port}/`, stranger)));
    t.false(error?.message.includes(inside));
    await t.throwsAsync(get(outgoing.to(`https://inside.test:${port}/`, stranger)), { instanceOf: Barred });
  }
  t.deepEqual(asked, []);
});

test('what was checked is what is connected to: a name is looked up once for a connection', async (t) => {
  const { url, asked } = await remote(t, { 'GET /': { ok: true } });
  const { port } = new URL(url);
  // First where nobody answers, which is open; whoever looked a second time would find us.
  const lookup = names(['192.0.2.1'], ['127.0.0.1']);
  const outgoing = way(t, { lookup, allowedAddresses: ['192.0.2.0/24'], patience: 50 });
  await t.throwsAsync(get(outgoing.to(`http://rebound.test:${port}/`, stranger)), { instanceOf: Unreachable });
  t.deepEqual(lookup.asked, ['rebound.test']);
  t.deepEqual(asked, []);
  const mixed = way(t, { lookup: names(['10.0.0.1', '127.0.0.1']), allowedAddresses: ['127.0.0.0/8'] });
  t.is(await get(mixed.to(`http://mixed.test:${port}/`, stranger)), '{"ok":true}', 'of several only the open ones');
});

test('allowedAddresses opens networks', async (t) => {
  const { url } = await remote(t, { 'GET /': { ok: true } });
  const outgoing = way(t, { allowedAddresses: ['127.0.0.0/8'] });
  t.is(await get(outgoing.to(`${url}/`, stranger)), '{"ok":true}');
  t.is(outgoing.problemWith(`${url}/`, stranger), undefined);
  t.is(await get(outgoing.to(`http://localhost:${new URL(url).port}/`, stranger)), '{"ok":true}');
});

test('a connection that an operator had opened is not there for strangers', async (t) => {
  const { url, asked } = await remote(t, { 'GET /': { ok: true } });
  const lookup = names(['127.0.0.1'], ['10.9.9.9']);
  const outgoing = way(t, { lookup });
  const there = `http://shared.test:${new URL(url).port}/`;
  t.is(await get(outgoing.to(there, operator)), '{"ok":true}');
  await refusal(t, get(outgoing.to(there, stranger)));
  t.is(await get(outgoing.to(there, operator)), '{"ok":true}', 'its own is used again');
  t.is(asked.length, 2);
});

const leadTo =
  (location: string, status = 302): Reply =>
  (_request, response) =>
    response.writeHead(status, { location }).end();

test('a redirect is followed where the call allows it, by the same rules', async (t) => {
  const { url, asked } = await remote(t, {
    'GET /a': leadTo('/b'),
    'GET /b': leadTo('b2', 307),
    'GET /b2': { ok: true },
    'GET /loop': leadTo('/loop'),
    'GET /in': leadTo('http://inside.test/secret'),
    'POST /a': leadTo('/b'),
  });
  const outgoing = way(t, { lookup: names(['169.254.169.254']) });
  t.is(await get(outgoing.to(`${url}/a`, operator), { redirects: 2 }), '{"ok":true}');
  await t.throwsAsync(get(outgoing.to(`${url}/a`, operator), { redirects: 1 }), { message: /more than 1 times/ });
  await t.throwsAsync(get(outgoing.to(`${url}/a`, operator)), { message: /answered 302/ });
  await t.throwsAsync(get(outgoing.to(`${url}/loop`, operator), { redirects: 5 }), { message: /more than 5 times/ });
  t.is(asked.filter((line) => line === 'GET /loop').length, 6);
  await refusal(t, get(outgoing.to(`${url}/in`, operator), { redirects: 5 }));
  const posted = new Exchange(outgoing.to(`${url}/a`, operator)).send('POST', '', { json: {}, redirects: 5 });
  await t.throwsAsync(posted, { message: /answered 302/ }, 'what changes something follows nobody');
});

test('where a redirect leads to is not told in full: its path may hold a token', async (t) => {
  const { url } = await remote(t, { 'GET /a': leadTo('http://127.0.0.1:1/t0ken/file?sig=s1g') });
  const error = await t.throwsAsync(get(way(t).to(`${url}/a`, operator), { redirects: 1 }));
  t.regex(error?.message ?? '', /ECONNREFUSED/);
  t.notRegex(`${error?.message} ${String(error?.cause)}`, /t0ken|s1g/);
});

test('credentials and signatures stay with whom they are for, also when the way leads back', async (t) => {
  const seen: [string, string | undefined, string | undefined][] = [];
  const see =
    (what: string, then: Reply): Reply =>
    (request, response) => {
      const { authorization, cookie } = request.headers;
      seen.push([what, authorization, cookie]);
      then(request, response);
    };
  const elsewhere = await remote(t, {
    'GET /there': see('elsewhere', (request, response) => leadTo(`${request.headers['x-back']}`)(request, response)),
  });
  const first = await remote(t, {
    'GET /a': see('first', leadTo('/own')),
    'GET /own': see('own', leadTo(`${elsewhere.url}/there`)),
    'GET /back': see('back', (_request, response) => response.end('done')),
  });
  const outgoing = way(t, { credentialsFor: () => ({ kind: 'basic', user: 'u', password: 'p' }) });
  const options = outgoing.to(`${first.url}/a`, { trusted: true, secret: 'any' });
  const sign = async () => ({ 'x-signed': 'yes' });
  const headers = { cookie: 'c=1', 'x-back': `${first.url}/back` };
  t.is(await get({ ...options, sign }, { redirects: 5, headers }).catch((error) => error.message), 'done');
  const basic = `Basic ${Buffer.from('u:p').toString('base64')}`;
  t.deepEqual(seen, [
    ['first', basic, 'c=1'],
    ['own', basic, 'c=1'],
    ['elsewhere', undefined, undefined],
    ['back', undefined, undefined],
  ]);
});

test('TLS is verified, with a CA of the source or without where that is said, and tells what does not fit', async (t) => {
  const { port, ca } = await tlsRemote(t);
  const outgoing = way(t);
  const there = `https://localhost:${port}/`;
  const unknown = await refusal(t, get(outgoing.to(there, operator)));
  t.regex(unknown?.message ?? '', /certificate is not trusted: it is signed by itself/);
  t.is(await get(outgoing.to(there, { ...operator, ca })), 'hello');
  await refusal(t, get(outgoing.to(there, operator)));
  t.is(await get(outgoing.to(there, { ...operator, insecure: true })), 'hello');
  const late = await tlsRemote(t, { from: -10, until: -1 });
  const expired = await refusal(t, get(outgoing.to(`https://localhost:${late.port}/`, { ...operator, ca: late.ca })));
  t.regex(expired?.message ?? '', /expired/);
  const other = await tlsRemote(t, { names: ['other.example'] });
  const named = await refusal(t, get(outgoing.to(`https://localhost:${other.port}/`, { ...operator, ca: other.ca })));
  t.regex(named?.message ?? '', /other\.example/);
});

test('what is insecure is so for its own host only', async (t) => {
  const { port } = await tlsRemote(t);
  const { url } = await remote(t, { 'GET /': leadTo(`https://localhost:${port}/`) });
  const outgoing = way(t, { allowedAddresses: ['127.0.0.0/8', '::1'] });
  await refusal(t, get(outgoing.to(`${url}/`, { ...operator, insecure: true }), { redirects: 1 }));
});

test('from TLS nobody leads to plain HTTP with credentials', async (t) => {
  const pem = await newCertificate();
  const { url } = await remote(t, { 'GET /': { ok: true } });
  const server = createTlsServer({ key: pem.key, cert: pem.certificate }, (_request, response) =>
    response.writeHead(302, { location: `${url}/` }).end(),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const outgoing = way(t, {
    allowedAddresses: ['127.0.0.0/8'],
    credentialsFor: () => ({ kind: 'bearer', token: 'b' }),
  });
  const there = `https://localhost:${(server.address() as AddressInfo).port}/`;
  const access = { trusted: true, ca: pem.certificate };
  await t.throwsAsync(get(outgoing.to(there, { ...access, secret: 'x' }), { redirects: 1 }), { message: /plain HTTP/ });
  t.is(await get(outgoing.to(there, access), { redirects: 1 }), '{"ok":true}');
});

test('whoever takes a connection and says nothing is not waited for', async (t) => {
  const server = createTcpServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const outgoing = way(t, { patience: 30 });
  const error = await t.throwsAsync(get(outgoing.to(`https://127.0.0.1:${port}/`, operator)));
  t.regex(error?.message ?? '', /no connection within 0.03 s/);
  outgoing.close();
});

test('proxies: whole URLs in plain, CONNECT over TLS, with their credentials, but not for the exempt', async (t) => {
  const { url } = await remote(t, { 'GET /x': { ok: true } });
  const { port, ca } = await tlsRemote(t, { names: ['far.test'] });
  const proxy = await connectProxy(t);
  const withUser = proxy.url.replace('//', '//me:s%40cret@');
  const proxyOf = proxiesFrom({ http_proxy: withUser, HTTPS_PROXY: withUser, no_proxy: '127.0.0.1, .near.test' });
  const outgoing = way(t, { proxyOf, allowedHosts: ['far.test'] });
  const plain = `http://far.test:${new URL(url).port}/x`;
  t.is(await get(outgoing.to(plain, operator), { query: { q: '1' } }), '{"ok":true}');
  t.is(await get(outgoing.to(`https://far.test:${port}/`, { ...operator, ca })), 'hello');
  t.deepEqual(proxy.asked, [`GET ${plain}?q=1`, `CONNECT far.test:${port}`]);
  t.deepEqual(new Set(proxy.told), new Set([`Basic ${Buffer.from('me:s@cret').toString('base64')}`]));
  t.is(await get(outgoing.to(`${url}/x`, operator)), '{"ok":true}');
  t.is(proxy.asked.length, 2, 'an exempt address is asked without it');
  t.is(await get(outgoing.to(plain, stranger)), '{"ok":true}', 'strangers where the name is allowed');
  await refusal(t, get(outgoing.to(`http://other.test:${new URL(url).port}/x`, stranger)));
  await refusal(t, get(outgoing.to(`https://10.0.0.1/`, stranger)));
  t.regex(outgoing.problemWith('https://other.test/', stranger) ?? '', /allowedHosts/);
  t.is(proxy.asked.length, 3);
});

test('a proxy that refuses is named, without its password', async (t) => {
  const proxy = await connectProxy(t, { refuse: 407 });
  const outgoing = way(t, { proxyOf: proxiesFrom({ https_proxy: proxy.url.replace('//', '//me:s3cret@') }) });
  const error = await t.throwsAsync(get(outgoing.to('https://far.test/', operator)), { message: /answered 407/ });
  t.false(error?.message.includes('s3cret'));
  const gone = way(t, { proxyOf: proxiesFrom({ https_proxy: 'http://127.0.0.1:1' }) });
  await t.throwsAsync(get(gone.to('https://far.test/', operator)), { message: /the proxy 127.0.0.1:1 failed/ });
});

test('what the environment says of proxies', (t) => {
  const of = (env: Record<string, string>, url: string) => proxiesFrom(env)(new URL(url))?.url.href;
  t.is(of({}, 'http://a.test/'), undefined);
  t.is(of({ http_proxy: 'proxy:3128' }, 'http://a.test/'), 'http://proxy:3128/');
  t.is(of({ http_proxy: 'proxy:3128' }, 'https://a.test/'), undefined);
  t.is(of({ HTTP_PROXY: 'http://big', http_proxy: 'http://small' }, 'http://a.test/'), 'http://small/');
  const env = { http_proxy: 'http://p', no_proxy: 'a.test,.b.test,*.c.test,d.test:81,10.0.0.0/8,[::1]' };
  for (const url of ['http://a.test/', 'http://x.a.test/', 'http://y.b.test', 'http://z.c.test', 'http://d.test:81/']) {
    t.is(of(env, url), undefined, url);
  }
  for (const url of ['http://10.2.3.4/', 'http://[::1]/']) t.is(of(env, url), undefined, url);
  for (const url of ['http://aa.test/', 'http://d.test/', 'http://11.0.0.1/']) t.is(of(env, url), 'http://p/', url);
  t.is(of({ http_proxy: 'http://p', NO_PROXY: '*' }, 'http://a.test/'), undefined);
  const error = t.throws(() => proxiesFrom({ http_proxy: 'socks5://me:s3cret@p' }));
  t.false(error?.message.includes('s3cret'));
});

test('certificates to trust are looked at before', async (t) => {
  const { certificate } = await newCertificate();
  t.is(problemWithCa(certificate), undefined);
  t.is(problemWithCa(certificate + certificate), undefined);
  t.regex(problemWithCa('nonsense') ?? '', /no certificate/);
  t.regex(problemWithCa('-----BEGIN CERTIFICATE-----\nabcd\n-----END CERTIFICATE-----') ?? '', /can not be read/);
});

/** Cuts every connection in its second request, or in its first, where nothing at all is answered. */
async function cutting(t: ExecutionContext, first: 'answered' | 'cut') {
  const requests: string[] = [];
  const cut: string[] = [];
  const server = createTcpServer((socket) => {
    let answers = first === 'answered' ? 1 : 0;
    socket.on('error', () => {});
    socket.on('data', (head) => {
      const method = head.toString().split(' ', 1)[0] ?? '';
      requests.push(method);
      answers -= 1;
      if (answers === 0) return void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello');
      cut.push(method);
      socket.resetAndDestroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests, cut };
}

test('who reads does not notice that an idle connection was closed as it was used again', async (t) => {
  const { url, cut } = await cutting(t, 'answered');
  const outgoing = way(t);
  // on a slow machine an idle connection may have ended before it is used again
  while (cut.length < 2) t.is(await get(outgoing.to(url, operator)), 'hello');
  t.deepEqual(cut, ['GET', 'GET']);
});

test('a new connection that is cut is the failure of the server, and it is asked once', async (t) => {
  const { url, requests } = await cutting(t, 'cut');
  await t.throwsAsync(get(way(t).to(url, operator)), { instanceOf: Unreachable, message: /ECONNRESET|hang up/ });
  t.deepEqual(requests, ['GET']);
});

test('what changes something is sent once, whatever becomes of its connection', async (t) => {
  const { url, requests, cut } = await cutting(t, 'answered');
  const outgoing = way(t);
  const exchange = new Exchange(outgoing.to(url, operator));
  let sent = 0;
  const refused = async () => {
    for (;;) {
      await get(outgoing.to(url, operator));
      sent += 1;
      const { body } = await exchange.send('DELETE', '');
      await text(body);
    }
  };
  await t.throwsAsync(refused(), { instanceOf: Unreachable });
  t.is(cut.at(-1), 'DELETE');
  t.is(requests.filter((method) => method === 'DELETE').length, sent);
});
