import { execFileSync } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { Interrupted } from '../../cli/errors.js';
import { run as runHere } from '../../cli/run.js';
import { cli, sharedDaemon } from '../support/cli.js';
import { cuttingProxy } from '../support/cutting-proxy.js';
import { startDaemon } from '../support/daemon.js';
import { gate } from '../support/gate.js';
import { remote } from '../support/remote.js';
import { terminal } from '../support/terminal.js';

const daemon = sharedDaemon(test);
const asAdmin = () => ({ SLIPWAY_URL: daemon().url, SLIPWAY_TOKEN: daemon().token });

const imageOf = async (uuid: string) => (await daemon().ask('GET', `/images/${uuid}`, { as: 'admin' })).json;
const bytesOf = async (uuid: string) => (await daemon().ask('GET', `/images/${uuid}/file`, { as: 'admin' })).bytes;
/** Every image of this name, whatever its state. */
const called = async (name: string) =>
  (await daemon().ask('GET', `/images?state=all&name=${name}`, { as: 'admin' })).list;

const KIND = ['--os', 'other', '--type', 'other'];
const MIB = 1024 ** 2;
const sha1Of = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');

// --- what works

test('upload makes an active image of a file, after whose name it is called', async (t) => {
  const { run, home } = await cli(t, asAdmin());
  const bytes = gzipSync(randomBytes(3 * MIB));
  await writeFile(join(home, 'file-of-1.0.0.zfs.gz'), bytes);
  const { code, stdout, stderr } = await run(['upload', 'file-of-1.0.0.zfs.gz', ...KIND]);
  t.is(code, 0);
  t.regex(stdout, /^[0-9a-f-]{36}\n$/);
  t.is(stderr, 'slipway: the image is file-of@1.0.0, after the name of its file\n');
  const uuid = stdout.trim();
  const files = [{ sha1: sha1Of(bytes), size: bytes.length, compression: 'gzip' }];
  t.like(await imageOf(uuid), { name: 'file-of', version: '1.0.0', state: 'active', files });
  t.true(bytes.equals(await bytesOf(uuid)));
});

test('upload reads standard input, and tells by the bytes how they are compressed', async (t) => {
  const { run } = await cli(t, asAdmin());
  const input = gzipSync(randomBytes(2 * MIB));
  const args = ['upload', '-', '--name', 'piped', '--version', '1', ...KIND, '--dataset-guid', '77', '--json'];
  const { stdout, stderr } = await run(args, { input });
  t.is(stderr, '');
  const files = [{ sha1: sha1Of(input), size: input.length, compression: 'gzip', dataset_guid: '77' }];
  t.like(JSON.parse(stdout), { name: 'piped', state: 'active', files });
  t.true(input.equals(await bytesOf(JSON.parse(stdout).uuid)));
});

test('upload takes one byte, and what is read like a pipe', async (t) => {
  const { run, home } = await cli(t, asAdmin());
  const args = ['--name', 'small', '--version', '1', ...KIND, '-q'];
  const one = await run(['upload', '-', ...args], { input: 'x' });
  t.deepEqual(await bytesOf(one.stdout.trim()), Buffer.from('x'));
  execFileSync('mkfifo', [join(home, 'pipe')]);
  const [pipe] = await Promise.all([run(['upload', 'pipe', ...args]), writeFile(join(home, 'pipe'), 'from a pipe')]);
  t.deepEqual(await bytesOf(pipe.stdout.trim()), Buffer.from('from a pipe'));
});

