import { createHash, X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { buffer, json } from 'node:stream/consumers';
import ava, { type ExecutionContext } from 'ava';
import type { Answer, Asker, Wire } from '../support/ask.js';
import { newCertificate, pemFiles } from '../support/certificates.js';
import { type Daemon, launch, startDaemon } from '../support/daemon.js';
import { sdcClient } from '../support/sdc-imgapi.js';

const [ofServer, ofNode, ofOther, ofThePast] = await Promise.all([
  newCertificate(),
  newCertificate({ names: ['node1'] }),
  newCertificate({ names: ['node2'] }),
  newCertificate({ names: ['node3'], until: -0.5 }),
]);

// one process after the other
const test = ava.serial;

const resultOf = ({ json }: Answer) => json.result as { [field: string]: unknown };

async function must({ ask }: Asker, path: string, body: object = {}): Promise<Answer> {
  const answer = await ask('POST', path, { as: 'admin', body });
  if (answer.status >= 300) throw new Error(`${path}: ${answer.bytes}`);
  return answer;
}

/** Node n1 serves north, which has an image that nobody else sees; south has another. */
async function fill(daemon: Asker, node: object = {}): Promise<Record<'north' | 'south', string>> {
  await must(daemon, '/api/node/n1', node);
  const made: Record<string, string> = {};
  for (const name of ['north', 'south']) {
    await must(daemon, `/api/dc/${name}`);
    const body = { name, version: '1', os: 'smartos', type: 'zone-dataset', public: false };
    const { uuid } = (await must(daemon, `/images?dc=${name}`, body)).json;
    await daemon.ask('PUT', `/images/${uuid}/file?compression=none`, { body: `of ${name}` });
    await must(daemon, `/images/${uuid}?action=activate`);
    made[name] = uuid;
  }
  await daemon.ask('PUT', '/api/node/n1', { body: { dcs: ['north'] } });
  return made as Record<'north' | 'south', string>;
}

/** All that lies in a directory, as one text of bytes. */
async function contentOf(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return (await Promise.all(files.map((path) => readFile(path, 'latin1')))).join('\n');
}

test('an unchanged client with the URL of a node sees its images, and the token is written nowhere', async (t) => {
  const daemon = await startDaemon(t, { args: ['--log-level', 'debug'] });
  const { north, south } = await fill(daemon, { addresses: ['127.0.0.0/8'] });
  const made = resultOf(await must(daemon, '/api/node/n1/token/main'));
  const secret = String(made.token);
  const sdc = sdcClient(t, { url: `${daemon.url}${made.path}` }, new Set());
  t.deepEqual(
    (await sdc.call<Wire[]>('listImages', {})).value.map(({ uuid }) => uuid),
    [north],
  );
  t.is((await sdc.call('getImage', north)).value.name, 'north');
  const { response } = await sdc.call('getImageFileStream', north);
  response.resume();
  t.is((await buffer(response)).toString(), 'of north');
  t.is((await sdc.refused('getImage', south)).status, 404);
  t.is((await sdc.refused('deleteImage', north)).status, 403);
  const told: string[] = [];
  for (const path of ['/nothing', '/images/x/file', '/datasets', `/images/${north}/file?x=%`, '/api/token', '/%']) {
    for (const method of ['GET', 'PUT', 'HEAD']) {
      const { headers, bytes } = await daemon.ask(method, `${made.path}${path}`, { as: 'anonymous' });
      told.push(JSON.stringify(headers), bytes.toString());
    }
  }
  t.like(((await daemon.ask('GET', '/api/node/n1/token?full', { as: 'admin' })).json.result as object[])[0], {
    name: 'main',
  });
  const { stdout, stderr } = await daemon.kill('SIGTERM');
  t.regex(stderr, /"caller":"node n1"/);
  // Whoever pulled what is written when the daemon stops.
  const again = await startDaemon(t, { data: daemon.data });
  const audit = (await again.ask('GET', '/api/audit?user=node%20n1', { as: 'admin' })).bytes.toString();
  t.regex(audit, /"GetImageFile"/);
  // A daemon at work has files come and go.
  await again.kill('SIGTERM');
  const everything = [stdout, stderr, ...told, audit, await contentOf(daemon.data)];
  for (const text of everything) t.false(text.includes(secret.slice('slipway_'.length)), text.slice(0, 200));
});

test('when a token was used last is known after a restart too', async (t) => {
  const first = await startDaemon(t);
  const used = async ({ ask }: Daemon) => (await ask('GET', '/api/token/ci', { as: 'admin' })).json;
  const { token } = resultOf(await must(first, '/api/token/ci'));
  t.is(Object(await used(first)).result.last_used, null);
  await first.ask('GET', '/api/account', { headers: { authorization: `Bearer ${token}` } });
  const before = Object(await used(first)).result.last_used;
  t.truthy(before);
  t.is((await first.kill('SIGTERM')).code, 0);
  const second = await startDaemon(t, { data: first.data });
  t.is(Object(await used(second)).result.last_used, before);
});

test('a proxy that becomes trusted must not be an address of a node', async (t) => {
  const daemon = await startDaemon(t);
  await must(daemon, '/api/node/n1', { addresses: ['127.0.0.0/8'] });
  await daemon.kill('SIGTERM');
  const args = ['--port', '0', '--data', daemon.data, '--trusted-proxies', '127.0.0.1'];
  const { code, stderr } = await launch(t, args).exited;
  t.is(code, 1);
  t.regex(stderr, /node n1.*127\.0\.0\.0\/8.*127\.0\.0\.1/);
  t.notRegex(stderr, /\n +at /);
});

interface Client {
  certificate: string;
  key: string;
}

/** The names of the images that a client sees over TLS, with its certificate. */
async function seen(port: number, client: Client | undefined, path = '/images'): Promise<string> {
  const credentials = client && { cert: client.certificate, key: client.key };
  const answered = await new Promise<Wire[]>((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, ca: ofServer.certificate, agent: false, ...credentials }, (response) =>
      resolve(json(response) as Promise<Wire[]>),
    )
      .once('error', reject)
      .end();
  });
  return answered.map(({ name }) => name).join(' ');
}

