import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { connectQemu } from '../../server/hypervisors/qemu.js';
import type { Node } from '../../server/model/node.js';
import type { Lab } from '../contracts/hypervisor.js';
import { mount, unmount } from './needs.js';
import { scratch } from './scratch.js';
import { type Sshd, startSshd } from './sshd.js';
import { toolbox } from './toolbox.js';

const run = promisify(execFile);

const DISK = 1 << 20;

export interface QemuLab extends Lab {
  sshd: Sshd;
  node: Node;
  /** Where machines lie. */
  place: string;
}

export const nodeAt = (sshd: Sshd, platform: 'qemu' | 'btrfs' | 'lvm-thin', places: string[]): Node => ({
  name: 'node1',
  datacenters: ['main'],
  addresses: [],
  knownByAddress: false,
  created: '2024-01-01T00:00:00.000Z',
  connection: { ...sshd.connection, platform, places },
});

/** What jobs of ours have left in directories, and what still runs there. */
export async function leftAt(sshd: Sshd, directories: readonly string[]): Promise<string[]> {
  const listed = await Promise.all(directories.map((directory) => readdir(directory)));
  const left = listed.flat().filter((name) => name.startsWith('.slipway-') || name.startsWith('libnbd'));
  const runs = await sshd.nothingRuns().then(
    () => [],
    (error: Error) => [error.message],
  );
  return [...left, ...runs];
}

/** A directory of disks on a filesystem of its own, with no libvirt. */
export async function qemuLab(t: ExecutionContext): Promise<QemuLab> {
  const place = join(await scratch(t), 'machines');
  await mkdir(place);
  if (!mount(place, '48m')) throw new Error('could not mount a tmpfs');
  t.teardown(() => unmount(place));
  // Names of sockets are short.
  const sockets = await mkdtemp(join(tmpdir(), 'sw-'));
  t.teardown(() => rm(sockets, { recursive: true, force: true }));
  const own = await scratch(t);
  const tools = await toolbox(t);
  const sshd = await startSshd(t, { env: { PATH: tools.path, TMPDIR: sockets, SLIPWAY_ETC: own } });
  const node = nodeAt(sshd, 'qemu', [place]);
  const hypervisor = connectQemu(sshd.host(t), node);
  let vms = 0;

  return {
    hypervisor,
    tools,
    sender: { tool: 'nbdcopy', word: '-' },
    pool: 'machines',
    sshd,
    node,
    place,
    can: { increments: false, holds: false },
    async addVm(bytes, { hostname = `vm${++vms}`, image } = {}) {
      const before = new Set((await hypervisor.inventory(AbortSignal.timeout(60_000))).map(({ uuid }) => uuid));
      const file = join(place, `${hostname}.qcow2`);
      const base = join(place, 'images', `${image}.raw`);
      const made = image === undefined ? [file, `${DISK}`] : ['-b', base, '-F', 'raw', file];
      await run('qemu-img', ['create', '-q', '-f', 'qcow2', ...made]);
      const write = (content: Uint8Array) => writeDisk(t, file, content);
      await write(bytes);
      const all = await hypervisor.inventory(AbortSignal.timeout(60_000));
      const uuid = all.find((vm) => !before.has(vm.uuid))?.uuid;
      if (uuid === undefined) throw new Error(`${file} is no machine`);
      return { uuid, write };
    },
    restore: async ([disk, ...others]) => {
      if (!disk || others.length > 0) throw new Error('a disk is sent whole');
      const length = Buffer.from(disk).readUInt32BE(0);
      return disk.subarray(512, 512 + length);
    },
    makeImage: async (bytes) => {
      const size = Math.max(DISK, 512 + bytes.length);
      return { file: laidOut(bytes, Math.ceil(size / 512) * 512), type: 'zvol' };
    },
    leftovers: () => leftAt(sshd, [place, sockets]),
    async fill() {
      const { bavail, bsize } = await statfs(place);
      await writeFile(join(place, 'filler'), Buffer.alloc(bavail * bsize - (1 << 20)));
    },
  };
}

/** How much there is, and the bytes, from the second sector on. */
export function laidOut(bytes: Uint8Array, size: number): Buffer {
  const disk = Buffer.alloc(size);
  disk.writeUInt32BE(bytes.length, 0);
  disk.set(bytes, 512);
  return disk;
}

export async function writeDisk(t: ExecutionContext, file: string, bytes: Uint8Array): Promise<void> {
  const content = laidOut(bytes, Math.ceil((512 + bytes.length) / 512) * 512);
  const from = join(await scratch(t), 'content');
  await writeFile(from, content);
  await run('qemu-io', ['-f', 'qcow2', '-c', `write -q -s ${from} 0 ${content.length}`, file]);
}
