import { once } from 'node:events';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { createMonitoringApp } from '../../server/app.js';
import { HttpServer } from '../../server/http-server.js';
import { Metrics } from '../../server/metrics/instruments.js';
import { measuredSweep } from '../../server/metrics/measured-sweep.js';
import { watchServer } from '../../server/metrics/watch-server.js';
import { executions } from '../../server/model/job.js';
import { type Task, tasks } from '../../server/model/task.js';
import { hashToken, tokens } from '../../server/model/token.js';
import { ADMIN } from '../../server/model/user.js';
import { sweep } from '../../server/operations/sweep.js';
import { docsRoutes } from '../../server/routes/docs.js';
import { routes } from '../../server/routes/table.js';
import type { Catalog } from '../../storage/catalog.js';
import { StorageDown } from '../../storage/errors.js';
import { contents } from '../../storage/holdings.js';
import { asker } from '../support/ask.js';
import { ownBlobs, ownCatalog } from '../support/engines.js';
import { addUser, numbered } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { keptLog } from '../support/log.js';
import { type Scraped, scraped } from '../support/scraped.js';
import { startServer, type TestServer } from '../support/server.js';
import { signedHeaders, sshKey } from '../support/ssh-keys.js';
import { table } from '../support/table.js';
import { told } from '../support/told.js';
import { watchedBlobs } from '../support/watched-blobs.js';

const MIB = 1024 ** 2;

async function scrape(server: TestServer): Promise<Scraped> {
  return scraped(await server.ask('GET', '/metrics', { as: 'admin' }));
}

/** The first scrape that satisfies: the server hears of the end of a connection when it is told. */
async function scrapeUntil(server: TestServer, satisfies: (found: Scraped) => boolean): Promise<Scraped> {
  for (let attempt = 0; attempt < 5000; attempt += 1) {
    const found = await scrape(server);
    if (satisfies(found)) return found;
  }
  throw new Error('no scrape has ever satisfied');
}

/** How much each of these has grown by what was done. */
async function grown(server: TestServer, names: [string, Record<string, string>?][], act: () => Promise<unknown>) {
  const before = await scrape(server);
  await act();
  const after = await scrape(server);
  return names.map(([name, labels]) => (after.value(name, labels) ?? 0) - (before.value(name, labels) ?? 0));
}

const upload = (server: TestServer, uuid: string, body: string | Buffer | Readable, query = '') =>
  server.ask('PUT', `/images/${uuid}/file?compression=none${query}`, { body });

// --- Who may see it

const callers = table<'caller' | 'answer'>(`
  caller                 answer
  nobody                 401 UnauthorizedError
  a stranger             401 UnauthorizedError
  a user                 403 OperatorOnly
  the administrator      200
  a token of full        200
  a token of read        200
  a token of metrics     200
  an expired token       401 UnauthorizedError
`);

async function withTokens(server: TestServer) {
  const created = '2026-01-01T00:00:00.000Z';
  const grants = { full: {}, read: {}, metrics: {}, expired: { scope: 'metrics', expires: created } } as const;
  await server.deps.catalog.write(async (tx) => {
    for (const [name, grant] of Object.entries(grants)) {
      const scope = name === 'expired' ? 'metrics' : (name as 'full' | 'read' | 'metrics');
      await tx.insert(tokens, { hash: hashToken(name), name, user: ADMIN.uuid, created, scope, ...grant });
    }
  });
  const of = (secret: string) => ({ authorization: `Bearer ${secret}` });
  return {
    nobody: {},
    'a stranger': of('guessed'),
    'a user': (await addUser(server, 'jane')).headers,
    'the administrator': of(server.token),
    'a token of full': of('full'),
    'a token of read': of('read'),
    'a token of metrics': of('metrics'),
    'an expired token': of('expired'),
  } as Record<string, Record<string, string>>;
}

