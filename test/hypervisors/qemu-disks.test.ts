import { execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import ava, { type ExecutionContext } from 'ava';
import { CommandFailed } from '../../server/hypervisors/host.js';
import {
  type FoundVm,
  NotOnPlatform,
  type SendOptions,
  type SnapshotName,
} from '../../server/hypervisors/hypervisor.js';
import { connectQemu } from '../../server/hypervisors/qemu.js';
import { serveImages } from '../support/imgapi-for-nodes.js';
import { isMet } from '../support/needs.js';
import { type QemuLab, qemuLab, writeDisk } from '../support/qemu.js';
import { scratch } from '../support/scratch.js';

const run = promisify(execFile);
const needs = [
  'sshd, to be talked to',
  'qemu-img',
  'nbdcopy, to read disks without a copy',
  'root, to mount a tmpfs',
] as const;
const lacking = needs.find((need) => !isMet[need]);
const test = lacking === undefined ? ava : ava.skip;
const named = (title: string) => (lacking === undefined ? title : `${title} (${lacking})`);

const soon = () => AbortSignal.timeout(60_000);
const qcow2 = (...args: string[]) => run('qemu-img', ['create', '-q', '-f', 'qcow2', ...args]);

async function bytesOf(
  { hypervisor }: QemuLab,
  meant: SnapshotName,
  options: Partial<SendOptions> = {},
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const stream = hypervisor.openSnapshot(meant, { job: randomUUID(), signal: soon(), ...options });
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function only({ hypervisor }: QemuLab): Promise<FoundVm> {
  const [vm, ...others] = await hypervisor.inventory(soon());
  if (!vm || others.length > 0) throw new Error(`${others.length + 1} machines`);
  return vm;
}

/** A process that writes to a disk, as one of a machine does. */
async function runs(t: ExecutionContext, file: string, ...args: string[]): Promise<void> {
  const socket = join(await scratch(t), 's');
  const process = spawn('qemu-nbd', ['-t', '-f', 'qcow2', '-k', socket, ...args, file], { stdio: 'ignore' });
  t.teardown(() => void process.kill('SIGKILL'));
  await once(process, 'spawn');
  while (!existsSync(socket)) await new Promise((resolve) => setImmediate(resolve));
  // Its socket is there before the disk is open, and it answers behind that; who comes too early is refused.
  const isOver = () =>
    run('qemu-img', ['info', '-f', 'raw', `nbd+unix:///?socket=${socket}`]).then(
      () => true,
      () => process.exitCode !== null || process.signalCode !== null,
    );
  while (!(await isOver())) await pause(20);
}

test(named('a snapshot in a qcow2 comes raw or as qcow2, and qemu-img finds no difference'), async (t) => {
  const lab = await qemuLab(t);
  const file = join(lab.place, 'web.qcow2');
  await qcow2(file, '16M');
  await run('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 7 3M 5M', '-c', 'write -q -P 9 15M 1M', file]);
  const { uuid } = await only(lab);
  const meant = { vm: uuid, disk: 1, snapshot: 'before' };
  await lab.hypervisor.takeSnapshot(meant, soon());
  await run('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 1 0 16M', file]);
  const own = await scratch(t);
  const source = join(own, 'source');
  await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', '-l', 'before', file, source]);
  const facts = await lab.hypervisor.facts(meant, soon());
  t.like(facts, { type: 'zvol', imageSize: 16, bytes: 16 << 20, formats: ['raw', 'qcow2'] });
  t.like(facts.manifest, { disk_driver: 'virtio', nic_driver: 'virtio', cpu_type: 'qemu64' });

  for (const [format, options] of [
    ['raw', {}],
    ['qcow2', { format: 'qcow2' }],
  ] as const) {
    const sent = join(own, `sent.${format}`);
    await writeFile(sent, await bytesOf(lab, meant, options));
    const { stdout } = await run('qemu-img', ['compare', '-f', format, '-F', 'raw', sent, source]);
    t.regex(stdout, /identical/);
    const { stdout: info } = await run('qemu-img', ['info', '-f', format, '--output=json', sent]);
    const { 'backing-filename': backing, 'virtual-size': size } = JSON.parse(info);
    t.deepEqual([backing, size], [undefined, 16 << 20]);
  }
  t.deepEqual(await lab.leftovers(), []);
});

