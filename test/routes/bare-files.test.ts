import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { endOf, leftBy, NOTHING } from '../support/imports.js';
import { resultOf, said, startFleet } from '../support/managed.js';
import { isMet } from '../support/needs.js';
import { type Remote, type Reply, remote } from '../support/remote.js';

const digestOf = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest('hex');

/** A disk of 5 GiB, of which nothing is on it. */
function qcow2({ backing = 0n }: { backing?: bigint } = {}): Buffer {
  const file = Buffer.concat([Buffer.alloc(64 << 10), randomBytes(2 << 20)]);
  file.write('QFI\xfb', 'latin1');
  file.writeUInt32BE(3, 4);
  file.writeBigUInt64BE(backing, 8);
  file.writeBigUInt64BE(5n << 30n, 24);
  return file;
}

function zfsStream(): Buffer {
  const file = randomBytes(100_000);
  file.writeBigUInt64LE(0x2f5bacbacn, 8);
  return file;
}

function rawDisk(): Buffer {
  const file = randomBytes(3 << 20);
  file.write('\x55\xaa', 510, 'latin1');
  return file;
}

const sending =
  (bytes: Buffer): Reply =>
  (_, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.end(bytes);
  };

async function site(t: ExecutionContext, files: Record<string, Buffer | Reply>) {
  const replies = Object.entries(files).map(([name, file]) => [
    `GET /${name}`,
    file instanceof Buffer ? sending(file) : file,
  ]);
  return { fleet: await startFleet(t), from: await remote(t, Object.fromEntries(replies)) };
}

const urlOf = ({ url }: Remote, name: string) => `${url}/${name}`;

interface Shown {
  uuid: string;
  os: string;
  type: string;
  size: number;
  access: number;
}

test('a disk and what is said of it become an image', async (t) => {
  const disk = qcow2();
  const { fleet, from } = await site(t, { 'disk.qcow2': disk });
  const sha256 = digestOf('sha256', disk);
  const body = { file_url: urlOf(from, 'disk.qcow2'), os: 'linux', version: '12', sha256, size: disk.length };
  const started = await fleet.eve('POST', '/api/image/debian', { ...body, desc: 'a disk', tags: ['base'] });
  t.is(started.status, 201, String(started.bytes));
  t.is((await endOf(fleet, started.json.task_id)).status, 'SUCCESS');
  const image = resultOf<Shown>(await fleet.eve('GET', '/api/image/debian'));
  t.like(image, { os: 'linux', type: 'other', version: '12', desc: 'a disk', tags: ['base'], access: 3 });
  const { json: manifest } = await fleet.ask('GET', `/images/${image.uuid}`, { as: 'admin' });
  t.like(manifest, { state: 'active', tags: { format: 'qcow2' } });
  t.like(manifest.files, [{ size: disk.length, sha1: digestOf('sha1', disk), compression: 'none' }]);
  t.true((await fleet.ask('GET', `/images/${image.uuid}/file`, { as: 'admin' })).bytes.equals(disk));
});

test('datasets and raw disks are for machines, with the hardware that those have', async (t) => {
  const files = { zfs: gzipSync(zfsStream()), raw: rawDisk() };
  const { fleet, from } = await site(t, files);
  const wishes = {
    zone: { file_url: urlOf(from, 'zfs'), ostype: 5 },
    machine: { file_url: urlOf(from, 'raw'), os: 'linux', type: 'zvol' },
    other: { file_url: urlOf(from, 'zfs'), os: 'bsd', image_size: 10_240, manifest: { cpu_type: 'host' } },
  };
  const manifests: Record<string, object> = {
    zone: { os: 'smartos', type: 'zone-dataset' },
    machine: { os: 'linux', type: 'zvol', image_size: 3, disk_driver: 'virtio', cpu_type: 'qemu64' },
    other: { os: 'bsd', type: 'zvol', image_size: 10_240, cpu_type: 'host', nic_driver: 'virtio' },
  };
  for (const [name, wish] of Object.entries(wishes)) {
    const started = await fleet.root('POST', `/api/image/${name}`, wish);
    t.is(started.status, 201, String(started.bytes));
    t.like(await endOf(fleet, started.json.task_id), { status: 'SUCCESS' }, name);
    const { uuid } = resultOf<Shown>(await fleet.root('GET', `/api/image/${name}`));
    t.like((await fleet.ask('GET', `/images/${uuid}`, { as: 'admin' })).json, { ...manifests[name], state: 'active' });
  }
});