test('on the main port metrics are for operators, and a token may be good for nothing else', async (t) => {
  const server = await startServer(t);
  const headers = await withTokens(server);
  for (const { caller, answer } of callers) {
    const found = await server.ask('GET', '/metrics', { as: 'anonymous', headers: headers[caller]! });
    t.is(told(found), answer, caller);
    t.is(found.bytes.includes('slipway_'), answer === '200', caller);
  }
  const onlyMetrics = { headers: headers['a token of metrics']! };
  for (const path of ['/images', '/ping', '/state']) {
    t.is(told(await server.ask('GET', path, onlyMetrics)), '403 NotPermitted', path);
  }
  t.is(told(await server.ask('POST', '/images', { body: {}, ...onlyMetrics })), '403 NotPermitted');
  t.is(server.deps.listing.size, 0);
});

test('callers from a trusted network need no credentials', async (t) => {
  const server = await startServer(t, { trusts: () => true });
  t.is((await server.ask('GET', '/metrics')).status, 200);
});

test('the text format of Prometheus, every metric with its type and meaning', async (t) => {
  const server = await startServer(t);
  const { headers, bytes } = await server.ask('GET', '/metrics', { as: 'admin' });
  t.is(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  t.is(headers['cache-control'], 'no-store');
  const { names, text } = scraped({ bytes });
  for (const name of names) {
    t.true(name.startsWith('slipway_'), name);
    t.regex(text, new RegExp(`^# HELP ${name} \\S.*\n# TYPE ${name} (counter|gauge|histogram)$`, 'm'));
  }
  t.is((await server.ask('POST', '/metrics')).status, 405);
  t.is((await server.ask('HEAD', '/metrics', { as: 'admin' })).bytes.length, 0);
});

test('the listener of its own serves metrics and probes without credentials, and nothing else', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  const monitoring = new HttpServer(createMonitoringApp(server.deps).callback());
  const { port } = await monitoring.listen(0, '127.0.0.1');
  const { ask, close } = asker(port, server.token);
  t.teardown(async () => {
    close();
    await monitoring.close(0);
  });
  for (const path of ['/metrics', '/healthz', '/readyz']) {
    for (const authorization of ['', 'Bearer guessed']) {
      t.is((await ask('GET', path, { headers: { authorization, host: 'elsewhere.example' } })).status, 200, path);
    }
  }
  t.is(scraped(await ask('GET', '/metrics')).value('images', { state: 'active', type: 'zone-dataset' }), 1);
  for (const { method, path } of [...routes, ...docsRoutes(routes)]) {
    if (['/metrics', '/healthz', '/readyz'].includes(path)) continue;
    const { status } = await ask(method, path.replace(':uuid', uuid), { as: 'admin' });
    t.is(status, 404, `${method} ${path}`);
  }
  t.is((await ask('DELETE', '/metrics', { as: 'admin' })).status, 405);
  t.is((await scrape(server)).value('requests_total', { method: 'GET', route: 'GetHealth', status: '2xx' }), undefined);
});

// --- Requests

test('requests are counted by method, route and status, and timed', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image();
  for (const _ of [1, 2, 3]) await server.ask('GET', `/images/${uuid}`);
  await server.ask('HEAD', `/images/${uuid}`);
  await server.ask('GET', `/images/${numbered(1)}`);
  await server.ask('GET', '/images/nonsense');
  await server.ask('POST', '/images', { body: {} });
  await server.ask('PATCH', '/images');
  const found = await scrape(server);
  const count = (method: string, route: string, status: string) =>
    found.value('requests_total', { method, route, status });
  t.is(count('GET', 'GetImage', '2xx'), 3);
  t.is(count('HEAD', 'GetImage', '2xx'), 1);
  t.is(count('GET', 'GetImage', '4xx'), 2);
  t.is(count('POST', 'CreateImage', '2xx'), 1);
  t.is(count('POST', 'CreateImage', '4xx'), 1);
  t.is(count('PATCH', 'none', '4xx'), 1);
  t.is(found.value('request_duration_seconds_count', { route: 'GetImage' }), 6);
  t.is(found.value('request_duration_seconds_bucket', { route: 'GetImage', le: '+Inf' }), 6);
  t.true(found.value('request_duration_seconds_sum', { route: 'GetImage' })! > 0);
  t.is(found.value('requests_running'), 1, 'the scrape itself');
});

