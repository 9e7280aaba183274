import { once } from 'node:events';
import { Agent, get, type IncomingMessage, type RequestListener } from 'node:http';
import { Agent as TlsAgent, get as tlsGet } from 'node:https';
import { connect as connectPlain, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { HttpServer, type HttpServerOptions } from '../../server/http-server.js';
import { writeLast } from '../../server/socket-writing.js';
import { cipherSuites } from '../../server/tls/cipher-suites.js';
import { newCertificate } from '../support/certificates.js';
import { gate } from '../support/gate.js';
import { keptLog } from '../support/log.js';

const pem = await newCertificate();

const certificate = {
  context: { ...cipherSuites, cert: pem.certificate, key: pem.key, minVersion: 'TLSv1.2' as const },
  follow: () => {},
};

const pong: RequestListener = (_, res) => res.end('pong');

interface Listening {
  server: HttpServer;
  plain: number;
  tls: number;
}

async function listening(t: ExecutionContext, options: HttpServerOptions = {}, listener = pong): Promise<Listening> {
  const server = new HttpServer(listener, options);
  t.teardown(() => server.close(0));
  const { port: plain } = await server.listen(0, '127.0.0.1');
  const { port: tls } = await server.listenTls(0, '127.0.0.1', certificate);
  return { server, plain, tls };
}

/** A connection on which nothing is said yet. */
function opened(t: ExecutionContext, port: number): Socket {
  const socket = connectPlain(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  return socket;
}

async function handshaken(t: ExecutionContext, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port, ca: pem.certificate, ...options });
  t.teardown(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** What is answered to a request on a connection of its own, which is kept open where an agent is given. */
function ask(port: number, agent?: Agent): Promise<IncomingMessage> {
  const isTls = agent instanceof TlsAgent;
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, agent: agent ?? false };
    (isTls ? tlsGet : get)(options, resolve).once('error', reject);
  });
}

const overTls = (t: ExecutionContext) => {
  const agent = new TlsAgent({ keepAlive: true, ca: pem.certificate });
  t.teardown(() => agent.destroy());
  return agent;
};

const overPlain = (t: ExecutionContext) => {
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  return agent;
};

const PING = 'GET /ping HTTP/1.1\r\nHost: here\r\n\r\n';

function readJson(answer: string): { code: string; message: string } {
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')));
}

const ways = {
  plain: async (t: ExecutionContext, { plain }: Listening) => opened(t, plain),
  TLS: (t: ExecutionContext, { tls }: Listening): Promise<Socket> => handshaken(t, tls),
};

// --- Versions, suites, protocols

test('HTTP/1.1 and nothing else, over TLS 1.2 and 1.3', async (t) => {
  const { tls } = await listening(t);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await handshaken(t, tls, { maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] });
    t.is(socket.getProtocol(), version);
    t.is(socket.alpnProtocol, 'http/1.1');
    socket.write(PING);
    t.regex(String(await once(socket, 'data')), /^HTTP\/1\.1 200 OK\r\n/);
  }
  const error = await t.throwsAsync(handshaken(t, tls, { ALPNProtocols: ['h2'] }));
  t.is((error as NodeJS.ErrnoException).code, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
});

test('TLS 1.1 is refused', async (t) => {
  const { tls } = await listening(t);
  const old: ConnectionOptions = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
  const error = await t.throwsAsync(handshaken(t, tls, old));
  t.is((error as NodeJS.ErrnoException).code, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
});

// What an OpenSSL of 2012 has in common with us, for a certificate with an RSA key.
for (const suite of [
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA256',
  'AES128-SHA',
  'AES256-SHA',
]) {
  test(`an old client with ${suite} only`, async (t) => {
    const { tls } = await listening(t);
    const socket = await handshaken(t, tls, {
      maxVersion: 'TLSv1.2',
      ciphers: suite,
      sigalgs: 'RSA+SHA256:RSA+SHA1',
      ecdhCurve: 'prime256v1',
    });
    t.is(socket.getCipher().name, suite);
    socket.write(PING);
    t.regex(String(await once(socket, 'data')), /^HTTP\/1\.1 200 OK\r\n/);
  });
}

test('a session is resumed', async (t) => {
  const { tls } = await listening(t);
  const first = await handshaken(t, tls, { maxVersion: 'TLSv1.2' });
  const second = await handshaken(t, tls, { maxVersion: 'TLSv1.2', session: first.getSession() });
  t.false(first.isSessionReused());
  t.true(second.isSessionReused());
});

test('HTTP on the port for TLS is told where it is', async (t) => {
  const { tls } = await listening(t);
  const socket = opened(t, tls);
  socket.write(PING);
  const answer = await text(socket);
  t.regex(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
  t.like(readJson(answer), { code: 'BadRequestError', message: 'this port speaks TLS: use https' });
  t.is((await ask(tls, overTls(t))).statusCode, 200);
});

test('TLS on the plain port ends at once', async (t) => {
  const { plain } = await listening(t);
  const error = await t.throwsAsync(handshaken(t, plain));
  t.regex(String((error as NodeJS.ErrnoException).code), /^ERR_SSL_/);
  t.is((await ask(plain)).statusCode, 200);
});

test('handshakes that break off, and what is none, harm nobody', async (t) => {
  const { tls } = await listening(t);
  const agent = overTls(t);
  const begun = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);
  for (const bytes of [Buffer.alloc(0), begun, Buffer.from('nonsense\r\n\r\n'), Buffer.alloc(20_000)]) {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const socket = opened(t, tls).on('error', () => {});
      await once(socket, 'connect');
      socket.write(bytes);
      socket[end]();
      socket.resume();
      await once(socket, 'close');
    }
    t.is((await ask(tls, agent)).statusCode, 200);
  }
});