test('upload gives an image that is there its file, and leaves it unactivated on request', async (t) => {
  const { run, home } = await cli(t, asAdmin());
  await writeFile(join(home, 'x'), 'the file');
  await run(['create', '--name', 'awaiting', '--version', '1', ...KIND]);
  const added = await run(['upload', 'x', '--uuid', 'awaiting@1', '--no-activate', '--compression', 'xz']);
  t.is(added.code, 0);
  const uuid = added.stdout.trim();
  t.like(await imageOf(uuid), { name: 'awaiting', state: 'unactivated', files: [{ compression: 'xz' }] });
  t.is(JSON.parse((await run(['upload', 'x', '--uuid', uuid, '--json'])).stdout).state, 'active');
  t.like(await imageOf(uuid), { state: 'active', files: [{ compression: 'none' }] });

  const late = await run(['upload', 'x', '--uuid', uuid]);
  t.is(late.code, 1);
  t.regex(late.stderr, /hint: make a new image/);
  const mixed = await run(['upload', 'x', '--uuid', uuid, '--name', 'y']);
  t.is(mixed.code, 1);
  t.regex(mixed.stderr, /hint: change its manifest with "slipway update/);
  t.like(await imageOf(uuid), { name: 'awaiting', state: 'active' });
});

test('what was downloaded with its manifest is the same image on another server', async (t) => {
  const guid = '4711';
  const bytes = randomBytes(1000);
  const from = await cli(t, asAdmin());
  const made = ['upload', '-', '--name', 'moving', '--version', '1', ...KIND, '--dataset-guid', guid];
  const uuid = (await from.run(made, { input: bytes })).stdout.trim();
  t.is((await from.run(['download', 'moving', '--manifest'])).stdout, 'moving-1.img\n');

  const other = await startDaemon(t);
  const env = { SLIPWAY_URL: other.url, SLIPWAY_TOKEN: other.token };
  const wrong = await from.run(['upload', '-', '-m', 'moving-1.manifest'], { env, input: randomBytes(1000) });
  t.is(wrong.code, 1);
  t.is((await other.ask('GET', `/images/${uuid}`, { as: 'admin' })).status, 404);

  const args = ['upload', 'moving-1.img', '-m', 'moving-1.manifest'];
  t.deepEqual(await from.run(args, { env }), { code: 0, signal: null, stdout: `${uuid}\n`, stderr: '' });
  const { published_at, files } = await imageOf(uuid);
  t.like((await other.ask('GET', `/images/${uuid}`, { as: 'admin' })).json, { published_at, files, state: 'active' });
  t.is(files?.[0]?.dataset_guid, guid);
});

test('a name that says more than the bytes is warned of', async (t) => {
  const { run, home } = await cli(t, asAdmin());
  await writeFile(join(home, 'odd-1.gz'), 'no gzip');
  const { code, stdout, stderr } = await run(['upload', 'odd-1.gz', ...KIND]);
  t.is(code, 0);
  t.regex(stderr, /warning: odd-1\.gz is called like a gzip file, but does not begin like one/);
  t.like(await imageOf(stdout.trim()), { files: [{ compression: 'gzip' }] });
});

test('progress shows on a terminal only', async (t) => {
  const { home } = await cli(t);
  await writeFile(join(home, 'x'), randomBytes(MIB));
  const at = terminal();
  const args = ['upload', join(home, 'x'), '--name', 'seen', '--version', '1', ...KIND];
  const env = { ...asAdmin(), HOME: home };
  t.is(await runHere(args, { io: at.io, env, signal: new AbortController().signal, version: '0' }), 0);
  t.true(at.err().endsWith('\r\x1b[K'), 'the line is gone at the end');
  t.regex(at.out(), /^[0-9a-f-]{36}\n$/);
});

// --- what is refused

const refusedFiles: [what: string, args: string[], message: RegExp][] = [
  ['that is not there', ['missing'], /^slipway: missing: does not exist\n/],
  ['that is a directory', ['directory'], /^slipway: directory is a directory\n/],
  ['that is empty', ['empty'], /^slipway: empty is empty\n/],
  ['that does not come', ['-'], /^slipway: standard input is empty\n/],
  ['with another sha1', ['file', '--sha1', 'a'.repeat(40)], /file has the sha1 [0-9a-f]{40}, not a{40}\nhint: /],
  ['with no sha1', ['file', '--sha1', 'abc'], /"abc" is no sha1\nhint: /],
  ['compressed by nobody knows what', ['file', '--compression', 'zip'], /Allowed choices are gzip, bzip2, xz, none/],
  ['beside a manifest from the same input', ['-', '-m', '-'], /one thing only can come from standard input/],
];

for (const [what, args, message] of refusedFiles) {
  test(`a file ${what} is refused, and leaves no image`, async (t) => {
    const { run, home } = await cli(t, asAdmin());
    await mkdir(join(home, 'directory'));
    await writeFile(join(home, 'empty'), '');
    await writeFile(join(home, 'file'), 'the bytes');
    const name = `refused-${randomUUID()}`;
    const { code, stdout, stderr } = await run(['upload', ...args, '--name', name, '--version', '1', ...KIND]);
    t.is(code, 1);
    t.is(stdout, '');
    t.regex(stderr, message);
    t.deepEqual(await called(name), []);
  });
}

test('standard input with another sha1 is refused by the server, and the image is deleted again', async (t) => {
  const { run } = await cli(t, asAdmin());
  const args = ['upload', '-', '--name', 'other-sum', '--version', '1', ...KIND, '--sha1', 'b'.repeat(40)];
  const { code, stdout, stderr } = await run(args, { input: 'the bytes' });
  t.is(code, 1);
  t.is(stdout, '');
  t.regex(stderr, /^slipway: image [0-9a-f-]{36} was deleted again\nslipway: .*sha1/);
  t.deepEqual(await called('other-sum'), []);
});

test('fields that are refused are named, and nothing was sent', async (t) => {
  const { run, home } = await cli(t, asAdmin());
  await writeFile(join(home, 'file'), 'the bytes');
  const { code, stderr } = await run(['upload', 'file', '--name', 'wrong-fields', '--version', 'a b']);
  t.is(code, 1);
  for (const field of ['version', 'os', 'type']) t.regex(stderr, new RegExp(`^ {2}${field}: `, 'm'));
  t.deepEqual(await called('wrong-fields'), []);
});

test('a file that the server does not take leaves no image, unless it is to be kept', async (t) => {
  const own = await startDaemon(t, { config: { maxFileSize: 1000 } });
  const { run, home } = await cli(t, { SLIPWAY_URL: own.url, SLIPWAY_TOKEN: own.token });
  await writeFile(join(home, 'large'), randomBytes(2 * MIB));
  const args = ['upload', 'large', '--name', 'large', '--version', '1', ...KIND];
  const all = async () => (await own.ask('GET', '/images?state=all', { as: 'admin' })).list;
  const gone = await run(args);
  t.is(gone.code, 1, gone.stderr);
  t.regex(gone.stderr, /2097152 bytes/);
  t.deepEqual(await all(), []);

  const kept = await run([...args, '--keep']);
  t.is(kept.code, 1);
  const [image] = await all();
  t.like(image, { name: 'large', state: 'unactivated', files: [] });
  t.true(kept.stderr.includes(`slipway upload FILE --uuid ${image?.uuid}`));
});

test('a server that has received something else gets no active image', async (t) => {
  const uuid = randomUUID();
  const manifest = { uuid, name: 'x', version: '1', state: 'unactivated' };
  const liar = await remote(t, {
    'POST /images': manifest,
    [`PUT /images/${uuid}/file`]: { ...manifest, files: [{ sha1: 'c'.repeat(40), size: 9, compression: 'none' }] },
    [`DELETE /images/${uuid}`]: {},
  });
  const { run } = await cli(t, { SLIPWAY_URL: liar.url });
  const { code, stdout, stderr } = await run(['upload', '-', '--name', 'x', '--version', '1'], { input: 'the bytes' });
  t.is(code, 2);
  t.is(stdout, '');
  t.regex(stderr, /the server has received 9 bytes with the sha1 c{40}, but 9 bytes with the sha1 [0-9a-f]{40} were/);
  t.deepEqual(
    liar.asked.map((line) => line.split('?')[0]),
    ['POST /images', `PUT /images/${uuid}/file`, `DELETE /images/${uuid}`],
  );
});

// --- what is cut off

test('Ctrl-C in the middle of an upload leaves no image, and the exit code is 5', async (t) => {
  const way = await cuttingProxy(t, daemon().port, () => ({ up: MIB, end: 'hold' }));
  const { start, home } = await cli(t, { ...asAdmin(), SLIPWAY_URL: way.url });
  await writeFile(join(home, 'large'), randomBytes(8 * MIB));
  const { child, exited } = start(['upload', 'large', '--name', 'interrupted', '--version', '1', ...KIND]);
  await way.held;
  t.is((await called('interrupted')).length, 1);
  child.kill('SIGINT');
  const { code, stdout, stderr } = await exited;
  t.is(code, 5);
  t.is(stdout, '');
  t.regex(
    stderr,
    /^slipway: image (\S{36}) is deleted again, unless you .*\nslipway: image \1 was deleted again\nslipway: interrupted by SIGINT\n/,
  );
  t.deepEqual(await called('interrupted'), []);
});

test('Ctrl-C while nothing comes from standard input leaves no image either', async (t) => {
  const { home } = await cli(t);
  const interrupt = new AbortController();
  const at = terminal();
  at.io.stdin.isTTY = false;
  const args = ['upload', '-', '--name', 'silent', '--version', '1', ...KIND];
  const env = { ...asAdmin(), HOME: home };
  const ended = runHere(args, { io: at.io, env, signal: interrupt.signal, version: '0' });
  at.press('a few bytes');
  while ((await called('silent')).length === 0);
  interrupt.abort(new Interrupted('SIGINT'));
  t.is(await ended, 5);
  t.regex(at.err(), /was deleted again/);
  t.deepEqual(await called('silent'), []);
});

test('Ctrl-C while the server makes the image waits for it, says so, and deletes it again', async (t) => {
  const uuid = randomUUID();
  const [asked, answered] = [gate(), gate()];
  const server = await remote(t, {
    'POST /images': async (_, response) => {
      asked.open();
      await answered.opened;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ uuid }));
    },
    [`DELETE /images/${uuid}`]: (_, response) => response.writeHead(204).end(),
  });
  const { home } = await cli(t);
  await writeFile(join(home, 'file'), 'bytes');
  const interrupt = new AbortController();
  const at = terminal();
  const args = ['upload', join(home, 'file'), '--name', 'early', '--version', '1', ...KIND, '--url', server.url];
  const ended = runHere(args, { io: at.io, env: { HOME: home }, signal: interrupt.signal, version: '0' });
  await asked.opened;
  interrupt.abort(new Interrupted('SIGINT'));
  t.regex(at.err(), /the image is being made: waiting to delete it again; .*"slipway list --state all"\n$/);
  answered.open();
  t.is(await ended, 5);
  t.regex(at.err(), new RegExp(`image ${uuid} was deleted again\n`));
  t.deepEqual(server.asked, ['POST /images', `DELETE /images/${uuid}?force_all_channels=true`]);
});