test('what callers write never becomes a label', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({ name: 'a-telling-name' });
  const { uuid: user } = await addUser(server, 'a-telling-user');
  const paths = [
    '/a-telling-path',
    '/images/a-telling-uuid',
    '/images/a"b\\c%0Ad',
    `/images/${numbered(7)}?account=${user}`,
    '/datasets/a-telling-urn',
    '/images/../../etc/passwd',
    '/%2e%2e/metrics',
    '//metrics',
    '/constructor',
    '/__proto__',
    '/api/token/a-telling-token',
    ...Array.from({ length: 50 }, (_, n) => `/nowhere/${n}`),
  ];
  for (const path of paths) {
    for (const method of ['GET', 'DELETE', 'PROPFIND', 'M-SEARCH', 'OPTIONS']) await server.ask(method, path);
  }
  const schemes = ['Telling x', 'Bearer telling', 'Signature telling', '__proto__ x', 'constructor', ' ', 'Basic a:b'];
  for (const authorization of schemes) {
    await server.ask('GET', '/ping', {
      headers: { authorization, 'x-request-id': 'a-telling-id', 'user-agent': 'telling' },
    });
  }
  await server.raw('NONSENSE\r\n\r\n');
  await server.raw('GET /a-telling-line HTTP/1.1\r\n\r\n');

  const { labelValues, text } = await scrape(server);
  const known = new Set(['none', 'GetHelp', ...[...routes, ...docsRoutes(routes)].map(({ name }) => name)]);
  t.deepEqual(
    [...labelValues('route')].filter((name) => !known.has(name)),
    [],
  );
  t.true([...labelValues('method')].includes('other'));
  t.deepEqual(
    [...labelValues('method')].filter((name) => !/^(GET|PUT|POST|DELETE|OPTIONS|other)$/.test(name)),
    [],
  );
  t.deepEqual([...labelValues('scheme')].sort(), ['api-key', 'bearer', 'none', 'other', 'path', 'signature']);
  for (const secret of ['telling', uuid, user, server.token, 'passwd', '127.0.0.1', hashToken(server.token)]) {
    t.false(text.includes(secret), secret);
  }
});

test('who asks, by what was sent and what came of it', async (t) => {
  const server = await startServer(t);
  const of = (scheme: string, outcome: string): [string, Record<string, string>] => [
    'authentications_total',
    { scheme, outcome },
  ];
  const asked = async () => {
    await server.ask('GET', '/ping');
    await server.ask('GET', '/state');
    await server.ask('GET', '/ping', { headers: { authorization: 'Bearer wrong' } });
    await server.ask('GET', `/images/${numbered(1)}/file`, { headers: { authorization: 'Bearer wrong' } });
    await server.ask('GET', '/ping', { headers: { authorization: 'Basic YTpi' } });
    await server.ask('GET', '/ping', { headers: { authorization: 'Signature keyId="nobody"' } });
    await server.ask('GET', '/healthz', { headers: { authorization: 'Bearer wrong' } });
  };
  const names = [
    of('none', 'anonymous'),
    of('none', 'refused'),
    of('bearer', 'refused'),
    of('bearer', 'ignored'),
    of('other', 'refused'),
    of('signature', 'refused'),
  ];
  t.deepEqual(await grown(server, names, asked), [1, 1, 1, 1, 1, 1]);
  t.deepEqual(await grown(server, [of('bearer', 'accepted')], async () => {}), [1], 'the scrape');

  const trusting = await startServer(t, { trusts: () => true });
  t.deepEqual(await grown(trusting, [of('none', 'trusted')], () => trusting.ask('GET', '/ping')), [1]);
});

