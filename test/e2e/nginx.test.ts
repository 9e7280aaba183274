import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ava, { type ExecutionContext } from 'ava';
import { makeCertificate } from '../../server/tls/make-certificate.js';
import { startDaemon } from '../support/daemon.js';
import { isMet } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const needs = 'nginx, to run the example';
const test = isMet[needs] ? ava : ava.skip;

const run = promisify(execFile);
const example = fileURLToPath(new URL('../../../etc/nginx/slipway.conf', import.meta.url));

/** The example as it is shipped, with this machine's paths and ports in it, and what it needs around it. */
async function startNginx(t: ExecutionContext, daemonPort: number) {
  const directory = await scratch(t);
  const socket = join(directory, 'https.sock');
  const { certificate, key } = await makeCertificate({
    names: ['images.example.com'],
    from: new Date(Date.now() - 60_000),
    until: new Date(Date.now() + 3_600_000),
  });
  await mkdir(join(directory, 'temp'));
  await writeFile(join(directory, 'certificate.pem'), certificate);
  await writeFile(join(directory, 'key.pem'), key);
  const site = (await readFile(example, 'utf8'))
    .replace('server 127.0.0.1:8080;', `server 127.0.0.1:${daemonPort};`)
    .replace('listen 443 ssl;', `listen unix:${socket} ssl;`)
    .replace(/listen \[::\]:443 ssl;\n/, '')
    .replace('/etc/ssl/slipway/fullchain.pem', join(directory, 'certificate.pem'))
    .replace('/etc/ssl/slipway/key.pem', join(directory, 'key.pem'));
  await writeFile(join(directory, 'site.conf'), site);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  await writeFile(
    join(directory, 'nginx.conf'),
    [
      `user ${process.getuid?.() === 0 ? 'root' : 'nobody'};`,
      `pid ${directory}/nginx.pid;`,
      `error_log ${directory}/error.log;`,
      'events {}',
      'http {',
      'access_log off;',
      ...temporary.map((name) => `${name}_temp_path ${directory}/temp/${name};`),
      `include ${directory}/site.conf;`,
      '}',
    ].join('\n'),
  );
  const nginx = (...args: string[]) =>
    run('nginx', ['-p', directory, '-e', join(directory, 'error.log'), '-c', join(directory, 'nginx.conf'), ...args]);
  // It goes into the background when it listens.
  await nginx();
  t.teardown(() => nginx('-s', 'stop'));

  return async (method: string, path: string, headers: Record<string, string | number> = {}, body?: Buffer) => {
    const sent = request({
      socketPath: socket,
      servername: 'images.example.com',
      ca: certificate,
      agent: false,
      method,
      path,
      headers: { host: 'images.example.com', ...headers },
    });
    const answered = new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve).once('error', reject);
    });
    sent.end(body);
    const response = await answered;
    return { status: response.statusCode, headers: response.headers, bytes: await buffer(response) };
  };
}

test(`behind nginx, as the example has it, all arrives as it was sent (${needs})`, async (t) => {
  const daemon = await startDaemon(t, {
    config: {
      trustedProxies: ['127.0.0.1'],
      publicUrl: 'https://images.example.com',
      serverName: 'slipway/test',
    },
  });
  const ask = await startNginx(t, daemon.port);
  const authorization = `Bearer ${daemon.token}`;
  const bytes = randomBytes(3 * 1024 * 1024);
  const sha1 = createHash('sha1').update(bytes).digest('hex');

  const manifest = Buffer.from(JSON.stringify({ name: 'a', version: '1', os: 'other', type: 'other', public: true }));
  const json = { authorization, 'content-type': 'application/json', 'content-length': manifest.length };
  const { uuid } = JSON.parse(String((await ask('POST', '/images', json, manifest)).bytes));
  const length = { authorization, 'content-length': bytes.length };
  const uploaded = await ask('PUT', `/images/${uuid}/file?compression=none&sha1=${sha1}`, length, bytes);
  t.is(uploaded.status, 200, String(uploaded.bytes));
  t.is((await ask('POST', `/images/${uuid}?action=activate`, { authorization, 'content-length': 0 })).status, 200);

  const file = await ask('GET', `/images/${uuid}/file`, { 'x-request-id': 'through-nginx', 'accept-encoding': 'gzip' });
  t.is(file.status, 200);
  t.true(file.bytes.equals(bytes));
  t.is(file.headers['content-length'], String(bytes.length));
  t.is(file.headers.etag, `"${sha1}"`);
  t.is(file.headers['content-md5'], createHash('md5').update(bytes).digest('base64'));
  t.is(file.headers['x-request-id'], 'through-nginx');
  t.is(file.headers['content-encoding'], undefined);
  t.is(file.headers.server, 'slipway/test');

  const part = await ask('GET', `/images/${uuid}/file`, { range: 'bytes=1000-1999', 'if-range': `"${sha1}"` });
  t.is(part.status, 206);
  t.true(part.bytes.equals(bytes.subarray(1000, 2000)));
  t.is((await ask('GET', `/images/${uuid}/file`, { 'if-none-match': `"${sha1}"` })).status, 304);
  t.is((await ask('GET', '/ping')).headers['content-type'], 'application/json');

  // The daemon saw the client behind nginx, which came through a socket without an address, and not nginx itself.
  t.is((await ask('GET', '/state')).status, 401);
  t.is((await ask('GET', '/ping', { host: 'evil.example' })).status, 421);
});