test('a malformed request is refused over TLS as well', async (t) => {
  const { tls } = await listening(t);
  const socket = await handshaken(t, tls);
  socket.write('nonsense\r\n\r\n');
  const answer = await text(socket);
  t.regex(answer, /^HTTP\/1\.1 400 /);
  t.is(readJson(answer).code, 'BadRequestError');
});

// --- Time: one after the other, so that nothing but the limits makes them wait

/** Within which a machine that is busy comes from a connection to a request on it. */
const LIMIT = 1000;

test.serial('a handshake that does not come is cut', async (t) => {
  const { tls } = await listening(t, { headerTimeout: 400 });
  t.is(await text(opened(t, tls)), '');
});

for (const [name, open] of Object.entries(ways)) {
  test.serial(`${name}: headers that do not come are refused`, async (t) => {
    const socket = await open(t, await listening(t, { headerTimeout: LIMIT }));
    socket.write('GET /ping HTTP/1.1\r\nHost: ');
    const answer = await text(socket);
    t.regex(answer, /^HTTP\/1\.1 408 /);
    t.is(readJson(answer).code, 'RequestTimeout');
  });

  test.serial(`${name}: a connection on which nothing moves is cut`, async (t) => {
    const slow: RequestListener = (req, res) => req.resume().once('end', () => res.end('pong'));
    const socket = await open(t, await listening(t, { idleTimeout: LIMIT }, slow));
    socket.write('POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nand nothing more');
    t.is(await text(socket), '');
  });

  test.serial(`${name}: a connection without a further request is closed`, async (t) => {
    const socket = await open(t, await listening(t, { idleTimeout: LIMIT }));
    socket.write(PING);
    t.regex(await text(socket), /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\npong$/s);
  });

  test.serial(`${name}: our own work may take longer than that`, async (t) => {
    const working: RequestListener = async ({ socket }, res) => {
      for (let patience = 0; patience < 3; patience += 1) await once(socket, 'timeout');
      res.end('done');
    };
    const socket = await open(t, await listening(t, { idleTimeout: LIMIT }, working));
    socket.write(PING);
    t.regex(await text(socket), /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\ndone$/s);
  });

  test.serial(`${name}: what moves is never cut, however slowly`, async (t) => {
    const idleTimeout = LIMIT;
    const started = performance.now();
    const trickling: RequestListener = (req, res) => {
      res.writeHead(200, { 'content-length': 5 * idleTimeout, connection: 'close' });
      let left = 5 * idleTimeout;
      const timer = setInterval(() => {
        res.write('x'.repeat(20));
        left -= 20;
        if (left === 0) res.end();
      }, 20);
      req.socket.once('close', () => clearInterval(timer));
    };
    const socket = await open(t, await listening(t, { idleTimeout, headerTimeout: idleTimeout }, trickling));
    socket.write(PING);
    const answer = await text(socket);
    t.is(answer.length - answer.indexOf('\r\n\r\n') - 4, 5 * idleTimeout);
    t.true(performance.now() - started > 3 * idleTimeout);
  });
}

for (const [name, open] of Object.entries(ways)) {
  test.serial(`${name}: a chunk that takes long to leave, but moves, is not cut`, async (t) => {
    const idleTimeout = 1000;
    const chunk = Buffer.alloc(48 << 20); // more than the buffers of two sockets hold
    const sending: RequestListener = (_, res) => {
      res.writeHead(200, { 'content-length': chunk.length, connection: 'close' });
      writeLast(res, chunk);
    };
    const socket = await open(t, await listening(t, { idleTimeout }, sending));
    const started = performance.now();
    socket.write(PING);
    let received = 0;
    for await (const bytes of slowly(socket)) received += bytes.length;
    t.true(received > chunk.length, `${received} bytes`);
    t.true(performance.now() - started > 2 * idleTimeout);
  });
}

/** About 13 MB in a second. */
async function* slowly(socket: Socket): AsyncGenerator<Buffer> {
  let taken = 0;
  for await (const bytes of socket as AsyncIterable<Buffer>) {
    yield bytes;
    taken += bytes.length;
    if (taken < 200_000) continue;
    taken = 0;
    await setTimeout(15);
  }
}

// --- Limit