test('credentials that can not be looked up because the catalog fails count as failed', async (t) => {
  const catalog = await ownCatalog();
  const server = await startServer(t, { catalog });
  const { find } = catalog;
  catalog.find = async () => {
    throw new StorageDown('reading', new Error('EIO'));
  };
  const signed = signedHeaders({ keyId: 'nobody', algorithm: 'ed25519-sha512', key: sshKey('ed25519') });
  t.is((await server.ask('GET', '/ping', { headers: signed })).status, 503);
  t.is((await server.ask('GET', '/ping', { as: 'admin' })).status, 200, 'tokens are known from memory');
  catalog.find = find;
  const { value } = await scrape(server);
  t.is(value('authentications_total', { scheme: 'signature', outcome: 'failed' }), 1);
  t.is(value('catalog_failures_total', { operation: 'find' }), 1);
  t.is(value('requests_total', { method: 'GET', route: 'Ping', status: '5xx' }), 1);
});

// --- Bytes and transfers

const transfers = (direction: string, outcome: string): [string, Record<string, string>] => [
  'transfers_total',
  { direction, outcome },
];

test('an upload and a download: transfers, bytes, and what is kept', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { file: null });
  const file = Buffer.alloc(MIB, 'x');
  const received: [string, Record<string, string>] = ['received_bytes_total', { route: 'AddImageFile' }];
  const sent: [string, Record<string, string>] = ['sent_bytes_total', { route: 'GetImageFile' }];
  const names = [transfers('upload', 'done'), transfers('download', 'done'), received, sent];
  const { transfers_total } = server.deps.metrics.instruments;
  const isDone = async () =>
    (await transfers_total.get()).values.some(
      ({ labels, value }) => labels.direction === 'download' && labels.outcome === 'done' && value === 1,
    );
  const [uploads, downloads, bytesIn, bytesOut] = await grown(server, names, async () => {
    t.is((await upload(server, uuid, file)).status, 200);
    await server.ask('POST', `/images/${uuid}?action=activate`);
    t.is((await server.ask('GET', `/images/${uuid}/file`)).bytes.length, MIB);
    // The client may have all of it before the thread that has moved the last bytes says so.
    while (!(await isDone())) await setImmediate();
  });
  t.deepEqual([uploads, downloads], [1, 1]);
  t.true(bytesIn! > MIB && bytesIn! < MIB + 2000, `${bytesIn}`);
  t.true(bytesOut! > MIB && bytesOut! < MIB + 2000, `${bytesOut}`);
  const { value } = await scrape(server);
  t.is(value('stored_bytes'), MIB);
  t.is(value('stored_contents'), 1);
  t.is(value('saved_bytes'), 0);
  t.is(value('blobs_staged'), 0);
});

test('what moves nothing is no transfer', async (t) => {
  const server = await startServer(t);
  const { uuid, files } = await server.image();
  const path = `/images/${uuid}/file`;
  const names = ['done', 'cut', 'refused'].map((outcome) => transfers('download', outcome));
  const asked = async () => {
    t.is((await server.ask('HEAD', path)).status, 200);
    t.is((await server.ask('GET', path, { headers: { 'if-none-match': `"${files![0]!.sha1}"` } })).status, 304);
    t.is((await server.ask('GET', `/images/${uuid}`)).status, 200);
  };
  t.deepEqual(await grown(server, names, asked), [0, 0, 0]);
  const more = async () => {
    t.is((await server.ask('GET', path, { headers: { range: 'bytes=0-1' } })).status, 206);
    t.is((await server.ask('GET', path, { headers: { range: 'bytes=999-' } })).status, 416);
    t.is((await server.ask('GET', `/images/${numbered(1)}/file`)).status, 404);
  };
  t.deepEqual(await grown(server, names, more), [1, 0, 2]);
});