(isMet.zstd ? test : test.skip)('what nodes can not unpack is kept as what they can', async (t) => {
  const disk = qcow2();
  const packed = execFileSync('zstd', ['-c'], { input: disk, maxBuffer: 8 << 20 });
  const { fleet, from } = await site(t, { zst: packed });
  const wish = { file_url: urlOf(from, 'zst'), os: 'linux', compression: 'zstd', sha1: digestOf('sha1', packed) };
  const started = await fleet.eve('POST', '/api/image/packed', { ...wish, size: packed.length });
  t.like(await endOf(fleet, started.json.task_id), { status: 'SUCCESS' });
  const { uuid } = resultOf<Shown>(await fleet.eve('GET', '/api/image/packed'));
  const { json: manifest } = await fleet.ask('GET', `/images/${uuid}`, { as: 'admin' });
  t.like(manifest.files, [{ compression: 'gzip' }]);
  t.true(gunzipSync((await fleet.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).bytes).equals(disk));

  const lie = await fleet.eve('POST', '/api/image/lie', { ...wish, sha1: '0'.repeat(40) });
  t.like(await endOf(fleet, lie.json.task_id), { status: 'FAILURE', result: { code: 'Download' } });
  t.is(said(await fleet.eve('GET', '/api/image/lie')), '404 ResourceNotFound');
});

const page: Reply = (_, response) => response.end('<!doctype html><title>not here</title>');
const files = {
  disk: qcow2(),
  child: qcow2({ backing: 512n }),
  zfs: zfsStream(),
  raw: rawDisk(),
  noise: Buffer.alloc(10_000, 'noise'),
  empty: Buffer.alloc(0),
  page,
};

const refusals: [what: string, file: string, wish: object, told: string, detail?: RegExp][] = [
  ['there is nothing', 'absent', { os: 'linux' }, '400 InvalidInput file_url', /absent/],
  ['it is empty', 'empty', { os: 'linux' }, '400 InvalidInput file_url', /empty/],
  ['it is a page', 'page', { os: 'linux' }, '400 InvalidInput file_url', /page/],
  ['it builds on another file', 'child', { os: 'linux' }, '400 InvalidInput file_url', /backing file/],
  ['it is nothing that is known', 'noise', { os: 'linux' }, '400 InvalidInput format', /raw/],
  ['it has another format', 'disk', { os: 'linux', format: 'vmdk' }, '400 InvalidInput format', /qcow2/],
  ['it is not packed so', 'disk', { os: 'linux', compression: 'xz' }, '400 InvalidInput compression', /none/],
  ['it has another size', 'disk', { os: 'linux', size: 17 }, '400 InvalidInput file_url', /17/],
  ['nobody says what it runs', 'disk', {}, '400 InvalidInput os'],
  ['machines have no such disks', 'disk', { os: 'linux', type: 'zvol' }, '400 InvalidInput format', /zfs or raw/],
  ['zones have no such disks', 'raw', { ostype: 6 }, '400 InvalidInput format', /zfs/],
  ['the type is unknown', 'disk', { os: 'linux', type: 'floppy' }, '400 InvalidInput type'],
  ['the digest is none', 'disk', { os: 'linux', sha1: 'abc' }, '400 InvalidInput sha1'],
];

test('what is not as it is said is refused by its field, and leaves nothing', async (t) => {
  const { fleet, from } = await site(t, files);
  const before = await leftBy(fleet);
  for (const [what, file, wish, told, detail] of refusals) {
    const answer = await fleet.eve('POST', '/api/image/new', { file_url: urlOf(from, file), ...wish });
    t.is(said(answer), told, what);
    if (detail) t.regex(String(answer.json.detail), detail, what);
  }
  for (const [by, told] of [
    [fleet.dora, '403 NotPermitted'],
    [fleet.sam, '403 NotPermitted'],
  ] as const) {
    t.is(said(await by('POST', '/api/image/new', { file_url: urlOf(from, 'disk'), os: 'linux' })), told);
  }
  t.is(
    said(await fleet.eve('POST', '/api/image/new', { sha1: '0'.repeat(40), manifest: {} })),
    '400 InvalidInput sha1',
  );
  t.deepEqual(await leftBy(fleet), before);
  t.deepEqual(before, NOTHING);
});

test('a file that is another one by the time it is fetched is not taken', async (t) => {
  const child = qcow2({ backing: 512n });
  let asked = 0;
  const turning: Reply = (request, response) => {
    asked += 1;
    sending(asked === 1 ? qcow2() : child)(request, response);
  };
  const { fleet, from } = await site(t, { turning });
  const started = await fleet.eve('POST', '/api/image/new', { file_url: urlOf(from, 'turning'), os: 'linux' });
  t.is(started.status, 201);
  const task = await endOf(fleet, started.json.task_id);
  t.like(task, { status: 'FAILURE', result: { code: 'Download' } });
  t.regex(String(Object(task.result).detail), /backing file/);
  t.deepEqual(await leftBy(fleet), NOTHING);
});
