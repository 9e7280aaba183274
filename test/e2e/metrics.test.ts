import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import ava, { type ExecutionContext } from 'ava';
import { asker } from '../support/ask.js';
import { type Daemon, launch, type Options, startDaemon } from '../support/daemon.js';
import { scraped } from '../support/scraped.js';
import { scratch } from '../support/scratch.js';

// one process after the other
const test = ava.serial;

const manifest = { name: 'sample', version: '1.0.0', os: 'other', type: 'other', public: true };

/** A daemon that is watched over on a port of its own. */
async function startWatched(t: ExecutionContext, options: Options = {}) {
  const daemon = await startDaemon(t, { ...options, config: { metricsPort: 0 } });
  const { port } = await daemon.logged('serving metrics');
  const watching = asker(Number(port), daemon.token);
  t.teardown(watching.close);
  return { daemon, watch: (path: string) => watching.ask('GET', path) };
}

async function create(daemon: Daemon): Promise<string> {
  return (await daemon.ask('POST', '/images', { body: manifest })).json.uuid;
}

test('metrics on a port of their own, without credentials, and with them on the main port', async (t) => {
  const { daemon, watch } = await startWatched(t);
  const uuid = await create(daemon);
  await daemon.ask('PUT', `/images/${uuid}/file?compression=none`, { body: 'x'.repeat(1000) });
  await daemon.logged('swept');

  const answer = await watch('/metrics');
  t.is(answer.status, 200);
  const { value, text } = scraped(answer);
  t.is(value('stored_bytes'), 1000);
  t.is(value('requests_total', { method: 'PUT', route: 'AddImageFile', status: '2xx' }), 1);
  t.is(value('ready'), 1);
  t.is(value('sweeps_total', { outcome: 'done' }), 1);
  t.true(value('disk_free_bytes')! > 0);
  t.true(value('disk_size_bytes')! > value('disk_free_bytes')!);
  t.true(value('process_resident_memory_bytes')! > 1e6);
  t.true(value('nodejs_eventloop_lag_p99_seconds')! > 0);
  t.regex(text, /^slipway_build_info\{version="\d+\.\d+\.\d+",node="v\d+\.\d+\.\d+"\} 1$/m);
  t.false(text.includes(daemon.data));
  t.is((await watch('/images')).status, 404);
  t.is((await watch('/')).status, 404);

  t.is((await daemon.ask('GET', '/metrics')).status, 401);
  t.is((await daemon.ask('GET', '/metrics', { as: 'admin' })).status, 200);
  for (const path of ['/healthz', '/readyz']) {
    t.is((await watch(path)).status, 200);
    t.is((await daemon.ask('GET', path)).status, 200);
  }
  t.deepEqual(await readdir(join(daemon.data, 'files', 'tmp')), [], 'the probe has left nothing');
  const { code, stderr } = await daemon.kill('SIGTERM');
  t.is(code, 0, stderr);
  t.notRegex(stderr, /"url":"\/(healthz|readyz|metrics)"/, 'probes do not fill the log');
});

test('while running transfers finish, the daemon is alive and not ready; then nobody answers', async (t) => {
  const { daemon, watch } = await startWatched(t);
  const uuid = await create(daemon);
  const upload = httpRequest(`${daemon.url}/images/${uuid}/file?compression=none`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${daemon.token}`, expect: '100-continue', 'content-length': '1000' },
  });
  upload.flushHeaders();
  await once(upload, 'continue');
  t.deepEqual({ ...(await watch('/readyz')).json }, { ready: true } as never);

  const exit = daemon.kill('SIGTERM');
  await daemon.logged('stopping');
  const { status, json } = await watch('/readyz');
  t.is(status, 503);
  t.deepEqual({ ...json }, { ready: false, reasons: { stopping: 'the server is stopping' } } as never);
  t.is((await watch('/healthz')).status, 200);
  const { value } = scraped(await watch('/metrics'));
  t.is(value('ready'), 0);
  t.is(value('transfers_running', { direction: 'upload' }), 1);

  upload.end('x'.repeat(1000));
  const [answer]: IncomingMessage[] = await once(upload, 'response');
  t.is(answer?.statusCode, 200);
  answer?.resume();
  t.is((await exit).code, 0);
  await t.throwsAsync(watch('/healthz'));
});

test('a connection that is still busy hears that the server is stopping', async (t) => {
  const daemon = await startDaemon(t);
  const uuid = await create(daemon);
  const socket = connect(daemon.port, '127.0.0.1');
  const head = `PUT /images/${uuid}/file?compression=none HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${daemon.token}`;
  socket.write(`${head}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`);
  await once(socket, 'readable');
  const exit = daemon.kill('SIGTERM');
  await daemon.logged('stopping');
  socket.write('fileGET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  t.regex(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  t.regex(text, /HTTP\/1\.1 503 Service Unavailable\r\n.*the server is stopping/s);
  t.is((await exit).code, 0);
});

test('a metrics port that is taken keeps the daemon from starting, and the data can be used afterwards', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const address = other.address();
  const taken = typeof address === 'object' ? String(address?.port) : '';
  const data = join(await scratch(t), 'data');
  const { code, stderr, stdout } = await launch(t, ['--port', '0', '--metricsPort', taken, '--data', data]).exited;
  t.is(code, 1);
  t.regex(stderr, new RegExp(`^slipway: .*EADDRINUSE.*127\\.0\\.0\\.1:${taken}`, 'm'));
  t.notRegex(stdout, /listening/);
  t.is((await (await startDaemon(t, { data })).ask('GET', '/readyz')).status, 200);
});