test('an upload that is refused', async (t) => {
  const server = await startServer(t, { maxFileSize: 1000 });
  const { uuid } = await server.image({}, { file: null });
  const names = ['done', 'cut', 'refused'].map((outcome) => transfers('upload', outcome));
  const asked = async () => {
    t.is(told(await upload(server, uuid, 'x'.repeat(1001))), '400 Upload');
    t.is(told(await upload(server, uuid, 'x', `&sha1=${'1'.repeat(40)}`)), '400 Download');
    t.is(told(await upload(server, numbered(1), 'x')), '404 ResourceNotFound');
  };
  t.deepEqual(await grown(server, names, asked), [0, 0, 3]);
  const { value } = await scrape(server);
  t.is(value('stored_bytes'), 0);
  t.is(value('blobs_staged'), 0);
});

test('an upload counts while it runs, and is cut with its connection', async (t) => {
  const { blobs, nextStaged, nextDiscarded } = await watchedBlobs();
  const server = await startServer(t, { blobs });
  const { uuid } = await server.image({}, { file: null });
  const staged = nextStaged();
  const socket = connect(server.port, '127.0.0.1');
  const head = `PUT /images/${uuid}/file?compression=none HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.token}`;
  socket.write(`${head}\r\nContent-Length: ${2 * MIB}\r\n\r\n`);
  socket.write(Buffer.alloc(MIB));
  await staged;
  const bytes = (found: Scraped) => found.value('received_bytes_total', { route: 'AddImageFile' }) ?? 0;
  const running = await scrapeUntil(server, (found) => bytes(found) > MIB);
  t.is(running.value('transfers_running', { direction: 'upload' }), 1);
  t.is(running.value('transfers_running', { direction: 'download' }), 0);
  t.is(running.value('blobs_staged'), 1);
  t.is(running.value('requests_running'), 2);
  t.is(running.value('requests_total', { method: 'PUT', route: 'AddImageFile', status: 'none' }), undefined);

  const discarded = nextDiscarded();
  socket.destroy();
  await discarded;
  const ended = await scrapeUntil(server, ({ value }) => value('blobs_staged') === 0);
  t.is(ended.value(...transfers('upload', 'cut')), 1);
  t.is(ended.value(...transfers('upload', 'done')), 0);
  t.is(ended.value('transfers_running', { direction: 'upload' }), 0);
  t.is(ended.value('requests_total', { method: 'PUT', route: 'AddImageFile', status: 'none' }), 1);
  t.true(bytes(ended) < MIB + 2000, 'nothing counts twice');
  t.is(ended.value('stored_bytes'), 0);
});

test('a download that is cut counts once, and stands in the log once', async (t) => {
  const { log, lines } = keptLog();
  const server = await startServer(t, { log });
  const size = 32 * MIB;
  const { uuid } = await server.image({}, { file: 'x'.repeat(size) });
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`GET /images/${uuid}/file HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await once(socket, 'readable');
  const running = await scrapeUntil(
    server,
    ({ value }) => (value('sent_bytes_total', { route: 'GetImageFile' }) ?? 0) > 0,
  );
  t.is(running.value('transfers_running', { direction: 'download' }), 1);
  socket.destroy();
  const ended = await scrapeUntil(server, ({ value }) => value(...transfers('download', 'cut')) === 1);
  t.is(ended.value(...transfers('download', 'done')), 0);
  t.is(ended.value('transfers_running', { direction: 'download' }), 0);
  t.is(ended.value('requests_total', { method: 'GET', route: 'GetImageFile', status: '2xx' }), 1);
  t.true(ended.value('sent_bytes_total', { route: 'GetImageFile' })! < size);
  t.is(lines.filter(({ msg, cut }) => msg === 'request' && cut === true).length, 1);
});

test('requests that are sent one behind another count their bytes once', async (t) => {
  const server = await startServer(t);
  const { uuid } = await server.image({}, { file: 'x'.repeat(MIB) });
  const request = `GET /images/${uuid}/file HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const last = request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
  const socket = connect(server.port, '127.0.0.1');
  socket.write(request.repeat(4) + last);
  const answers = await buffer(socket);
  const { value } = await scrapeUntil(server, (found) => found.value(...transfers('download', 'done')) === 5);
  t.is(value('sent_bytes_total', { route: 'GetImageFile' }), answers.length);
  t.is(value('received_bytes_total', { route: 'GetImageFile' }), Buffer.byteLength(request.repeat(4) + last));
});