test('connections above the limit, over all listeners, are told to come again', async (t) => {
  const { log, lines } = keptLog();
  const { plain, tls } = await listening(t, { maxConnections: 2, log });
  const [inPlain, inTls] = [overPlain(t), overTls(t)];
  await text(await ask(plain, inPlain));
  await text(await ask(tls, inTls));

  for (let time = 0; time < 3; time += 1) {
    const refused = await ask(plain);
    t.is(refused.statusCode, 503);
    t.is(refused.headers['retry-after'], '5');
    t.is(refused.headers.connection, 'close');
    t.is(JSON.parse(await text(refused)).code, 'ServiceUnavailableError');
  }
  await t.throwsAsync(handshaken(t, tls));
  t.deepEqual(
    lines.map(({ level, maxConnections, refused, msg }) => ({ level, maxConnections, refused, msg })),
    [{ level: 40, maxConnections: 2, refused: 1, msg: 'too many connections: new ones are refused' }],
  );

  t.is(await text(await ask(plain, inPlain)), 'pong');
  t.is(await text(await ask(tls, inTls)), 'pong');
  inTls.destroy();
  let status: number | undefined = 503;
  while (status === 503) status = (await ask(plain)).statusCode;
  t.is(status, 200);
});

test('whoever is turned away may send a body, and is answered nothing more', async (t) => {
  const asked: string[] = [];
  const { plain } = await listening(t, { maxConnections: 1 }, (req, res) => {
    asked.push(req.url ?? '');
    res.end('pong');
  });
  await text(await ask(plain, overPlain(t)));
  const socket = opened(t, plain);
  socket.write(`POST /images HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1_000_000)}${PING}`);
  const answer = await text(socket);
  t.regex(answer, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
  t.is(answer.match(/HTTP\/1\.1/g)?.length, 1);
  t.deepEqual(asked, ['/']);
});

test('a crowd that does not leave is cut', async (t) => {
  const { plain } = await listening(t, { maxConnections: 1 });
  const agent = overPlain(t);
  await text(await ask(plain, agent));
  const crowd = Array.from({ length: 130 }, () => {
    const socket = connectPlain({ port: plain, host: '127.0.0.1', allowHalfOpen: true });
    t.teardown(() => socket.destroy());
    return heard(socket);
  });
  const answers = await Promise.all(crowd);
  t.is(answers.filter((answer) => answer.startsWith('HTTP/1.1 503 ')).length, 100);
  t.is(answers.filter((answer) => answer === '').length, 30);
  t.is(await text(await ask(plain, agent)), 'pong');
});

/** Everything until the other side ends or cuts, without ending as well. */
function heard(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let all = '';
    socket.on('data', (chunk) => {
      all += chunk;
    });
    for (const event of ['end', 'error']) socket.once(event, () => resolve(all));
  });
}

// --- Stopping

test('handshakes that do not come hold up no stop', async (t) => {
  const { server, tls } = await listening(t);
  const silent = opened(t, tls);
  const agent = overTls(t);
  await text(await ask(tls, agent)); // the other has been accepted before
  const cut = once(silent.resume(), 'close');
  await server.close(60_000);
  await cut;
  t.pass();
});

test('answers over TLS are finished while stopping', async (t) => {
  const { opened: mayAnswer, open } = gate();
  const { server, tls, plain } = await listening(t, {}, async (_, res) => {
    res.write('begun, ');
    await mayAnswer;
    res.end('done');
  });
  const answer = await ask(tls, overTls(t));
  const closed = server.close(60_000);
  for (const port of [tls, plain]) await t.throwsAsync(once(opened(t, port), 'connect'), { code: 'ECONNREFUSED' });
  open();
  t.is(await text(answer), 'begun, done');
  await closed;
});

test('what is not finished after the grace time is cut, over TLS too', async (t) => {
  const { server, tls } = await listening(t, {}, (_, res) => res.write('begun'));
  const answer = await ask(tls, overTls(t));
  const cut = t.throwsAsync(text(answer));
  await server.close(0);
  await cut;
});

// --- Before it closes

test('who takes leave answers, and ends each connection with its answer, until it closes', async (t) => {
  const { server, plain, tls } = await listening(t);
  for (const [port, agent] of [
    [plain, new Agent({ keepAlive: true })],
    [tls, new TlsAgent({ keepAlive: true, ca: pem.certificate })],
  ] as const) {
    t.teardown(() => agent.destroy());
    t.is((await ask(port, agent)).headers.connection, 'keep-alive');
  }
  const left = server.takeLeave(60_000);
  const answer = await ask(plain, new Agent({ keepAlive: true }));
  t.is(answer.headers.connection, 'close');
  t.is(await text(answer), 'pong');
  await server.close(0);
  await left;
  await t.throwsAsync(ask(plain), { code: 'ECONNREFUSED' });
});

test('a request that is under way when leave is taken is answered, and ends its connection', async (t) => {
  const { opened: mayAnswer, open: answer } = gate();
  const { opened: isAsked, open: asked } = gate();
  const slow: RequestListener = (_, res) => {
    asked();
    void mayAnswer.then(() => res.end('late'));
  };
  const { server, plain } = await listening(t, {}, slow);
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const coming = ask(plain, agent);
  await isAsked;
  const left = server.takeLeave(60_000);
  answer();
  const { headers } = await coming;
  t.is(headers.connection, 'close');
  await server.close(0);
  await left;
});