test(named('what an overlay was laid on is a snapshot, with all that it builds on itself'), async (t) => {
  const lab = await qemuLab(t);
  const image = randomUUID();
  await mkdir(join(lab.place, 'images'));
  await mkdir(join(lab.place, 'web'));
  const base = join(lab.place, 'images', `${image}.qcow2`);
  await qcow2(base, '4M');
  await run('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 1 0 1M', base]);
  const frozen = join(lab.place, 'web', 'before.qcow2');
  await qcow2('-b', `../images/${image}.qcow2`, '-F', 'qcow2', frozen);
  await run('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 2 1M 1M', frozen]);
  const disk = join(lab.place, 'web', 'disk1.qcow2');
  await qcow2('-b', frozen, '-F', 'qcow2', disk);
  await run('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 3 0 4M', disk]);
  await qcow2(join(lab.place, 'web', 'disk2.qcow2'), '1M');

  const vm = await only(lab);
  t.like(vm, { hostname: 'web', state: 'stopped' });
  t.deepEqual(
    vm.disks.map(({ disk: number, size, image: of }) => [number, size, of]),
    [
      [1, 4, image],
      [2, 1, undefined],
    ],
  );
  const meant = { vm: vm.uuid, disk: 1, snapshot: 'before' };
  t.like((await lab.hypervisor.snapshots(vm.uuid, soon()))[0], { name: 'before', disk: 1 });
  const expected = Buffer.concat([Buffer.alloc(1 << 20, 1), Buffer.alloc(1 << 20, 2), Buffer.alloc(2 << 20)]);
  t.true(expected.equals(await bytesOf(lab, meant)));
  await t.throwsAsync(lab.hypervisor.removeSnapshot(meant, soon()), { instanceOf: NotOnPlatform });
  t.true(existsSync(frozen));
  t.like((await lab.hypervisor.images(soon()))[0], { uuid: image, used: 1 });
});

test(named('of a machine that runs, a snapshot is read, but none is taken or removed'), async (t) => {
  const lab = await qemuLab(t);
  const { uuid } = await lab.addVm(randomBytes(1000), { hostname: 'web' });
  const meant = { vm: uuid, disk: 1, snapshot: 'before' };
  await lab.hypervisor.takeSnapshot(meant, soon());
  const before = await bytesOf(lab, meant);
  await runs(t, join(lab.place, 'web.qcow2'));
  t.is((await only(lab)).state, 'running');
  t.true(before.equals(await bytesOf(lab, meant)));
  const now = { ...meant, snapshot: 'now' };
  await t.throwsAsync(lab.hypervisor.takeSnapshot(now, soon()), { instanceOf: NotOnPlatform, message: /running/ });
  await t.throwsAsync(lab.hypervisor.removeSnapshot(meant, soon()), { instanceOf: NotOnPlatform, message: /running/ });
  t.deepEqual(
    (await lab.hypervisor.snapshots(uuid, soon())).map(({ name }) => name),
    ['before'],
  );
});

test(named('what a guest writes into a raw disk shows it no file of the node'), async (t) => {
  const lab = await qemuLab(t);
  const secret = join(await scratch(t), 'secret');
  await writeFile(secret, Buffer.alloc(4096, 's'));
  const forged = join(await scratch(t), 'forged');
  await qcow2('-u', '-b', secret, '-F', 'raw', forged, '1M');
  const content = await readFile(forged);
  await writeFile(join(lab.place, 'web.raw'), content);
  const base = join(lab.place, 'db.raw');
  await writeFile(base, content);
  await mkdir(join(lab.place, 'db'));
  await qcow2('-b', base, '-F', 'raw', join(lab.place, 'db', 'disk1.qcow2'));

  const vms = await lab.hypervisor.inventory(soon());
  const [web, db] = ['web', 'db'].map((name) => vms.find(({ hostname }) => hostname === name));
  t.is(vms.length, 2);
  t.deepEqual(await lab.hypervisor.snapshots(web?.uuid ?? '', soon()), []);
  const sent = await bytesOf(lab, { vm: db?.uuid ?? '', disk: 1, snapshot: 'db' });
  t.true(sent.subarray(0, content.length).equals(content));
  t.false(sent.includes('ssss'));
});

test(named('an image that builds on a file of the node is not taken'), async (t) => {
  const lab = await qemuLab(t);
  const own = await scratch(t);
  const odd = join(own, 'odd');
  await qcow2('-u', '-b', '/etc/hostname', '-F', 'raw', odd, '1M');
  const zfs = Buffer.alloc(1 << 20);
  zfs.writeBigUInt64LE(0x2_f5_ba_cb_acn, 8);
  const source = await serveImages(t);
  const orders: [Uint8Array, string][] = [
    [await readFile(odd), 'other'],
    [zfs, 'zvol'],
    [randomBytes(1000), 'zone-dataset'],
  ];
  for (const [file, type] of orders) {
    const order = { images: [source.add(file, { type })], pool: lab.pool, source: source.url, job: randomUUID() };
    await t.throwsAsync(lab.hypervisor.pull(order, { signal: soon(), report: () => {} }), {
      instanceOf: NotOnPlatform,
    });
  }
  t.deepEqual(await lab.hypervisor.images(soon()), []);
  t.deepEqual(await lab.leftovers(), []);
});