// --- What is kept

const keeping = async (server: TestServer) => {
  const { value } = await scrape(server);
  return ['stored_contents', 'stored_bytes', 'saved_bytes', 'unheld_bytes'].map((name) => value(name));
};

test('the same file twice is kept once; deleted, it waits for the sweep', async (t) => {
  let time = Date.now();
  const server = await startServer(t, { blobGrace: 60, now: () => new Date(time) });
  t.deepEqual(await keeping(server), [0, 0, 0, 0]);
  const file = 'x'.repeat(1000);
  const first = await server.image({ name: 'one' }, { file });
  t.deepEqual(await keeping(server), [1, 1000, 0, 0]);
  const second = await server.image({ name: 'two' }, { file });
  t.deepEqual(await keeping(server), [1, 1000, 1000, 0]);
  const third = await server.image({ name: 'three' }, { file });
  t.deepEqual(await keeping(server), [1, 1000, 2000, 0]);
  await server.image({ name: 'four' }, { file: 'y'.repeat(500) });
  t.deepEqual(await keeping(server), [2, 1500, 2000, 0]);

  for (const { uuid } of [first, second, third]) await server.ask('DELETE', `/images/${uuid}`);
  t.deepEqual(await keeping(server), [2, 1500, 0, 1000]);
  time += 60_000;
  await measuredSweep(server.deps.metrics, () => sweep(server.deps));
  t.deepEqual(await keeping(server), [1, 500, 0, 0]);
  const { value } = await scrape(server);
  t.is(value('swept_total', { what: 'unheld' }), 1);
  t.is(value('swept_total', { what: 'orphans' }), 0);
  t.is(value('sweeps_total', { outcome: 'done' }), 1);
  t.is(value('sweep_duration_seconds_count'), 1);
  t.true(Math.abs(value('last_sweep_timestamp_seconds')! - Date.now() / 1000) < 60);
});

test('a sweep that fails counts as failed, and its error goes on', async (t) => {
  const server = await startServer(t);
  const failing = async () => {
    throw new StorageDown('listing', new Error('EIO'));
  };
  await t.throwsAsync(measuredSweep(server.deps.metrics, failing), { instanceOf: StorageDown });
  const { value } = await scrape(server);
  t.is(value('sweeps_total', { outcome: 'failed' }), 1);
  t.is(value('sweeps_total', { outcome: 'done' }), 0);
  t.is(value('last_sweep_timestamp_seconds'), undefined);
});

test('what was there before the start counts as well', async (t) => {
  const catalog = await ownCatalog();
  const blobs = await ownBlobs();
  const server = await startServer(t, { catalog, blobs });
  const file = 'x'.repeat(1000);
  for (const name of ['one', 'two']) await server.image({ name }, { file });
  const metrics = new Metrics();
  t.teardown(await watchServer(metrics, { ...server.deps, catalog }));
  const { value } = scraped({ bytes: Buffer.from((await metrics.scrape()).text) });
  t.deepEqual([value('stored_bytes'), value('saved_bytes')], [1000, 1000]);
});

