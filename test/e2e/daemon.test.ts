import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { get as httpGet, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import ava, { type ExecutionContext } from 'ava';
import { settings } from '../../server/config/settings.js';
import { configFile, type Daemon, launch, startDaemon } from '../support/daemon.js';
import { scratch } from '../support/scratch.js';

// one process after the other
const test = ava.serial;

const manifest = { name: 'sample', version: '1.0.0', os: 'other', type: 'other', public: true };

const sha1 = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');

async function create(daemon: Daemon, file?: Buffer): Promise<string> {
  const { json } = await daemon.ask('POST', '/images', { body: manifest });
  if (file) await daemon.ask('PUT', `/images/${json.uuid}/file?compression=none`, { body: file });
  return json.uuid;
}

/** Names of everything below, files only. */
async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

// --- The first start

test('the first start makes an administrator, whose token is for its owner only and stays', async (t) => {
  const first = await startDaemon(t);
  t.is((await stat(join(first.data, 'admin-token'))).mode & 0o777, 0o600);
  t.is((await stat(first.data)).mode & 0o777, 0o700);
  t.is((await first.ask('GET', '/state', { as: 'admin' })).status, 200);
  t.is((await first.ask('GET', '/state', { headers: { authorization: 'Bearer guessed' } })).status, 401);
  t.is((await first.ask('GET', '/ping', { as: 'admin' })).json.user, 'admin');
  t.is((await first.kill('SIGTERM')).code, 0);

  const second = await startDaemon(t, { data: first.data });
  t.is(second.token, first.token);
  t.is((await second.ask('GET', '/state', { as: 'admin' })).status, 200);
  for (const name of await readdir(join(first.data, 'catalog'))) {
    t.false((await readFile(join(first.data, 'catalog', name))).includes(first.token), `${name} holds the token`);
  }
});

test('a start that was cut off between the token file and the catalog is completed by the next one', async (t) => {
  const data = await scratch(t);
  await writeFile(join(data, 'admin-token'), 'slipway_written-before-the-crash\n', { mode: 0o600 });
  await writeFile(join(data, 'admin-token.new'), 'slipway_ha', { mode: 0o600 });
  const daemon = await startDaemon(t, { data });
  t.is(daemon.token, 'slipway_written-before-the-crash');
  t.is((await daemon.ask('GET', '/state', { as: 'admin' })).status, 200);
});

test('a first start that is killed at any of its steps is completed by the next one', async (t) => {
  for (const step of [1, 2, 3, 5, 7, 9, 11, 13]) {
    const data = await scratch(t);
    const watcher = watch(data, { recursive: true });
    const running = launch(t, ['--port', '0', '--data', data]);
    const steps = new Promise<void>((resolve) => {
      let seen = 0;
      watcher.on('change', () => {
        seen += 1;
        if (seen === step) resolve();
      });
    });
    await Promise.race([steps, running.printed('listening')]);
    watcher.close();
    await running.kill('SIGKILL');

    const daemon = await startDaemon(t, { data });
    t.regex(daemon.token, /^slipway_.{32}$/);
    t.is((await daemon.ask('GET', '/state', { as: 'admin' })).status, 200, `killed at step ${step}`);
    await daemon.kill('SIGKILL');
  }
});

// --- Settings

const channels = [
  { name: 'dev', description: 'all', default: true },
  { name: 'release', description: 'released' },
];

const spellings: Record<string, object | string> = {
  JSON: { mode: 'public', serverName: 'from the file', channels, trustedNetworks: ['127.0.0.0/8'] },
  TOML: `
    mode = "public"
    serverName = "from the file"
    trustedNetworks = ["127.0.0.0/8"]
    [[channels]]
    name = "dev"
    description = "all"
    default = true
    [[channels]]
    name = "release"
    description = "released"`,
};

for (const [spelling, config] of Object.entries(spellings)) {
  test(`a configuration file as ${spelling}`, async (t) => {
    const daemon = await startDaemon(t, { config });
    t.deepEqual((await daemon.ask('GET', '/channels')).list as unknown, channels);
    t.is((await daemon.ask('GET', '/ping')).headers.server, 'from the file');
    t.is((await daemon.ask('GET', '/state')).json.mode, 'public');
    const private_ = await daemon.ask('POST', '/images', {
      as: 'anonymous',
      body: { ...manifest, owner: '639eb3f1-6b9a-4c51-b6b7-a1fa9b5f0e1d', public: false },
    });
    t.deepEqual([private_.status, private_.json.errors?.[0]?.field], [422, 'public']);
  });
}

test('flags win over the environment, the environment over the file', async (t) => {
  const config = { serverName: 'file', port: 1, authType: 'none' };
  const env = { SLIPWAY_SERVER_NAME: 'environment' };
  const server = async (daemon: Daemon) => (await daemon.ask('GET', '/ping')).headers.server;
  t.is(await server(await startDaemon(t, { config })), 'file');
  t.is(await server(await startDaemon(t, { config, env })), 'environment');
  t.is(await server(await startDaemon(t, { config, env, args: ['--serverName', 'flag'] })), 'flag');
});

test('port, data, file, networks and channels from the environment', async (t) => {
  const data = join(await scratch(t), 'deep', 'below');
  const running = launch(t, [], {
    SLIPWAY_PORT: '0',
    SLIPWAY_DATA: data,
    SLIPWAY_CONFIG: await configFile(t, { port: 1, serverName: 'found' }),
    SLIPWAY_TRUSTED_NETWORKS: '10.0.0.0/8, 127.0.0.0/8',
    SLIPWAY_CHANNELS: JSON.stringify(channels),
  });
  const url = /http:[^ ]*/.exec(await running.printed('listening'))?.[0] ?? '';
  t.true((await readdir(data)).includes('admin-token'));
  const state = await fetch(`${url}/state`);
  t.deepEqual([state.status, state.headers.get('server')], [200, 'found'], 'trusted without credentials');
  t.deepEqual(await (await fetch(`${url}/channels`)).json(), channels);
});

/** What is told to a person, beside the lines of the log. */
const withoutLog = (stderr: string) => stderr.replaceAll(/^\{.*\n/gm, '');

interface Mistake {
  args?: string[];
  env?: Record<string, string>;
  config?: object | string;
  names: RegExp;
}

const mistakes: Record<string, Mistake> = {
  'an unknown flag': { args: ['--prot', '9000'], names: /--prot\b.*did you mean --port\?/ },
  'an unknown variable': { env: { SLIPWAY_PROT: '9000' }, names: /SLIPWAY_PROT\b.*did you mean SLIPWAY_PORT\?/ },
  'a word that belongs to no flag': { args: ['start'], names: /start/ },
  'a flag without its value': { args: ['--port'], names: /--port/ },
  'an unknown key in JSON': { config: { prot: 9000 }, names: /prot, .*slipway\.json; did you mean port\?/ },
  'an unknown key in TOML': { config: 'prot = 9000', names: /prot, .*slipway\.toml; did you mean port\?/ },
  'broken JSON': { config: '{ "port": ', names: /slipway\.toml/ },
  'broken TOML': { config: 'mode = "dc"\nport = \n', names: /slipway\.toml.*line 2/ },
  'an empty file': { config: '', names: /slipway\.toml is empty/ },
  'a trusted network that holds the proxy': {
    config: { trustedNetworks: ['10.0.0.0/8'], trustedProxies: ['10.0.0.1'] },
    names: /10\.0\.0\.0\/8 holds the trusted proxy 10\.0\.0\.1/,
  },
  'nothing to listen on': { args: ['--port', 'off'], names: /nothing would listen/ },
  'a certificate that is not there': {
    args: ['--tls-certificate', '/nowhere/c.pem', '--tls-key', fileURLToPath(import.meta.url)],
    names: /tlsCertificate: can not read "\/nowhere\/c\.pem": there is no such file/,
  },
  'a file that is not there': { args: ['--config', '/nowhere/slipway.toml'], names: /\/nowhere\/slipway\.toml/ },
  'a port that is none': { args: ['--port', '70000'], names: /--port.*70000/ },
  'a port from the environment': { env: { SLIPWAY_PORT: 'http' }, names: /SLIPWAY_PORT.*http/ },
  'a mode that is none': { config: { mode: 'datacenter' }, names: /mode in .*datacenter.*dc/ },
  'a network that is none': { config: { trustedNetworks: ['10.0.0.0/33'] }, names: /trustedNetworks.*10\.0\.0\.0\/33/ },
  'two default channels': {
    config: { channels: channels.map((channel) => ({ ...channel, default: true })) },
    names: /channels.*dev and release/,
  },
  'channels that are no JSON': { env: { SLIPWAY_CHANNELS: 'dev' }, names: /SLIPWAY_CHANNELS/ },
  'an address of another machine': { args: ['--address', '192.0.2.1', '--port', '0'], names: /192\.0\.2\.1/ },
  'an address that is a name': { args: ['--address', 'images.example'], names: /--address.*images\.example/ },
  'a data directory that is a file': { args: ['--data', '/dev/null/data'], names: /\/dev\/null\/data/ },
};

for (const [title, { args = [], env, config, names }] of Object.entries(mistakes)) {
  test(`told in one line: ${title}`, async (t) => {
    const data = join(await scratch(t), 'data');
    const file = config === undefined ? [] : ['--config', await configFile(t, config)];
    const { code, stdout, stderr } = await launch(t, ['--data', data, ...file, ...args], env).exited;
    t.is(code, 1);
    t.is(stdout, '');
    t.regex(withoutLog(stderr), /^slipway: [^\n]+\n$/);
    t.regex(stderr, names);
  });
}

test('several mistakes are told at once, and nothing is made', async (t) => {
  const data = join(await scratch(t), 'data');
  const config = await configFile(t, 'mdoe = "dc"\nblobGrace = -1');
  const { code, stderr } = await launch(t, ['--data', data, '--config', config], { SLIPWAY_PORT: 'http' }).exited;
  t.is(code, 1);
  t.deepEqual(
    stderr.split('\n').map((line) => line.trim().split(' ').slice(0, 2).join(' ')),
    ['slipway: 3', 'there is', 'SLIPWAY_PORT: "http"', 'blobGrace in', ''],
  );
  await t.throwsAsync(stat(data), { code: 'ENOENT' });
});

test('--check-config tells what would be used, and where from, and touches nothing', async (t) => {
  const data = join(await scratch(t), 'data');
  const config = await configFile(t, { mode: 'public', tlsPort: 443 });
  const argv = ['--check-config', '--config', config, '--data', data];
  const { code, stdout, stderr } = await launch(t, argv, { SLIPWAY_PORT: '9000' }).exited;
  t.deepEqual([code, stderr], [0, '']);
  t.deepEqual(stdout.replaceAll(config, 'FILE').replaceAll(data, 'DATA').replaceAll(/ +/g, ' ').split('\n'), [
    'slipway: the configuration can be used',
    ' port 9000 from SLIPWAY_PORT',
    ' data DATA from --data',
    ' mode public from mode in FILE',
    ' tlsPort 443 from tlsPort in FILE',
    ' and the defaults for all others',
    'warning: tlsPort is 443, but there is no certificate: nothing listens there',
    '',
  ]);
  await t.throwsAsync(stat(data), { code: 'ENOENT' });
});

test('--check-config tells all problems, with 1', async (t) => {
  const data = join(await scratch(t), 'data');
  const { code, stdout, stderr } = await launch(t, ['--data', data, '--check-config', '--port', 'off', '--mode', 'x'])
    .exited;
  t.deepEqual([code, stdout], [1, '']);
  t.regex(stderr, /^slipway: 2 problems:\n {2}--mode: .*\n {2}nothing would listen: .*\n$/);
  await t.throwsAsync(stat(data), { code: 'ENOENT' });
});

test('a configuration of the reference server runs: any Host, and what is not used is in the log', async (t) => {
  const path = join(await scratch(t), 'imgapi.config.json');
  await writeFile(path, JSON.stringify({ port: 1, mode: 'public', channels, databaseType: 'local', maxSockets: 100 }));
  const daemon = await startDaemon(t, { args: ['--config', path] });
  await daemon.logged((line) => line.msg.startsWith('maxSockets in ') && line.level === 40);
  t.is((await daemon.ask('GET', '/images', { headers: { host: 'any.example' } })).status, 200);
  t.deepEqual((await daemon.ask('GET', '/channels')).list as unknown, channels);
  t.is((await daemon.ask('POST', '/images', { as: 'anonymous', body: manifest })).status, 401);
});

test('--help names every setting, --version the version', async (t) => {
  const help = await launch(t, ['--help']).exited;
  t.is(help.code, 0);
  for (const key of Object.keys(settings)) {
    const flag = `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} `;
    t.true(help.stdout.includes(flag), flag);
  }
  const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
  t.deepEqual(await launch(t, ['--version']).exited, { code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
});

// --- One daemon for a directory

test('a second daemon on the same data directory is refused, and told what to do; the first goes on', async (t) => {
  const first = await startDaemon(t);
  const alias = join(await scratch(t), 'alias');
  await symlink(first.data, alias);
  for (const data of [first.data, alias]) {
    const { code, stdout, stderr } = await launch(t, ['--port', '0', '--data', data]).exited;
    t.is(code, 1);
    t.is(stdout, '');
    t.regex(stderr, /^slipway: data directory [^\n]* is in use by process \d+[^\n]*--data\n$/);
    t.true(stderr.includes(String(first.child.pid)));
  }
  const uuid = await create(first, Buffer.from('still writing'));
  t.is((await first.ask('POST', `/images/${uuid}?action=activate`)).status, 200);
  t.is((await first.kill('SIGTERM')).code, 0);
  t.deepEqual(
    (await readdir(first.data)).filter((name) => name.endsWith('.lock')),
    [],
  );
});

test('what a killed daemon left behind, its lock included, is taken over', async (t) => {
  const killed = await startDaemon(t);
  const uuid = await create(killed);
  await killed.kill('SIGKILL');
  const daemon = await startDaemon(t, { data: killed.data });
  t.is((await daemon.ask('GET', `/images/${uuid}`, { as: 'admin' })).status, 200);
  const locks = (await readdir(daemon.data)).filter((name) => name.endsWith('.lock'));
  t.is(locks.length, 1, 'only its own');
});

test('a port in use: told in one line, and the data directory is free again', async (t) => {
  const first = await startDaemon(t);
  const data = join(await scratch(t), 'data');
  const { code, stdout, stderr } = await launch(t, ['--port', String(first.port), '--data', data]).exited;
  t.is(code, 1);
  t.is(stdout, '');
  t.regex(withoutLog(stderr), new RegExp(`^slipway: [^\\n]*in use[^\\n]*${first.port}[^\\n]*\\n$`));
  t.deepEqual(
    (await readdir(data)).filter((name) => name.endsWith('.lock')),
    [],
  );
  await startDaemon(t, { data });
});

// --- Stopping

interface Transfers {
  daemon: Daemon;
  file: Buffer;
  /** Its headers are here and its body waits for somebody to read it. */
  download: IncomingMessage;
  /** Is to be continued with `rest`. */
  upload: ReturnType<typeof httpRequest>;
  rest: Buffer;
  target: string;
}

/** A daemon in the middle of sending one file and receiving another. */
async function busyDaemon(t: ExecutionContext, config: object = {}): Promise<Transfers> {
  const daemon = await startDaemon(t, { config: { authType: 'none', ...config } });
  const file = randomBytes(32 << 20); // more than the buffers of two sockets hold
  const source = await create(daemon, file);
  const target = await create(daemon, Buffer.from('the earlier file'));

  const sending = httpGet(`${daemon.url}/images/${source}/file`);
  const [download]: IncomingMessage[] = await once(sending, 'response');
  const upload = httpRequest(`${daemon.url}/images/${target}/file?compression=none`, {
    method: 'PUT',
    headers: { expect: '100-continue', 'content-length': String(file.length) },
  });
  upload.on('error', () => {}); // told to those who listen for it
  upload.flushHeaders();
  await once(upload, 'continue');
  await new Promise((resolve) => upload.write(file.subarray(0, 1 << 20), resolve));
  t.teardown(() => {
    download?.destroy();
    upload.destroy();
  });
  return { daemon, file, download: download!, upload, rest: file.subarray(1 << 20), target };
}

const refusedConnection = async (port: number): Promise<unknown> => {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return 'connected';
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code;
  } finally {
    socket.destroy();
  }
};

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal}: nobody new is let in, running transfers finish`, async (t) => {
    const { daemon, file, download, upload, rest, target } = await busyDaemon(t);
    const exit = daemon.kill(signal);
    await daemon.logged('stopping');
    t.is(await refusedConnection(daemon.port), 'ECONNREFUSED');

    t.is(sha1(await buffer(download)), sha1(file));
    upload.end(rest);
    const [answer]: IncomingMessage[] = await once(upload, 'response');
    t.is(answer?.statusCode, 200);
    await buffer(answer!);
    const { code, stderr } = await exit;
    t.is(code, 0);
    t.notRegex(stderr, /"level":[56]0/);

    const again = await startDaemon(t, { data: daemon.data });
    const { json } = await again.ask('GET', `/images/${target}`, { as: 'admin' });
    t.deepEqual(json.files, [{ sha1: sha1(file), size: file.length, compression: 'none' }]);
  });
}

test('what has not finished when the grace time is over is cut, and leaves nothing', async (t) => {
  const { daemon, download, upload, target } = await busyDaemon(t, { shutdownGrace: 0 });
  const cut = once(upload, 'error');
  const { code, stderr } = await daemon.kill('SIGTERM');
  t.is(code, 0, stderr);
  await cut;
  // not read before: who reads fast might have all of it by the time the daemon hears of the signal
  await t.throwsAsync(buffer(download));

  t.deepEqual(await readdir(join(daemon.data, 'files', 'tmp')), []);
  t.is((await filesBelow(join(daemon.data, 'files', 'blobs'))).length, 2);
  const again = await startDaemon(t, { data: daemon.data });
  const { bytes } = await again.ask('GET', `/images/${target}/file`, { as: 'admin' });
  t.is(bytes.toString(), 'the earlier file');
});

test('a signal that npm passes on once more cuts nothing', async (t) => {
  const { daemon, file, download, upload, rest } = await busyDaemon(t);
  const exit = daemon.kill('SIGINT');
  await daemon.logged('stopping');
  daemon.child.kill('SIGINT');

  t.is(sha1(await buffer(download)), sha1(file));
  upload.end(rest);
  const [answer]: IncomingMessage[] = await once(upload, 'response');
  t.is(answer?.statusCode, 200);
  await buffer(answer!);
  t.is((await exit).code, 0);
});

test('a signal that insists ends at once what the first one lets finish', async (t) => {
  const { daemon } = await busyDaemon(t);
  const exit = daemon.kill('SIGTERM');
  await daemon.logged('stopping');
  while (daemon.child.kill('SIGTERM')) await setImmediate();
  const { signal } = await exit;
  t.is(signal, 'SIGTERM');
  await startDaemon(t, { data: daemon.data });
});

test('connections on which nothing was asked do not hold up a stop', async (t) => {
  const daemon = await startDaemon(t);
  const sent = ['', 'GET /ping HTTP/1.1\r\nHost: ', 'GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n'];
  const sockets = sent.map((text) => {
    const socket = connect(daemon.port, '127.0.0.1').on('error', () => {});
    t.teardown(() => socket.destroy());
    socket.write(text);
    return socket;
  });
  await once(sockets[2]!, 'data');
  await daemon.ask('GET', '/ping'); // the others have been accepted before
  const start = performance.now();
  t.is((await daemon.kill('SIGTERM')).code, 0);
  t.true(performance.now() - start < 15_000, 'not after the grace time of 30 seconds');
});

test('told in one line: a data directory in which a file is in the way', async (t) => {
  const data = join(await scratch(t), 'data');
  await mkdir(data);
  await writeFile(join(data, 'catalog'), 'in the way');
  const { code, stdout, stderr } = await launch(t, ['--port', '0', '--data', data]).exited;
  t.is(code, 1);
  t.is(stdout, '');
  t.regex(stderr, /^slipway: [^\n]+data\/catalog[^\n]*\n$/);
});