test(named('a qcow2 that is pulled stays one, and is not removed while a process has it open'), async (t) => {
  const lab = await qemuLab(t);
  const made = join(await scratch(t), 'made');
  await qcow2(made, '1M');
  await writeDisk(t, made, randomBytes(5000));
  const source = await serveImages(t);
  const image = source.add(await readFile(made), { type: 'other' });
  const order = { images: [image], pool: lab.pool, source: source.url, job: randomUUID() };
  await lab.hypervisor.pull(order, { signal: soon(), report: () => {} });
  const file = join(lab.place, 'images', `${image.uuid}.qcow2`);
  t.true((await readFile(made)).equals(await readFile(file)));
  await runs(t, file, '-r');
  const error = await t.throwsAsync(lab.hypervisor.remove(image.uuid, lab.pool, soon()), { instanceOf: CommandFailed });
  t.regex(error?.message ?? '', /a process has it open/);
  t.true(existsSync(file));
});

test(named('where there is no room for a copy, none is begun'), async (t) => {
  const lab = await qemuLab(t);
  const { uuid } = await lab.addVm(randomBytes(1 << 19));
  const meant = { vm: uuid, disk: 1, snapshot: 's' };
  await lab.hypervisor.takeSnapshot(meant, soon());
  const { bavail, bsize } = await statfs(lab.place);
  await writeFile(join(lab.place, 'filler'), Buffer.alloc(bavail * bsize - (256 << 10)));
  const copied = bytesOf(lab, meant, { format: 'qcow2' });
  await t.throwsAsync(copied, { instanceOf: CommandFailed, message: /no room for a copy/ });
  t.deepEqual(await lab.leftovers(), []);
  t.is((await bytesOf(lab, meant)).length, 1 << 20, 'raw bytes need none');
});

test(named('a copy that is cut off leaves nothing, and a sweep takes what it could not'), async (t) => {
  const lab = await qemuLab(t);
  const { uuid } = await lab.addVm(randomBytes(1 << 19));
  const meant = { vm: uuid, disk: 1, snapshot: 's' };
  await lab.hypervisor.takeSnapshot(meant, soon());
  const marker = join(await scratch(t), 'copied');
  await lab.tools.put('cat', `case "$*" in */.slipway-*) : >'${marker}'; exec sleep 600;; esac; exec "$real" "$@"`);
  const abort = new AbortController();
  const copying = bytesOf(lab, meant, { format: 'qcow2', signal: abort.signal });
  while (!existsSync(marker)) await new Promise((resolve) => setImmediate(resolve));
  t.is((await readdir(lab.place)).filter((name) => name.startsWith('.slipway-')).length, 1);
  abort.abort(new Error('enough'));
  await t.throwsAsync(copying, { message: 'enough' });
  t.deepEqual(await lab.leftovers(), []);

  const [gone, underWay] = [randomUUID(), randomUUID()];
  for (const job of [gone, underWay]) {
    await mkdir(join(lab.place, `.slipway-${job}`));
    await writeFile(join(lab.place, `.slipway-${job}`, 'disk'), 'half');
  }
  await lab.hypervisor.sweep(async (job) => job !== underWay, soon());
  t.deepEqual(await lab.leftovers(), [`.slipway-${underWay}`]);
  t.is((await lab.hypervisor.inventory(soon())).length, 1);
});

test(named('a server of a disk that does not hear that it is to end holds nobody up'), async (t) => {
  const lab = await qemuLab(t);
  const { uuid } = await lab.addVm(randomBytes(1000));
  const meant = { vm: uuid, disk: 1, snapshot: 's' };
  await lab.hypervisor.takeSnapshot(meant, soon());
  // As qemu-nbd for a moment after its socket is there.
  const deaf = `process.on('SIGTERM', () => {}); require('node:net').createServer().listen(process.argv[1])`;
  await lab.tools.put('qemu-nbd', `while [ "$1" != -k ]; do shift; done; exec '${process.execPath}' -e "${deaf}" "$2"`);
  await lab.tools.put('nbdcopy', 'kill -9 $$');
  await t.throwsAsync(bytesOf(lab, meant), { instanceOf: CommandFailed, message: /killed/ });
  t.deepEqual(await lab.leftovers(), []);
});

