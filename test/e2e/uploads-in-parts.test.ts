import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause, setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type HttpRequest, Upload, type UploadOptions } from 'tus-js-client';
import { Random } from '../imgapi/random.js';
import { cli } from '../support/cli.js';
import { cuttingProxy } from '../support/cutting-proxy.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { scratch } from '../support/scratch.js';

/** Printed, so that what fails can be met again. */
const SEED = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
const MIB = 1024 ** 2;
const NOBODY = '00000000-0000-0000-0000-000000000000';
const KIND = ['--os', 'other', '--type', 'other'];

/** A file of so many random bytes, and its sha256. */
async function large(path: string, size: number): Promise<string> {
  const sha256 = createHash('sha256');
  const file = await open(path, 'wx');
  for (let left = size; left > 0; left -= MIB) {
    const bytes = randomBytes(Math.min(left, MIB));
    sha256.update(bytes);
    await file.write(bytes);
  }
  await file.close();
  return sha256.digest('hex');
}

async function holds(t: ExecutionContext, { ask, data }: Daemon, uuid: string, sha256: string) {
  const file = await ask('GET', `/images/${uuid}/file`, { as: 'admin' });
  t.is(createHash('sha256').update(file.bytes).digest('hex'), sha256);
  t.deepEqual(await readdir(join(data, 'files', 'tmp')), []);
}

const listed = async ({ ask }: Daemon) =>
  (await ask('GET', '/api/upload', { as: 'admin' })).json.result as {
    id: string;
    image: string;
    offset: number;
    status: string;
  }[];

/** So many bytes of the only upload have come: what still lies in buffers is lost with its connection. */
async function hasCome(daemon: Daemon, bytes: number): Promise<void> {
  while (((await listed(daemon))[0]?.offset ?? 0) < bytes) await pause(20);
}

test('200 MB arrive whole though the connection is cut and the daemon killed, sent less than 1.2 times', async (t) => {
  const data = join(await scratch(t), 'data');
  let daemon = await startDaemon(t, { data });
  const way = await cuttingProxy(
    t,
    () => daemon.port,
    (broken) => (broken === 3 ? { up: 30 * MIB, end: 'hold' } : broken < 6 ? { up: 30 * MIB } : {}),
  );
  const { start, home } = await cli(t, { SLIPWAY_URL: way.url, SLIPWAY_TOKEN: daemon.token });
  const size = 200 * MIB;
  const sha256 = await large(join(home, 'large'), size);
  const { exited } = start(['upload', 'large', '--name', 'large', '--version', '1', ...KIND]);
  await way.held;
  await daemon.kill('SIGKILL');
  daemon = await startDaemon(t, { data });
  const { code, stdout, stderr } = await exited;
  t.is(code, 0, stderr);
  t.regex(stderr, /going on/);
  t.is(way.broken(), 6);
  t.true(way.up() < 1.2 * size, `${way.up()} bytes for ${size}`);
  t.log(`${(way.up() / size).toFixed(3)} times the bytes`);
  const { json } = await daemon.ask('GET', `/images/${stdout.trim()}`, { as: 'admin' });
  t.like(json, { state: 'active', files: [{ size }] });
  await holds(t, daemon, stdout.trim(), sha256);
});

test('the same command goes on after Ctrl-C', async (t) => {
  const daemon = await startDaemon(t);
  const way = await cuttingProxy(t, daemon.port, (broken) => (broken === 0 ? { up: 20 * MIB, end: 'hold' } : {}));
  const { start, run, home } = await cli(t, { SLIPWAY_URL: way.url, SLIPWAY_TOKEN: daemon.token });
  const size = 32 * MIB;
  const sha256 = await large(join(home, 'large'), size);
  const uuid = (await run(['create', '--name', 'large', '--version', '1', ...KIND])).stdout.trim();
  const args = ['upload', 'large', '--uuid', uuid];
  const { child, exited } = start(args);
  await way.held;
  await hasCome(daemon, 19 * MIB);
  child.kill('SIGINT');
  const first = await exited;
  t.is(first.code, 5);
  t.regex(first.stderr, /what was sent stays/);
  t.like((await listed(daemon))[0], { image: uuid });
  t.deepEqual((await daemon.ask('GET', `/images/${uuid}`, { as: 'admin' })).json.files, []);
  const before = way.up();
  const second = await run(args);
  t.is(second.code, 0, second.stderr);
  t.true(way.up() - before < 18 * MIB, `${way.up() - before} bytes`);
  await holds(t, daemon, uuid, sha256);
  t.deepEqual(
    (await listed(daemon)).map(({ status }) => status),
    ['attached'],
  );
});

