import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type FSWatcher, statSync, watch } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { anImage, cli, sharedDaemon } from '../support/cli.js';
import { cuttingProxy } from '../support/cutting-proxy.js';
import { isMet, mount, unmount } from '../support/needs.js';
import { type Reply, remote } from '../support/remote.js';
import { scratch } from '../support/scratch.js';

const daemon = sharedDaemon(test);
const asAdmin = () => ({ SLIPWAY_URL: daemon().url, SLIPWAY_TOKEN: daemon().token });

const MIB = 1024 ** 2;
const sha1Of = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');

/** An image with a file of some MiB. */
async function large(name: string) {
  const bytes = randomBytes(5 * MIB);
  const { json } = await daemon().ask('POST', '/images', { body: { name, version: '1', os: 'other', type: 'other' } });
  await daemon().ask('PUT', `/images/${json.uuid}/file?compression=none`, { body: bytes });
  return { uuid: json.uuid, bytes, file: `${name}-1.img`, partial: `${name}-1.img.partial` };
}

/** Equal bytes; a difference of megabytes is nothing to print. */
async function isSame(t: ExecutionContext, path: string, bytes: Buffer): Promise<void> {
  t.true(bytes.equals(await readFile(path)), path);
}

/** The file has come so far. */
async function grown(directory: string, file: string, size: number): Promise<void> {
  let watcher: FSWatcher | undefined;
  try {
    await new Promise<void>((resolve) => {
      const look = () => {
        if ((statSync(join(directory, file), { throwIfNoEntry: false })?.size ?? 0) >= size) resolve();
      };
      watcher = watch(directory, look);
      look();
    });
  } finally {
    watcher?.close();
  }
}

// --- what works

test('download fetches the file under the name of its image, once', async (t) => {
  const { bytes, file } = await large('fetched');
  const { run, home } = await cli(t, asAdmin());
  t.deepEqual(await run(['download', 'fetched']), { code: 0, signal: null, stdout: `${file}\n`, stderr: '' });
  await isSame(t, join(home, file), bytes);
  t.deepEqual(await readdir(home), [file]);

  const again = await run(['download', 'fetched', '--json']);
  t.is(again.code, 0, again.stderr);
  t.is(again.stderr, `slipway: ${file} is there already, whole\n`);
  t.like(JSON.parse(again.stdout), { file, size: bytes.length, sha1: sha1Of(bytes) });
});

test('download writes into a file or a directory, and the manifest beside it', async (t) => {
  const { uuid } = await anImage(daemon(), { name: 'placed', type: 'zone-dataset', os: 'smartos' });
  const { run, home } = await cli(t, asAdmin());
  await mkdir(join(home, 'images'));
  t.is((await run(['download', 'placed', '-O', 'images', '--manifest'])).stdout, 'images/placed-1.0.0.zfs\n');
  t.deepEqual((await readdir(join(home, 'images'))).sort(), ['placed-1.0.0.manifest', 'placed-1.0.0.zfs']);
  const manifest = JSON.parse(await readFile(join(home, 'images', 'placed-1.0.0.manifest'), 'utf8'));
  t.like(manifest, { v: 2, uuid, name: 'placed', version: '1.0.0', type: 'zone-dataset', os: 'smartos' });

  t.is((await run(['download', 'placed', '-O', 'other.zfs', '--manifest'])).stdout, 'other.zfs\n');
  t.is(await readFile(join(home, 'other.zfs'), 'utf8'), 'the bytes');
  t.true((await readdir(home)).includes('other.manifest'));
});

test('download writes to standard output, and to nobody who has enough', async (t) => {
  const { uuid, bytes } = await large('streamed');
  const { run, start, home } = await cli(t, asAdmin());
  const out = await open(join(home, 'out'), 'w');
  t.like(await run(['download', uuid, '-O', '-'], { stdout: out.fd }), { code: 0, stderr: '' });
  await out.close();
  await isSame(t, join(home, 'out'), bytes);

  const { child, exited } = start(['download', uuid, '-O', '-']);
  child.stdout?.destroy();
  t.like(await exited, { code: 0, stderr: '' });
});