test('records that can not be read are read again at the next scrape', async (t) => {
  const server = await startServer(t);
  await server.image({}, { file: 'x'.repeat(1000) });
  let down = true;
  const catalog: Catalog = {
    ...server.deps.catalog,
    pages: (kind) => {
      if (down && kind.name === contents.name)
        throw new StorageDown('reading the catalog', new Error('the disk is gone'));
      return server.deps.catalog.pages(kind);
    },
  };
  const metrics = new Metrics();
  t.teardown(watchServer(metrics, { ...server.deps, catalog }));
  for (const _ of [1, 2]) await t.throwsAsync(metrics.scrape(), { instanceOf: StorageDown });
  down = false;
  for (const _ of [1, 2]) {
    const { value } = scraped({ bytes: Buffer.from((await metrics.scrape()).text) });
    t.is(value('stored_bytes'), 1000);
  }
});

test('images by state and type', async (t) => {
  const server = await startServer(t);
  await server.image();
  await server.image({ type: 'zvol', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 10 });
  const { uuid } = await server.image({ name: 'other' }, { activate: false });
  const count = async () => {
    const { value } = await scrape(server);
    return [
      value('images', { state: 'active', type: 'zone-dataset' }),
      value('images', { state: 'active', type: 'zvol' }),
      value('images', { state: 'unactivated', type: 'zone-dataset' }),
    ];
  };
  t.deepEqual(await count(), [1, 1, 1]);
  await server.ask('POST', `/images/${uuid}?action=activate`);
  t.deepEqual(await count(), [2, 1, undefined]);
  await server.ask('DELETE', `/images/${uuid}`);
  t.deepEqual(await count(), [1, 1, undefined]);
});

test('jobs by their state', async (t) => {
  const server = await startServer(t);
  const count = async () => {
    const { value } = await scrape(server);
    return executions.map((execution) => value('jobs', { execution }));
  };
  t.deepEqual(await count(), [0, 0, 0, 0, 0]);
  const job = (id: number, status: Task['status'], what = 'import'): Task => ({
    id: numbered(id),
    what,
    who: { name: 'somebody' },
    objects: [{ kind: 'images', id: numbered(9), name: 'sample' }],
    status,
    result: null,
    created: '2026-01-01T00:00:00.000Z',
    params: { steps: [] },
  });
  await server.deps.catalog.write(async (tx) => {
    await tx.insert(tasks, job(1, 'PENDING'));
    await tx.insert(tasks, job(2, 'PENDING'));
    await tx.insert(tasks, job(3, 'STARTED'));
    await tx.insert(tasks, job(4, 'STARTED', 'bulk images'));
  });
  t.deepEqual(await count(), [2, 1, 0, 0, 0]);
  await server.deps.catalog.write(async (tx) => {
    await tx.replace(tasks, job(1, 'FAILURE'));
    await tx.delete(tasks, numbered(2));
  });
  t.deepEqual(await count(), [0, 1, 0, 1, 0]);
});

// --- Stores

test('catalog and blobs are timed, and digests', async (t) => {
  const server = await startServer(t);
  const names: [string, Record<string, string>?][] = [
    ['catalog_duration_seconds_count', { operation: 'write' }],
    ['blob_duration_seconds_count', { operation: 'stage' }],
    ['blob_duration_seconds_count', { operation: 'commit' }],
    ['blob_duration_seconds_count', { operation: 'open' }],
  ];
  const moved = await grown(server, names, async () => {
    const { uuid } = await server.image({}, { file: 'x'.repeat(MIB) });
    await server.ask('GET', `/images/${uuid}/file`);
  });
  t.deepEqual(moved, [3, 1, 1, 1], 'created, published, activated; one file in, and out');
  const { value } = await scrape(server);
  t.true(value('catalog_duration_seconds_count', { operation: 'get' })! > 0);
  for (const algorithms of ['md5', 'sha1+sha256']) {
    t.true(value('digest_bytes_total', { algorithms })! >= MIB, algorithms);
    t.true(value('digest_seconds_total', { algorithms })! > 0, algorithms);
  }
});