test('killed at random moments it arrives whole, or says why not, and nothing stays half there', async (t) => {
  const data = join(await scratch(t), 'data');
  let daemon = await startDaemon(t, { data });
  const size = 16 * MIB;
  t.log(`CRASH_SEED=${SEED}`);
  const random = new Random(SEED);
  const moments = Array.from({ length: 6 }, () =>
    random.chance(50) ? { up: 1 + random.below(size) } : { down: 1 + random.below(6000) },
  );
  const way = await cuttingProxy(
    t,
    () => daemon.port,
    (broken) => (moments[broken] ? { ...moments[broken], end: 'hold' } : {}),
  );
  const { start, home } = await cli(t, { SLIPWAY_TOKEN: daemon.token });
  const { run } = await cli(t, { SLIPWAY_TOKEN: daemon.token });
  const sha256 = await large(join(home, 'large'), size);
  const created = ['create', '--name', 'large', '--version', '1', ...KIND];
  const uuid = (await run(created, { env: { SLIPWAY_URL: daemon.url } })).stdout.trim();
  let done = false;
  const uploading = (async () => {
    for (;;) {
      const { code, stderr } = await start(['upload', 'large', '--uuid', uuid, '--no-activate'], {
        env: { SLIPWAY_URL: way.url },
      }).exited;
      // what fails at its first word is no upload yet: who types it tries again
      if (code === 0) return;
      t.is(code, 3, stderr);
    }
  })().finally(() => {
    done = true;
  });
  for (let killed = 0; killed < moments.length && !done; killed += 1) {
    while (way.broken() <= killed && !done) await setImmediate();
    if (done) break;
    await daemon.kill('SIGKILL');
    daemon = await startDaemon(t, { data });
  }
  await uploading;
  t.like((await daemon.ask('GET', `/images/${uuid}`, { as: 'admin' })).json, {
    state: 'unactivated',
    files: [{ size }],
  });
  await holds(t, daemon, uuid, sha256);
  t.deepEqual(
    (await listed(daemon)).filter(({ status }) => status !== 'attached'),
    [],
  );
});

test('what was left behind is seen, and can be ended', async (t) => {
  const daemon = await startDaemon(t);
  const way = await cuttingProxy(t, daemon.port, () => ({ up: 4 * MIB, end: 'hold' }));
  const { start, run, home } = await cli(t, { SLIPWAY_URL: daemon.url, SLIPWAY_TOKEN: daemon.token });
  await large(join(home, 'large'), 8 * MIB);
  const uuid = (await run(['create', '--name', 'large', '--version', '1', ...KIND])).stdout.trim();
  const { child, exited } = start(['upload', 'large', '--uuid', uuid], { env: { SLIPWAY_URL: way.url } });
  await way.held;
  child.kill('SIGINT');
  await exited;
  const { stdout } = await run(['uploads', 'list', '--no-header']);
  const [id = '', image, , offset, size] = stdout.trim().split(/\s+/);
  t.deepEqual([image, Number(size)], [uuid, 8 * MIB]);
  t.true(Number(offset) > 0);
  t.is((await run(['uploads', 'end', id])).stdout, `upload ${id} has ended\n`);
  t.is((await run(['uploads', 'list', '--no-header'])).stdout, '');
  t.deepEqual(await readdir(join(daemon.data, 'files', 'tmp')), []);
  const again = await run(['uploads', 'end', id]);
  t.is(again.code, 1);
  t.regex(again.stderr, /there is no upload/);
});

test('a daemon that is stopped keeps what has come, and another that begins goes on', async (t) => {
  const data = join(await scratch(t), 'data');
  let daemon = await startDaemon(t, { data, config: { shutdownGrace: 0 } });
  const way = await cuttingProxy(
    t,
    () => daemon.port,
    (broken) => (broken === 0 ? { up: 14 * MIB, end: 'hold' } : {}),
  );
  const { start, home } = await cli(t, { SLIPWAY_URL: way.url, SLIPWAY_TOKEN: daemon.token });
  const sha256 = await large(join(home, 'large'), 16 * MIB);
  const { exited } = start(['upload', 'large', '--name', 'large', '--version', '1', ...KIND, '-q']);
  await way.held;
  await hasCome(daemon, 13 * MIB);
  t.is((await daemon.kill('SIGTERM')).code, 0);
  daemon = await startDaemon(t, { data });
  const { code, stdout, stderr } = await exited;
  t.is(code, 0, stderr);
  t.is(stderr, '', 'quiet is quiet');
  // what lay in buffers of the kernel is lost with the connection
  t.true(way.up() < 24 * MIB, `${way.up()} bytes`);
  await holds(t, daemon, stdout.trim(), sha256);
});