test('an image of a name that leads elsewhere stays in the directory', async (t) => {
  const uuid = randomUUID();
  const files = [{ sha1: sha1Of(Buffer.from('x')), size: 1, compression: 'none' }];
  const { url } = await remote(t, {
    [`GET /images/${uuid}`]: { uuid, name: '../../evil', version: '/1\u001b[2J', files },
    [`GET /images/${uuid}/file`]: (_, response) => response.end('x'),
  });
  const { run, home } = await cli(t, { SLIPWAY_URL: url });
  await mkdir(join(home, 'a'));
  t.is((await run(['download', uuid], { cwd: join(home, 'a') })).stdout, '__.._evil-_1__2J.img\n');
  t.deepEqual(await readdir(home), ['a']);
});

// --- what is in the way

test('a file that is something else stays, unless it is to be replaced', async (t) => {
  await anImage(daemon(), { name: 'occupied' });
  const { run, home } = await cli(t, asAdmin());
  const file = join(home, 'occupied-1.0.0.img');
  for (const content of ['precious', 'the  byte']) {
    await writeFile(file, content);
    const { code, stdout, stderr } = await run(['download', 'occupied']);
    t.is(code, 1);
    t.is(stdout, '');
    t.is(
      stderr,
      'slipway: occupied-1.0.0.img exists already, and is something else\nhint: write elsewhere with -O, or replace it with --force\n',
    );
    t.is(await readFile(file, 'utf8'), content);
  }
  t.is((await run(['download', 'occupied', '--force'])).code, 0);
  t.is(await readFile(file, 'utf8'), 'the bytes');

  await writeFile(join(home, 'occupied-1.0.0.manifest'), '{}');
  const manifest = await run(['download', 'occupied', '--manifest']);
  t.is(manifest.code, 1);
  t.is(await readFile(join(home, 'occupied-1.0.0.manifest'), 'utf8'), '{}');
  t.deepEqual((await readdir(home)).sort(), ['occupied-1.0.0.img', 'occupied-1.0.0.manifest']);
});

test('download writes to ordinary files only', async (t) => {
  await anImage(daemon(), { name: 'ordinary' });
  const { run, home } = await cli(t, asAdmin());
  for (const args of [[], ['--force']]) {
    const { code, stderr } = await run(['download', 'ordinary', '-O', '/dev/null', ...args]);
    t.is(code, 1);
    t.regex(stderr, /\/dev\/null is no ordinary file\nhint: /);
  }
  t.true((await stat('/dev/null')).isCharacterDevice());

  await writeFile(join(home, 'precious'), 'mine');
  await symlink('precious', join(home, 'x.img.partial'));
  t.is((await run(['download', 'ordinary', '-O', 'x.img'])).code, 1);
  t.is(await readFile(join(home, 'precious'), 'utf8'), 'mine', 'a link in the place of the partial file leads nowhere');

  const nowhere = await run(['download', 'ordinary', '-O', 'nowhere/x.img']);
  t.is(nowhere.code, 1);
  t.regex(nowhere.stderr, /nowhere\/x\.img.* does not exist/);
  const beside = await run(['download', 'ordinary', '-O', '-', '--manifest']);
  t.is(beside.code, 1);
  t.is(beside.stdout, '');
});

test('an image without a file is refused', async (t) => {
  const { run, home } = await cli(t, asAdmin());
  await run(['create', '--name', 'fileless', '--version', '1', '--os', 'other', '--type', 'other']);
  const { code, stderr } = await run(['download', 'fileless']);
  t.is(code, 1);
  t.is(stderr, 'slipway: fileless@1 has no file\n');
  t.deepEqual(await readdir(home), []);
});

// --- connections that break

test('a connection that is cut is made again, and goes on where it was', async (t) => {
  const { bytes, file } = await large('cut');
  const way = await cuttingProxy(t, daemon().port, (broken) => (broken < 3 ? { down: MIB } : {}));
  const { run, home } = await cli(t, { ...asAdmin(), SLIPWAY_URL: way.url });
  const { code, stdout, stderr } = await run(['download', 'cut']);
  t.is(code, 0, stderr);
  t.is(stdout, `${file}\n`);
  t.is(stderr.match(/; going on$/gm)?.length, 3);
  await isSame(t, join(home, file), bytes);
  t.true(way.down() < bytes.length + MIB, 'hardly anything came twice');
});

