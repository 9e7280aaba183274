import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { access, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { Agent, get as tlsGet } from 'node:https';
import { connect as connectPlain, isIP } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import ava, { type ExecutionContext } from 'ava';
import { ADMIN } from '../../server/model/user.js';
import type { Pem } from '../../server/tls/make-certificate.js';
import { type Asker, asker, type Wire } from '../support/ask.js';
import { until } from '../support/catalogs.js';
import { newCertificate, type PemFiles, pemFiles } from '../support/certificates.js';
import { type Daemon, type LogLine, launch, startDaemon } from '../support/daemon.js';
import { scratch } from '../support/scratch.js';
import { cliSigner, type Sdc, sdcClient } from '../support/sdc-imgapi.js';
import { sshKey } from '../support/ssh-keys.js';

const first = await newCertificate();
const second = await newCertificate();

// one process after the other
const test = ava.serial;

const manifest = { name: 'sample', version: '1.0.0', os: 'other', type: 'other', public: true };

const fingerprint = ({ certificate }: Pem) => new X509Certificate(certificate).fingerprint256;

const sha1 = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');

interface TlsDaemon {
  daemon: Daemon;
  files: PemFiles;
  tls: number;
  url: string;
  /** Over TLS, trusting both certificates. */
  over: Asker;
}

const tlsPortOf = (line: string) => Number(/https:\/\/[^ ]*:(\d+)/.exec(line)?.[1]);

/** A daemon that listens in plain and over TLS, with the first certificate. */
async function start(t: ExecutionContext, config: object = {}, pem = first): Promise<TlsDaemon> {
  const files = await pemFiles(t, pem);
  const tlsFiles = { tlsPort: 0, tlsCertificate: files.certificate, tlsKey: files.key };
  const daemon = await startDaemon(t, { config: { ...tlsFiles, ...config } });
  const tls = tlsPortOf(await daemon.printed('Slipway is listening on'));
  const over = asker(tls, daemon.token, first.certificate + second.certificate);
  t.teardown(over.close);
  return { daemon, files, tls, url: `https://127.0.0.1:${tls}`, over };
}

async function handshaken(t: ExecutionContext, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  t.teardown(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** Of the certificate that is shown to those who come now. */
async function shown(t: ExecutionContext, port: number): Promise<string> {
  const socket = await handshaken(t, port);
  socket.end();
  return socket.getPeerCertificate().fingerprint256;
}

const isReloadOf = ({ msg, fingerprint: of }: LogLine, pem: Pem) =>
  msg === 'certificate reloaded' && of === fingerprint(pem);

const reloaded = (daemon: Daemon, pem: Pem) => daemon.logged((line) => isReloadOf(line, pem));

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

// --- The client of the field

const called = new Set<string>();

/** Up, down and away again. */
async function wholeRound(t: ExecutionContext, sdc: Sdc, given: object, options: object = {}): Promise<void> {
  const bytes = randomBytes(2_000_000);
  const { uuid } = (await sdc.call('createImage', { ...manifest, ...given }, undefined, options)).value;
  const file = { uuid, compression: 'none', file: Readable.from([bytes]), size: bytes.length };
  t.is((await sdc.call('addImageFile', { ...file, ...options })).value.files?.[0]?.sha1, sha1(bytes));
  t.is((await sdc.call('activateImage', uuid, undefined, options)).value.state, 'active');
  t.is((await sdc.call<Wire[]>('listImages', {}, options)).value[0]?.uuid, uuid);
  const { response } = await sdc.call('getImageFileStream', uuid, undefined, options);
  response.resume();
  t.is(sha1(await buffer(response)), sha1(bytes));
  t.is((await sdc.call('deleteImage', uuid, undefined, options)).response.statusCode, 204);
}

test('sdc-clients over TLS, signed', async (t) => {
  const { url } = await start(t, { authKeys: { ops: [sshKey('rsa').line] } });
  const keyId = join(await scratch(t), 'id');
  await writeFile(keyId, sshKey('rsa').pem, { mode: 0o600 });
  const sign = cliSigner({ keyId, user: 'ops' });
  await wholeRound(t, sdcClient(t, { url, user: 'ops', sign, ca: first.certificate }, called), {});
});

test('sdc-clients over TLS, with a token', async (t) => {
  const { url, daemon } = await start(t);
  const headers = { authorization: `Bearer ${daemon.token}` };
  await wholeRound(t, sdcClient(t, { url, ca: first.certificate }, called), {}, { headers });
});

test('sdc-clients over TLS, unsigned, from a network that is trusted', async (t) => {
  const { url } = await start(t, { trustedNetworks: ['127.0.0.0/8'] });
  await wholeRound(t, sdcClient(t, { url, ca: first.certificate }, called), { owner: ADMIN.uuid });
});

test('sdc-clients refuse a certificate that they have no reason to trust', async (t) => {
  const { url } = await start(t);
  const error = await t.throwsAsync(sdcClient(t, { url, ca: second.certificate }, called).call('ping'));
  t.regex(String(codeOf(error)), /SELF_SIGNED|UNABLE_TO_VERIFY/);
});

// --- Another certificate

test('the certificate is replaced under requests and a download, and none fails', async (t) => {
  const { daemon, files, tls, over } = await start(t, { authType: 'none' });
  const bytes = randomBytes(32 << 20); // more than the buffers of two sockets hold
  const { json } = await over.ask('POST', '/images', { body: manifest });
  await over.ask('PUT', `/images/${json.uuid}/file?compression=none`, { body: bytes });

  const ca = first.certificate + second.certificate;
  const sending = tlsGet({ host: '127.0.0.1', port: tls, path: `/images/${json.uuid}/file`, agent: new Agent({ ca }) });
  const [download]: IncomingMessage[] = await once(sending, 'response');

  let isOver = false;
  const answered = { kept: 0, fresh: 0 };
  const keeping = async () => {
    for (; !isOver; answered.kept += 1) t.is((await over.ask('GET', '/images')).status, 200);
  };
  const coming = async () => {
    for (; !isOver; answered.fresh += 1) {
      const once = asker(tls, daemon.token, ca);
      t.is((await once.ask('GET', '/ping')).status, 200);
      once.close();
    }
  };
  const streams = [keeping(), keeping(), coming(), coming()];

  for (const pem of [second, first, second]) {
    const noticed = reloads(daemon, pem);
    await files.write({ key: pem.key });
    await files.write({ certificate: pem.certificate });
    await noticed;
    t.is(await shown(t, tls), fingerprint(pem));
    const { kept, fresh } = answered;
    await until(() => answered.kept > kept + 5 && answered.fresh > fresh + 5, 'requests go on');
  }
  isOver = true;
  await Promise.all(streams);
  t.is(sha1(await buffer(download!)), sha1(bytes));
});

/** From here on, whatever was taken before. */
function reloads(daemon: Daemon, pem: Pem): Promise<unknown> {
  let isPast = true;
  const found = daemon.logged((line) => !isPast && isReloadOf(line, pem));
  isPast = false;
  return found;
}

test('one that can not be used leaves the old one, and the log says which and why', async (t) => {
  const { daemon, files, tls, over } = await start(t);
  const refused = (reason: RegExp) =>
    daemon.logged(
      (line) => line.level === 40 && /the one before stays/.test(line.msg) && reason.test(String(line.reason)),
    );
  const half = second.certificate.slice(0, 600);
  const expired = await newCertificate({ from: -30, until: -1 });
  const attempts: [Partial<Pem>, RegExp][] = [
    [{ certificate: half }, /chain\.pem breaks off/],
    [{ certificate: second.certificate }, /key\.pem does not fit .*chain\.pem/],
    [expired, /chain\.pem has expired/],
  ];
  for (const [pem, reason] of attempts) {
    await files.write(pem);
    await refused(reason);
    t.is(await shown(t, tls), fingerprint(first));
    t.is((await over.ask('GET', '/ping')).status, 200);
  }
  await rm(files.key);
  await refused(/can not read \S+key\.pem/);
  t.is(await shown(t, tls), fingerprint(first));

  await files.write(second);
  await reloaded(daemon, second);
  t.is(await shown(t, tls), fingerprint(second));
});

test('SIGHUP takes a new certificate and keys; one after the other', async (t) => {
  const { daemon, files, tls } = await start(t);
  await files.write(second);
  daemon.child.kill('SIGHUP');
  await reloaded(daemon, second);
  t.is(await shown(t, tls), fingerprint(second));
  for (let time = 0; time < 20; time += 1) daemon.child.kill('SIGHUP');
  t.is((await daemon.ask('GET', '/ping')).status, 200);
  const { code, stderr } = await daemon.kill('SIGTERM');
  t.is(code, 0);
  t.notRegex(stderr, /"level":[56]0/);
});

test('a symlink that is swapped is noticed', async (t) => {
  const directory = await scratch(t);
  const [one, other] = [await pemFiles(t, first), await pemFiles(t, second)];
  const link = async (to: PemFiles) => {
    await symlink(join(to.certificate, '..'), join(directory, 'new'));
    await rename(join(directory, 'new'), join(directory, 'live'));
  };
  await link(one);
  const live = { tlsCertificate: join(directory, 'live', 'chain.pem'), tlsKey: join(directory, 'live', 'key.pem') };
  const { daemon, tls } = await start(t, live);
  t.is(await shown(t, tls), fingerprint(first));
  await link(other);
  await reloaded(daemon, second);
  t.is(await shown(t, tls), fingerprint(second));
});

// --- Versions

test('TLS 1.2 is spoken with clients that know nothing newer, older ones are refused', async (t) => {
  const { tls } = await start(t);
  t.is((await handshaken(t, tls)).getProtocol(), 'TLSv1.3');
  t.is((await handshaken(t, tls, { maxVersion: 'TLSv1.2' })).getProtocol(), 'TLSv1.2');
  const old: ConnectionOptions = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
  t.is(codeOf(await t.throwsAsync(handshaken(t, tls, old))), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
});

test('tlsMinVersion leaves out 1.2, also with a certificate that comes later', async (t) => {
  const { daemon, tls, files } = await start(t, { tlsMinVersion: 'TLSv1.3' });
  const old: ConnectionOptions = { maxVersion: 'TLSv1.2' };
  t.is(codeOf(await t.throwsAsync(handshaken(t, tls, old))), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  await files.write(second);
  daemon.child.kill('SIGHUP');
  await reloaded(daemon, second);
  t.is(codeOf(await t.throwsAsync(handshaken(t, tls, old))), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  t.is((await handshaken(t, tls)).getProtocol(), 'TLSv1.3');
});

// --- Signed by itself

test('signed by itself: made at the first start, verified by names and addresses, kept by the second', async (t) => {
  const config = { tlsSelfSigned: true, tlsPort: 0 };
  const daemon = await startDaemon(t, { config });
  const path = join(daemon.data, 'tls', 'certificate.pem');
  const ca = await readFile(path, 'utf8');
  const { fingerprint256 } = new X509Certificate(ca);
  t.is((await stat(join(daemon.data, 'tls', 'key.pem'))).mode & 0o777, 0o600);
  t.true((await daemon.printed('fingerprint')).endsWith(fingerprint256));
  const tls = tlsPortOf(await daemon.printed('Slipway is listening on'));
  t.true((await daemon.printed('--cacert')).includes(`curl --cacert ${path} https://127.0.0.1:${tls}/ping`));

  for (const host of ['127.0.0.1', 'localhost']) {
    const name = isIP(host) === 0 ? { servername: host } : {};
    t.true((await handshaken(t, tls, { ca, rejectUnauthorized: true, ...name })).authorized, host);
  }
  const stranger = handshaken(t, tls, { ca, rejectUnauthorized: true, servername: 'other.example' });
  t.is(codeOf(await t.throwsAsync(stranger)), 'ERR_TLS_CERT_ALTNAME_INVALID');
  const { code } = await daemon.kill('SIGTERM');
  t.is(code, 0);

  const again = await startDaemon(t, { config, data: daemon.data });
  t.is(await shown(t, tlsPortOf(await again.printed('Slipway is listening on'))), fingerprint256);
});

// --- Starting

const mistakes: Record<string, { pem: Partial<Pem>; names: RegExp }> = {
  'half a certificate': { pem: { ...first, certificate: first.certificate.slice(0, 600) }, names: /chain\.pem/ },
  'half a chain': {
    pem: { ...first, certificate: first.certificate + second.certificate.slice(0, 600) },
    names: /chain\.pem/,
  },
  'a key that does not fit': { pem: { ...first, key: second.key }, names: /key\.pem/ },
  'no key': { pem: { certificate: first.certificate }, names: /key\.pem/ },
  'no certificate': { pem: { key: first.key }, names: /chain\.pem/ },
};

for (const [what, { pem, names }] of Object.entries(mistakes)) {
  test(`refused at the start, in one line: ${what}`, async (t) => {
    const files = await pemFiles(t, pem);
    const data = join(await scratch(t), 'data');
    const tls = ['--tlsPort', '0', '--tlsCertificate', files.certificate, '--tlsKey', files.key];
    const { code, stdout, stderr } = await launch(t, ['--port', '0', '--data', data, ...tls]).exited;
    t.is(code, 1);
    t.is(stdout, '');
    t.regex(stderr, /^slipway: [^\n]+\n$/);
    t.regex(stderr, names);
    const left = await readdir(data).catch(() => []);
    t.deepEqual(
      left.filter((name) => name.endsWith('.lock')),
      [],
    );
  });
}

test('one that has expired is served, and warned of', async (t) => {
  const expired = await newCertificate({ from: -30, until: -1 });
  const { daemon, tls } = await start(t, {}, expired);
  t.like(await daemon.logged(({ msg }) => msg.startsWith('the certificate in use has expired')), { level: 40 });
  t.is(await shown(t, tls), fingerprint(expired));
});

test('a port for TLS that is in use: told in one line, nothing listens, and the directory is free again', async (t) => {
  const { tls } = await start(t);
  const data = join(await scratch(t), 'data');
  const args = ['--port', '0', '--data', data, '--tlsSelfSigned', '--tlsPort', String(tls)];
  const { code, stdout, stderr } = await launch(t, [...args, '--logLevel', 'error']).exited;
  t.is(code, 1);
  t.is(stdout, '');
  t.regex(stderr, new RegExp(`^slipway: [^\\n]*in use[^\\n]*${tls}[^\\n]*\\n$`));
  t.deepEqual(
    (await readdir(data)).filter((name) => name.endsWith('.lock')),
    [],
  );
});

test('over TLS only', async (t) => {
  const data = join(await scratch(t), 'data');
  const running = launch(t, ['--port', 'off', '--data', data, '--tlsSelfSigned', '--tlsPort', '0']);
  const line = await running.printed('Slipway is listening on');
  t.regex(line, /^Slipway is listening on https:\/\/127\.0\.0\.1:\d+ \(/);
  const tls = tlsPortOf(line);
  t.regex(await running.printed('/state'), /^ {2}curl --cacert \S+ -H "Authorization: \S+ \$\(cat \S+\)" https:/);
  const { ask, close } = asker(tls, '', await readFile(join(data, 'tls', 'certificate.pem'), 'utf8'));
  t.teardown(close);
  t.is((await ask('GET', '/ping')).status, 200);
  const plain = connectPlain(tls, '127.0.0.1');
  plain.write('GET /ping HTTP/1.1\r\nHost: here\r\n\r\n');
  t.regex(await text(plain), /^HTTP\/1\.1 400 .*this port speaks TLS/s);
});

test('no TLS unless asked for', async (t) => {
  const daemon = await startDaemon(t);
  t.notRegex(await daemon.printed('Slipway is listening on'), /https/);
  await t.throwsAsync(access(join(daemon.data, 'tls')), { code: 'ENOENT' });
});

// --- Settings

/** The status with which somebody new is answered. */
async function statusOf(port: number): Promise<number | undefined> {
  const asking = get({ host: '127.0.0.1', port, path: '/ping', agent: false });
  const [response]: IncomingMessage[] = await once(asking, 'response');
  await text(response!);
  return response?.statusCode;
}

test('maxConnections is that of the settings', async (t) => {
  const { daemon, over } = await start(t, { maxConnections: 1 });
  t.is((await over.ask('GET', '/ping')).status, 200);
  t.is(await statusOf(daemon.port), 503);
  await daemon.logged('too many connections: new ones are refused');
  over.close();
  let status: number | undefined = 503;
  while (status === 503) status = await statusOf(daemon.port);
  t.is(status, 200);
});

test('headerTimeout is that of the settings, for handshakes too', async (t) => {
  const { daemon, tls } = await start(t, { headerTimeout: 1 });
  t.is(await text(connectPlain(tls, '127.0.0.1')), '');
  t.regex(await text(connectPlain(daemon.port, '127.0.0.1')), /^HTTP\/1\.1 408 /);
});

test('idleTimeout is that of the settings', async (t) => {
  const { daemon } = await start(t, { idleTimeout: 5 });
  const socket = connectPlain(daemon.port, '127.0.0.1');
  socket.write('GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  t.regex(await text(socket), /^HTTP\/1\.1 200 OK\r\n/);
});