async function overTls(t: ExecutionContext, config: object = {}) {
  const files = await pemFiles(t, ofServer);
  const tls = { tlsPort: 0, tlsCertificate: files.certificate, tlsKey: files.key };
  const daemon = await startDaemon(t, { config: { ...tls, ...config } });
  const line = await daemon.printed('Slipway is listening on');
  return { daemon, port: Number(/https:\/\/[^ ]*:(\d+)/.exec(line)?.[1]) };
}

const fingerprint = ({ certificate }: Client) => new X509Certificate(certificate).fingerprint256;

test('a client certificate proves a node, and nobody needs one', async (t) => {
  const { daemon, port } = await overTls(t);
  await fill(daemon, { certificate: fingerprint(ofNode) });
  t.is(await seen(port, ofNode), 'north');
  for (const client of [undefined, ofOther]) t.is(await seen(port, client), '');
  await daemon.ask('PUT', '/api/node/n1', { body: { certificate: fingerprint(ofOther) } });
  t.is(await seen(port, ofNode), '');
  t.is(await seen(port, ofOther), 'north');
  await daemon.ask('PUT', '/api/node/n1', { body: { certificate: fingerprint(ofThePast) } });
  t.is(await seen(port, ofThePast), '', 'it is good no more');
  await daemon.ask('DELETE', '/api/node/n1');
  t.is(await seen(port, ofOther), '');
});

test('where clients are not asked for certificates, none proves anything', async (t) => {
  const { daemon, port } = await overTls(t, { tlsClientCertificates: false });
  await fill(daemon, { certificate: fingerprint(ofNode) });
  t.is(await seen(port, ofNode), '');
});

test('the hash of a secret is what is kept', async (t) => {
  const daemon = await startDaemon(t);
  await fill(daemon);
  const { token } = resultOf(await must(daemon, '/api/node/n1/token/main'));
  const password = 'a password of some length';
  await must(daemon, '/api/user/anna', { password });
  const login = await daemon.ask('POST', '/api/accounts/login', {
    body: { username: 'anna', password },
    as: 'anonymous',
  });
  t.is(login.status, 200);
  const { stderr } = await daemon.kill('SIGTERM');
  const kept = await contentOf(daemon.data);
  t.true(kept.includes(createHash('sha256').update(String(token)).digest('hex')), 'that is looked at at all');
  for (const secret of [token, login.json.token, password]) {
    t.false(kept.includes(String(secret)));
    t.false(stderr.includes(String(secret)));
  }
});

test('a public URL on which tokens can be read is warned of', async (t) => {
  const plain = await startDaemon(t, { config: { publicUrl: 'http://images.example.com' } });
  t.is((await plain.logged((line) => 'publicUrl' in line)).publicUrl, 'http://images.example.com');
  const secure = await startDaemon(t, { config: { publicUrl: 'https://images.example.com' } });
  t.notRegex((await secure.kill('SIGTERM')).stderr, /plain HTTP/);
});