test('standard output gets every byte once, over several connections', async (t) => {
  const { uuid, bytes } = await large('cut-stream');
  const way = await cuttingProxy(t, daemon().port, (broken) => (broken < 2 ? { down: MIB } : {}));
  const { run, home } = await cli(t, { ...asAdmin(), SLIPWAY_URL: way.url });
  const out = await open(join(home, 'out'), 'w');
  t.is((await run(['download', uuid, '-O', '-', '--quiet'], { stdout: out.fd })).code, 0);
  await out.close();
  await isSame(t, join(home, 'out'), bytes);
});

test('where the server stays away, the next run goes on', async (t) => {
  const { bytes, file, partial } = await large('away');
  const way = await cuttingProxy(t, daemon().port, (broken) => ({ down: broken === 0 ? 2 * MIB : 0 }));
  const { run, home } = await cli(t, asAdmin());
  const { code, stdout, stderr } = await run(['download', 'away'], { env: { SLIPWAY_URL: way.url } });
  t.is(code, 3);
  t.is(stdout, '');
  t.regex(stderr, /away-1\.img\.partial keeps [12]\.\d MiB of 5\.0 MiB: the same command goes on from there\n/);
  t.deepEqual(await readdir(home), [partial]);

  const whole = await cuttingProxy(t, daemon().port);
  t.is((await run(['download', 'away'], { env: { SLIPWAY_URL: whole.url } })).code, 0);
  await isSame(t, join(home, file), bytes);
  t.deepEqual(await readdir(home), [file]);
  t.true(whole.down() < 4 * MIB, 'only the rest came');
});

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`a download that ${signal} stops goes on with the next run, to the same bytes`, async (t) => {
    const { uuid, bytes, file, partial } = await large(`stopped-${signal.toLowerCase()}`);
    const way = await cuttingProxy(t, daemon().port, () => ({ down: 2 * MIB, end: 'hold' }));
    const { run, start, home } = await cli(t, asAdmin());
    const { child, exited } = start(['download', uuid], { env: { SLIPWAY_URL: way.url } });
    await grown(home, partial, MIB);
    child.kill(signal);
    const { code, stderr } = await exited;
    t.is(code, signal === 'SIGINT' ? 5 : null);
    if (signal === 'SIGINT') t.regex(stderr, /the same command goes on from there\nslipway: interrupted by SIGINT\n$/);
    t.deepEqual(await readdir(home), [partial]);

    const whole = await cuttingProxy(t, daemon().port);
    t.is((await run(['download', uuid], { env: { SLIPWAY_URL: whole.url } })).code, 0);
    await isSame(t, join(home, file), bytes);
    t.true(whole.down() < 4.5 * MIB, 'only the rest came');
  });
}

// --- what is left from another time

const leftovers: [what: string, content: (bytes: Buffer) => Buffer, note: RegExp][] = [
  [
    'of another file',
    () => Buffer.alloc(MIB, 'x'),
    /partial was not of this image: its file is fetched from the begin/,
  ],
  ['longer than the file', (bytes) => Buffer.concat([bytes, Buffer.from('x')]), /^$/],
  ['of another file, as long', (bytes) => Buffer.alloc(bytes.length), /partial was not of this image/],
  ['that only lacks its name', (bytes) => bytes, /^$/],
  ['that is empty', () => Buffer.alloc(0), /^$/],
];

for (const [what, content, note] of leftovers) {
  test(`a partial file ${what} does no harm`, async (t) => {
    const { uuid, bytes, file, partial } = await large(`left-${randomUUID()}`);
    const { run, home } = await cli(t, asAdmin());
    await writeFile(join(home, partial), content(bytes));
    const { code, stderr } = await run(['download', uuid]);
    t.is(code, 0);
    t.regex(stderr, note);
    await isSame(t, join(home, file), bytes);
    t.deepEqual(await readdir(home), [file]);
  });
}

// --- servers that send something else

const CONTENT = Buffer.from('0123456789');
const RANGE = { 'content-range': 'bytes 2-9/10' };

