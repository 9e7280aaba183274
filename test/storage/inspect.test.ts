import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { pack } from 'tar-stream';
import type { DiskFormat } from '../../imgapi/disk-format.js';
import { type Declared, Inspector, inspect } from '../../storage/inspect.js';
import { isMet } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

interface Qcow {
  version?: number;
  backing?: bigint;
  features?: bigint;
}

function qcow2({ version = 3, backing = 0n, features = 0n }: Qcow = {}): Buffer {
  const head = Buffer.alloc(64 << 10);
  head.write('QFI\xfb', 'latin1');
  head.writeUInt32BE(version, 4);
  head.writeBigUInt64BE(backing, 8);
  head.writeBigUInt64BE(10n << 30n, 24);
  head.writeBigUInt64BE(features, 72);
  return head;
}

const alone = ['# Disk DescriptorFile', 'parentCID=ffffffff', 'RW 2048 SPARSE "disk.vmdk"'];

function vmdk(descriptor: string[]): Buffer {
  const head = Buffer.alloc(2048);
  head.write('KDMV');
  head.writeBigUInt64LE(2048n, 12);
  head.writeBigUInt64LE(1n, 28);
  head.writeBigUInt64LE(2n, 36);
  head.write(descriptor.join('\n'), 512);
  return head;
}

function at(position: number, text: string, size = 4096): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.write(text, position, 'latin1');
  return bytes;
}

async function tarFile(): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: 'etc/hostname' }, 'slipway');
  archive.finalize();
  return buffer(archive);
}

const zfs = Buffer.alloc(312);
zfs.writeBigUInt64LE(0x2f5bacbacn, 8);
const zfsOfOtherMachines = Buffer.alloc(312);
zfsOfOtherMachines.writeBigUInt64BE(0x2f5bacbacn, 8);

const known: [what: string, file: Buffer, format: DiskFormat, size?: number][] = [
  ['qcow2', qcow2(), 'qcow2', 10 * 2 ** 30],
  ['qcow2 of version 2', qcow2({ version: 2 }), 'qcow2', 10 * 2 ** 30],
  ['vmdk', vmdk(alone), 'vmdk', 2 ** 20],
  ['zfs stream', zfs, 'zfs'],
  ['zfs stream, big endian', zfsOfOtherMachines, 'zfs'],
  ['tar', await tarFile(), 'tar'],
  ['raw disk with a boot sector', at(510, '\x55\xaa'), 'raw'],
  ['raw disk with a partition table', at(512, 'EFI PART'), 'raw'],
  ['file system', at(1080, '\x53\xef'), 'raw'],
  ['CD', at(32_769, 'CD001', 40_000), 'raw'],
];

for (const [what, file, format, size] of known) {
  test(`told by its bytes: ${what}`, async (t) => {
    t.like(await inspect(file, {}), { packing: 'none', format, ...(size !== undefined && { size }) });
    t.like(await inspect(gzipSync(file), {}), { packing: 'gzip', format });
    t.like(await inspect(file, { packing: 'none', format }), { format });
  });
}

const refusals: [what: string, file: Buffer, declared: Declared, message: RegExp, field: string][] = [
  ['builds on another file', qcow2({ backing: 512n }), {}, /backing file/, 'file'],
  ['keeps its data elsewhere', qcow2({ features: 4n }), {}, /data in another file/, 'file'],
  ['is of a version of old', qcow2({ version: 1 }), {}, /version 1/, 'file'],
  ['has a parent', vmdk([...alone, 'parentFileNameHint="/etc/shadow"']), {}, /not all in this file/, 'file'],
  ['has a parent by its number', vmdk(['parentCID=12345678', ...alone.slice(2)]), {}, /not all in this file/, 'file'],
  ['has flat extents', vmdk(['RW 2048 FLAT "/dev/sda" 0']), {}, /not all in this file/, 'file'],
  ['only describes', at(0, '# Disk DescriptorFile\nRW 1 FLAT "/etc/shadow" 0'), {}, /not all in this file/, 'file'],
  ['is a page', at(0, '\n<!DOCTYPE html><title>404'), {}, /it is a page/, 'file'],
  ['is an archive of another sort', at(0, 'PK\x03\x04'), {}, /zip/, 'file'],
  ['is packed otherwise', gzipSync(qcow2()), { packing: 'xz' }, /compression is xz, but .* gzip/, 'compression'],
  ['is not packed', qcow2(), { packing: 'gzip' }, /packed with none/, 'compression'],
  ['is something else', qcow2(), { format: 'raw' }, /format is raw, but that of the file is qcow2/, 'format'],
  ['is nothing that is known', at(0, 'x'), { format: 'qcow2' }, /none that is known/, 'format'],
  ['may be anything', at(0, 'x'), {}, /format is missing/, 'format'],
  // There is no block of the kind that eight ones begin, so that nothing comes out of it.
  ['is damaged', Buffer.concat([gzipSync('x').subarray(0, 10), Buffer.alloc(9, 0xff)]), {}, /damaged/, 'file'],
];