test(named('a server of a disk that does not listen yet, though its socket is there, is waited for'), async (t) => {
  const lab = await qemuLab(t);
  const { uuid } = await lab.addVm(randomBytes(1000));
  const meant = { vm: uuid, disk: 1, snapshot: 's' };
  await lab.hypervisor.takeSnapshot(meant, soon());
  // Who is killed leaves its socket, which refuses all, as one does between bind and listen.
  const early = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  const socket = `for word; do [ "$last" != -k ] || at=$word; last=$word; done`;
  await lab.tools.put(
    'qemu-nbd',
    `${socket}; '${process.execPath}' -e "${early}" "$at.x"; mv "$at.x" "$at"; sleep 1; rm "$at"; exec "$real" "$@"`,
  );
  t.is((await bytesOf(lab, meant)).length, 1 << 20);
  t.deepEqual(await lab.leftovers(), []);

  // where nobody may look into it, the socket has to do
  await lab.tools.put('grep', 'case " $* " in *" /proc/net/unix "*) exit 2;; esac; exec "$real" "$@"');
  await lab.tools.restore('qemu-nbd');
  t.is((await bytesOf(lab, meant)).length, 1 << 20);
  t.deepEqual(await lab.leftovers(), []);
});

test(named('what stands beside a machine says more of it'), async (t) => {
  const lab = await qemuLab(t);
  const said = {
    uuid: randomUUID(),
    hostname: 'web.example.com',
    os: 'bsd',
    owner: 'ann',
    tags: ['web', 1],
    images: [randomUUID()],
  };
  for (const name of ['one', 'two']) {
    await qcow2(join(lab.place, `${name}.qcow2`), '1M');
    await writeFile(join(lab.place, `${name}.json`), JSON.stringify(said));
  }
  await qcow2(join(lab.place, 'three.qcow2'), '1M');
  await writeFile(join(lab.place, 'three.json'), '{"uuid":"$(reboot)","tags":{"a":1},');
  const vms = await lab.hypervisor.inventory(soon());
  t.is(new Set(vms.map(({ uuid }) => uuid)).size, 3, 'a copy of a machine is another one');
  const one = vms.find(({ uuid }) => uuid === said.uuid);
  t.like(one, { hostname: 'web.example.com', os: 'bsd', owner: 'ann', tags: ['web'] });
  t.is(one?.disks[0]?.image, said.images[0]);
  t.like(
    vms.find(({ hostname }) => hostname === 'three'),
    { tags: [] },
  );
});

test(named('names of machines are names'), async (t) => {
  const lab = await qemuLab(t);
  const canary = join(await scratch(t), 'canary');
  await lab.tools.put('canary', `echo "$@" >'${canary}'`);
  const names = [
    '$(canary)',
    '`canary`',
    'a, b',
    '-rf',
    'a\ncanary',
    "a'b",
    'json:{}',
    'ä',
    'nbd:x:1',
    '*',
    'x'.repeat(200),
  ];
  for (const name of names) {
    await qcow2(join(lab.place, 'fresh.qcow2'), '1M');
    await writeDisk(t, join(lab.place, 'fresh.qcow2'), Buffer.from(name));
    await rename(join(lab.place, 'fresh.qcow2'), join(lab.place, `${name}.qcow2`));
  }
  const vms = await lab.hypervisor.inventory(soon());
  t.deepEqual(vms.map(({ hostname }) => hostname).sort(), names.toSorted());
  for (const { uuid, hostname } of vms) {
    const meant = { vm: uuid, disk: 1, snapshot: 's' };
    await lab.hypervisor.takeSnapshot(meant, soon());
    t.is(`${await lab.restore([await bytesOf(lab, meant)])}`, hostname);
    await lab.hypervisor.removeSnapshot(meant, soon());
  }
  t.false(existsSync(canary));
});

test(named('a place that is not there has not lost its machines'), async (t) => {
  const lab = await qemuLab(t);
  const places = [lab.place, join(lab.place, 'away')];
  const connection = { ...lab.node.connection, ...lab.sshd.connection, places };
  const hypervisor = connectQemu(lab.sshd.host(t), { ...lab.node, connection });
  await t.throwsAsync(hypervisor.inventory(soon()), { instanceOf: CommandFailed, message: /away/ });
  const { pools } = await hypervisor.describe(soon());
  t.deepEqual(
    pools.map(({ name, health }) => [name, health]),
    [
      ['machines', 'online'],
      ['away', 'missing'],
    ],
  );
});