const liars: [what: string, reply: Reply, message: RegExp][] = [
  ['other bytes', (_, res) => res.end('0123456780'), /has the sha1 [0-9a-f]{40}, but the manifest says/],
  ['too few bytes', (_, res) => res.end('01234'), /the server sends 5 of the 10 bytes/],
  ['too many bytes', (_, res) => res.end('0123456789abc'), /more than the 10 bytes/],
  ['another part', (_, res) => res.writeHead(206, RANGE).end('23456789'), /another part of the file/],
  ['a part of nothing', (_, res) => res.writeHead(206).end('0123456789'), /another part of the file/],
  ['a page', (_, res) => res.writeHead(502).end('<html>'), /answered 502/],
];

async function liar(t: ExecutionContext, reply: Reply) {
  const uuid = randomUUID();
  const files = [{ sha1: sha1Of(CONTENT), size: CONTENT.length, compression: 'none' }];
  const image = { uuid, name: 'lie', version: '1', files };
  return { uuid, ...(await remote(t, { [`GET /images/${uuid}`]: image, [`GET /images/${uuid}/file`]: reply })) };
}

for (const [what, reply, message] of liars) {
  test(`a server that sends ${what} is found out, and nothing of it stays`, async (t) => {
    const { uuid, url } = await liar(t, reply);
    const { run, home } = await cli(t, { SLIPWAY_URL: url });
    const { code, stdout, stderr } = await run(['download', uuid]);
    t.is(code, 2);
    t.is(stdout, '');
    t.regex(stderr, message);
    t.deepEqual(await readdir(home), []);
    t.is((await run(['download', uuid, '-O', '-'])).code, 2);
  });
}

test('a server that knows no ranges sends all again, and what is there is not written twice', async (t) => {
  let times = 0;
  const { uuid, url, asked } = await liar(t, (_, response) => {
    times += 1;
    response.writeHead(200, { 'content-length': CONTENT.length });
    if (times > 1) response.end(CONTENT);
    else response.write(CONTENT.subarray(0, 4), () => response.destroy());
  });
  const { run, home } = await cli(t, { SLIPWAY_URL: url });
  t.is((await run(['download', uuid])).code, 0);
  t.deepEqual(await readFile(join(home, 'lie-1.img')), CONTENT);
  t.is(asked.filter((line) => line.endsWith('/file')).length, 2);
});

test('a body without a length that ends early was cut: what there is stays, and it goes on there', async (t) => {
  const { uuid, url, asked } = await liar(t, ({ headers, socket }) => {
    const from = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
    const status = from === 0 ? '200 OK' : `206 Partial Content\r\ncontent-range: bytes ${from}-9/10`;
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n\r\n${CONTENT.subarray(from, from + 4)}`);
  });
  const { run, home } = await cli(t, { SLIPWAY_URL: url });
  const { code, stderr } = await run(['download', uuid]);
  t.is(code, 0, stderr);
  t.is(stderr.match(/: the connection was cut; going on$/gm)?.length, 2);
  t.deepEqual(await readFile(join(home, 'lie-1.img')), CONTENT);
  t.is(asked.filter((line) => line.endsWith('/file')).length, 3);
});

// --- a disk that is full

const needs = 'root, to mount a tmpfs';
const withDisk = isMet[needs] ? test : test.skip;

withDisk(`a full disk keeps what there is, and the next run goes on (needs ${needs})`, async (t) => {
  const { uuid, bytes, file, partial } = await large('full');
  const disk = join(await scratch(t), 'disk');
  await mkdir(disk);
  t.true(mount(disk, '6m'));
  t.teardown(() => unmount(disk));
  await writeFile(join(disk, 'ballast'), Buffer.alloc(3 * MIB));
  const { run } = await cli(t, asAdmin());
  const { code, stdout, stderr } = await run(['download', uuid], { cwd: disk });
  t.is(code, 1);
  t.is(stdout, '');
  t.regex(stderr, /partial keeps .* MiB of 5\.0 MiB: .*\nslipway: full-1\.img\.partial: no space left on the device\n/);
  t.deepEqual((await readdir(disk)).sort(), ['ballast', partial]);

  await rm(join(disk, 'ballast'));
  const way = await cuttingProxy(t, daemon().port);
  t.is((await run(['download', uuid], { cwd: disk, env: { SLIPWAY_URL: way.url } })).code, 0);
  await isSame(t, join(disk, file), bytes);
  t.true(way.down() < 3 * MIB, 'only the rest came');
});