test('stores that fail are counted by what they failed at; refusals are not', async (t) => {
  const blobs = await ownBlobs();
  const server = await startServer(t, { blobs });
  const { uuid } = await server.image();
  const down = async (): Promise<never> => {
    throw new StorageDown('blobs', new Error('EIO'));
  };
  const real = { stage: blobs.stage.bind(blobs), read: blobs.read.bind(blobs) };

  blobs.stage = down;
  const empty = await server.image({ name: 'empty' }, { file: null });
  t.is((await upload(server, empty.uuid, 'x')).status, 503);
  blobs.stage = async () => {
    const staged = await real.stage();
    staged.writable._write = (_chunk, _encoding, done) => done(new StorageDown('writing', new Error('ENOSPC')));
    return staged;
  };
  t.is((await upload(server, empty.uuid, 'x')).status, 503);
  blobs.stage = real.stage;
  blobs.read = async () =>
    (async function* () {
      yield Buffer.from('the ');
      await down();
    })();
  await t.throwsAsync(server.ask('GET', `/images/${uuid}/file`));
  blobs.read = real.read;
  await server.ask('POST', '/images', { body: { uuid } });
  await server.ask('DELETE', `/images/${numbered(1)}`);

  const { value } = await scrape(server);
  const failures = ['stage', 'write', 'read', 'commit', 'open', 'stat'].map((operation) =>
    value('blob_failures_total', { operation }),
  );
  t.deepEqual(failures, [1, 1, 1, 0, 0, 0]);
  for (const operation of ['get', 'find', 'range', 'list', 'write']) {
    t.is(value('catalog_failures_total', { operation }), 0, operation);
  }
  t.is(value('blobs_staged'), 0);
});

test('a write that waits for others counts its wait', async (t) => {
  const server = await startServer(t);
  const busy = gate();
  const sum = async () => (await scrape(server)).value('catalog_duration_seconds_sum', { operation: 'write' })!;
  const before = await sum();
  const begun = gate();
  const first = server.deps.catalog.write(() => {
    begun.open();
    return busy.opened;
  });
  await begun.opened;
  const start = performance.now();
  await server.ask('GET', '/ping');
  const least = (performance.now() - start) / 1000;
  busy.open();
  await first;
  t.true((await sum()) - before >= least);
});

test('ready, and the room on the disk', async (t) => {
  const server = await startServer(t, { space: async () => ({ free: 1024 ** 4, size: 4 * 1024 ** 4 }) });
  const before = await scrape(server);
  t.deepEqual(
    ['ready', 'disk_free_bytes', 'disk_size_bytes'].map((name) => before.value(name)),
    [1, 1024 ** 4, 4 * 1024 ** 4],
  );
  server.deps.readiness.stop();
  t.is((await scrape(server)).value('ready'), 0);

  const blind = await startServer(t, { space: () => Promise.reject(new Error('EIO')) });
  const after = await scrape(blind);
  t.is(after.value('ready'), 0);
  t.is(after.value('disk_free_bytes'), Number.NaN);
});

test('when the certificate expires, as long as there is one', async (t) => {
  const server = await startServer(t);
  t.is((await scrape(server)).value('certificate_expiry_timestamp_seconds'), undefined);
  const certificate = { leaf: { validTo: 'Jan  1 00:00:00 2030 GMT' } };
  t.teardown(await watchServer(server.deps.metrics, { ...server.deps, certificate }));
  t.is((await scrape(server)).value('certificate_expiry_timestamp_seconds'), 1893456000);
  certificate.leaf = { validTo: 'Jan  1 00:00:00 2031 GMT' };
  t.is((await scrape(server)).value('certificate_expiry_timestamp_seconds'), 1924992000);
});

test('servers in one process count for themselves', async (t: ExecutionContext) => {
  const [busy, idle] = await Promise.all([startServer(t), startServer(t)]);
  await busy.ask('GET', '/ping');
  t.is((await scrape(busy)).value('requests_total', { method: 'GET', route: 'Ping', status: '2xx' }), 1);
  t.is((await scrape(idle)).value('requests_total', { method: 'GET', route: 'Ping', status: '2xx' }), undefined);
});