test('servers of all modes take files in parts; without credentials they come in one go', async (t) => {
  for (const mode of ['public', 'private']) {
    const daemon = await startDaemon(t, { config: { mode, authType: 'none' } });
    for (const token of [daemon.token, undefined]) {
      const { run, home } = await cli(t, {
        SLIPWAY_URL: daemon.url,
        ...(token !== undefined && { SLIPWAY_TOKEN: token }),
      });
      await writeFile(join(home, 'file'), 'the bytes');
      const args = ['--name', 'x', '--version', '1', ...KIND, `--${mode}`, '--owner', NOBODY];
      const { code, stdout, stderr } = await run(['upload', 'file', ...args]);
      t.is(code, 0, stderr);
      t.is(String((await daemon.ask('GET', `/images/${stdout.trim()}/file`)).bytes), 'the bytes');
    }
    t.is((await listed(daemon)).length, 1);
  }
});

// --- as the client of the protocol's own people does it

interface Sent {
  requests: string[];
  url: string | null;
}

function sendWithTus(
  daemon: Daemon,
  url: string,
  path: string,
  metadata: Record<string, string>,
  more: Partial<UploadOptions> = {},
) {
  const requests: string[] = [];
  return new Promise<Sent>((resolve, reject) => {
    const upload = new Upload(createReadStream(path), {
      endpoint: `${url}/api/upload`,
      headers: { authorization: `Bearer ${daemon.token}` },
      metadata,
      retryDelays: [0, 50, 100, 200, 400, 800],
      onBeforeRequest: (request: HttpRequest) => void requests.push(`${request.getMethod()} ${request.getURL()}`),
      onError: reject,
      onSuccess: () => resolve({ requests, url: upload.url }),
      ...more,
    });
    upload.start();
  });
}

test('tus-js-client uploads in parts and in one go, and over a connection that is cut', async (t) => {
  const daemon = await startDaemon(t);
  const directory = await scratch(t);
  const path = join(directory, 'file');
  const size = 6 * MIB + 17;
  const sha256 = await large(path, size);
  const ways: [what: string, options: Partial<UploadOptions>, up?: number][] = [
    ['in parts', { chunkSize: MIB }],
    ['in one go', {}],
    ['with its creation', { uploadDataDuringCreation: true, chunkSize: 4 * MIB }],
    ['with cuts', {}, 3 * MIB],
    ['in parts with cuts', { chunkSize: 2 * MIB }, 3 * MIB],
  ];
  for (const [what, options, up] of ways) {
    const { json } = await daemon.ask('POST', '/images', {
      body: { name: 'tus', version: '1', os: 'other', type: 'other', public: true },
    });
    const way = await cuttingProxy(t, daemon.port, (broken) => (up !== undefined && broken < 2 ? { up } : {}));
    const metadata = { image: json.uuid, sha256, compression: 'none', filename: 'file', filetype: 'x/y' };
    const { requests } = await sendWithTus(daemon, way.url, path, metadata, { uploadSize: size, ...options });
    t.is(requests[0], `POST ${way.url}/api/upload`, what);
    if (up !== undefined)
      t.true(
        requests.some((request) => request.startsWith('HEAD ')),
        what,
      );
    t.true(way.up() < 1.2 * size + (up ?? 0), what);
    await holds(t, daemon, json.uuid, sha256);
  }
});

test('tus-js-client is told what is wrong', async (t) => {
  const daemon = await startDaemon(t);
  const path = join(await scratch(t), 'file');
  await large(path, 1000);
  const { json } = await daemon.ask('POST', '/images', {
    body: { name: 'tus', version: '1', os: 'other', type: 'other', public: true },
  });
  const metadata = { image: json.uuid, sha256: 'a'.repeat(64), compression: 'none' };
  const failed = await t.throwsAsync(sendWithTus(daemon, daemon.url, path, metadata, { uploadSize: 1000 }));
  t.regex(
    String(failed?.message),
    /response code: 400, response text: .*sha256 is [0-9a-f]{64} where a{64} was expected/s,
  );
  t.deepEqual(await listed(daemon), []);
});