test('a connection that is cut in the middle of standard input leaves no image', async (t) => {
  const way = await cuttingProxy(t, daemon().port, () => ({ up: MIB }));
  const { run } = await cli(t, { ...asAdmin(), SLIPWAY_URL: way.url });
  const input = randomBytes(8 * MIB);
  const { code, stderr } = await run(['upload', '-', '--name', 'cut', '--version', '1', ...KIND], { input });
  t.is(code, 3, stderr);
  t.regex(stderr, /was deleted again/);
  t.deepEqual(await called('cut'), []);
});

test('where the server stays away, it is said what it still holds', async (t) => {
  const way = await cuttingProxy(t, daemon().port, (broken) => ({ up: broken === 0 ? MIB : 0 }));
  const { run } = await cli(t, { ...asAdmin(), SLIPWAY_URL: way.url });
  const input = randomBytes(8 * MIB);
  const { code, stderr } = await run(['upload', '-', '--name', 'left', '--version', '1', ...KIND], { input });
  t.is(code, 3, stderr);
  const [image] = await called('left');
  t.like(image, { state: 'unactivated', files: [] });
  t.true(stderr.includes(`image ${image?.uuid} stays behind: `));
  t.true(stderr.includes(`"slipway delete ${image?.uuid}" deletes it`));
});

test('an image that was there before stays, whatever becomes of its file', async (t) => {
  const way = await cuttingProxy(t, daemon().port, () => ({ up: MIB }));
  const { run } = await cli(t, asAdmin());
  const uuid = (await run(['create', '--name', 'staying', '--version', '1', ...KIND])).stdout.trim();
  const input = randomBytes(8 * MIB);
  const { code } = await run(['upload', '-', '--uuid', uuid], { input, env: { SLIPWAY_URL: way.url } });
  t.is(code, 3);
  t.like(await imageOf(uuid), { state: 'unactivated', files: [] });
});

test('a reader that is gone does not undo what is done', async (t) => {
  const { start, home } = await cli(t, asAdmin());
  await writeFile(join(home, 'x'), 'the bytes');
  const { child, exited } = start(['upload', 'x', '--name', 'unread', '--version', '1', ...KIND]);
  child.stdout?.destroy();
  t.is((await exited).code, 0);
  t.like((await called('unread'))[0], { state: 'active' });
});