for (const [what, file, declared, message, field] of refusals) {
  test(`refused: a file that ${what}`, async (t) => {
    t.like(await t.throwsAsync(inspect(file, declared), { message }), { field });
  });
}

test('a raw disk can begin with anything, where that is said', async (t) => {
  t.like(await inspect(at(0, 'x'), { format: 'raw' }), { format: 'raw' });
});

for (const tool of ['xz', 'bzip2', 'zstd'] as const) {
  (isMet[tool] ? test : test.skip)(`what is packed with ${tool} is looked into`, async (t) => {
    const packed = execFileSync(tool, ['-c'], { input: qcow2() });
    t.like(await inspect(packed, {}), { packing: tool, format: 'qcow2' });
    const input = Buffer.concat([qcow2(), randomBytes(2 << 20)]);
    const random = execFileSync(tool, ['-c'], { input, maxBuffer: 8 << 20 });
    t.like(await inspect(random.subarray(0, 1 << 20), {}), { format: 'qcow2' });
  });
}

(isMet['qemu-img'] ? test : test.skip)(
  'what qemu-img makes is told, and refused where it builds on another',
  async (t) => {
    const directory = await scratch(t);
    const make = (...args: string[]) => execFileSync('qemu-img', args, { cwd: directory, stdio: 'pipe' });
    const made = async (name: string) => inspect(await readFile(join(directory, name)), {});
    make('create', '-f', 'qcow2', 'base.qcow2', '64M');
    t.like(await made('base.qcow2'), { format: 'qcow2', size: 64 << 20 });
    make('create', '-f', 'qcow2', '-b', 'base.qcow2', '-F', 'qcow2', 'child.qcow2');
    await t.throwsAsync(made('child.qcow2'), { message: /backing file/ });
    make('create', '-f', 'qcow2', '-o', 'data_file=data.raw', 'outside.qcow2', '64M');
    await t.throwsAsync(made('outside.qcow2'), { message: /data in another file/ });
    for (const kind of ['monolithicSparse', 'streamOptimized']) {
      make('create', '-f', 'vmdk', '-o', `subformat=${kind}`, `${kind}.vmdk`, '64M');
      t.like(await made(`${kind}.vmdk`), { format: 'vmdk', size: 64 << 20 });
    }
    make('create', '-f', 'vmdk', '-o', 'subformat=monolithicFlat', 'flat.vmdk', '64M');
    await t.throwsAsync(made('flat.vmdk'), { message: /not all in this file/ });
    make('create', '-f', 'vdi', 'disk.vdi', '64M');
    await t.throwsAsync(made('disk.vdi'), { message: /vdi/ });
  },
);

async function through(inspector: Inspector, file: Buffer, pieces: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await pipeline(
    Readable.from(
      (function* () {
        for (let from = 0; from < file.length; from += pieces) yield file.subarray(from, from + pieces);
      })(),
      { objectMode: false },
    ),
    inspector,
    async (source) => {
      for await (const chunk of source) chunks.push(chunk as Buffer);
    },
  );
  return Buffer.concat(chunks);
}

test('as a stage, it lets through all or nothing', async (t) => {
  const large = Buffer.concat([qcow2(), randomBytes(3 << 20)]);
  for (const file of [large, qcow2()]) {
    const inspector = new Inspector({ format: 'qcow2' });
    t.true((await through(inspector, file, 10_000)).equals(file));
    t.is(inspector.inspected.format, 'qcow2');
  }
  const refusing = new Inspector({ format: 'raw' });
  await t.throwsAsync(through(refusing, large, 10_000), { message: /format is raw/ });
});
