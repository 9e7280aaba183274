import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readFile, statfs, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { connectBtrfs } from '../../server/hypervisors/btrfs.js';
import type { Node } from '../../server/model/node.js';
import type { Lab } from '../contracts/hypervisor.js';
import { leftAt, nodeAt } from './qemu.js';
import { scratch } from './scratch.js';
import { type Sshd, startSshd } from './sshd.js';
import { toolbox } from './toolbox.js';

const run = promisify(execFile);

/** The smallest that mkfs.btrfs makes without complaint. */
const SIZE = 128 << 20;

export interface BtrfsLab extends Lab {
  sshd: Sshd;
  node: Node;
  place: string;
}

/** A filesystem of its own on a file; gone when the test ends. */
export async function mountBtrfs(t: Pick<ExecutionContext, 'teardown'>): Promise<string> {
  const directory = await scratch(t);
  const file = join(directory, 'filesystem');
  const place = join(directory, 'machines');
  await writeFile(file, '');
  await truncate(file, SIZE);
  await run('mkfs.btrfs', ['-q', file]);
  await mkdir(place);
  await run('mount', ['-o', 'loop', file, place]);
  t.teardown(() => void spawnSync('umount', ['-l', place]));
  return place;
}

export async function btrfsLab(t: ExecutionContext): Promise<BtrfsLab> {
  const place = await mountBtrfs(t);
  const sockets = await scratch(t);
  const own = await scratch(t);
  const tools = await toolbox(t);
  const sshd = await startSshd(t, { env: { PATH: tools.path, TMPDIR: sockets, SLIPWAY_ETC: own } });
  const node = nodeAt(sshd, 'btrfs', [place]);
  const hypervisor = connectBtrfs(sshd.host(t), node);
  let vms = 0;

  return {
    hypervisor,
    tools,
    sender: { tool: 'btrfs', word: 'send' },
    pool: 'machines',
    sshd,
    node,
    place,
    can: { increments: true, holds: false },
    async addVm(bytes, { hostname = `vm${++vms}`, image } = {}) {
      const before = new Set((await hypervisor.inventory(AbortSignal.timeout(60_000))).map(({ uuid }) => uuid));
      const path = join(place, hostname);
      if (image === undefined) await run('btrfs', ['subvolume', 'create', path]);
      else await run('btrfs', ['subvolume', 'snapshot', join(place, 'images', image, 'disk'), path]);
      const write = (content: Uint8Array) => writeFile(join(path, 'content'), content);
      await write(bytes);
      const all = await hypervisor.inventory(AbortSignal.timeout(60_000));
      const uuid = all.find((vm) => !before.has(vm.uuid))?.uuid;
      if (uuid === undefined) throw new Error(`${path} is no machine`);
      return { uuid, write };
    },
    async restore(streams) {
      const elsewhere = await mountBtrfs(t);
      let last = '';
      for (const [at, stream] of streams.entries()) {
        last = join(elsewhere, `${at}`);
        await mkdir(last);
        await received(stream, last);
      }
      const { stdout: name } = await run('ls', ['-A', last]);
      return readFile(join(last, name.replace(/\n$/, ''), 'content'));
    },
    async makeImage(bytes) {
      const elsewhere = await mountBtrfs(t);
      const [source, snapshot] = [join(elsewhere, 'source'), join(elsewhere, 'final')];
      await run('btrfs', ['subvolume', 'create', source]);
      await writeFile(join(source, 'content'), bytes);
      await run('btrfs', ['subvolume', 'snapshot', '-r', source, snapshot]);
      const { stdout } = await run('btrfs', ['send', '-q', snapshot], { encoding: 'buffer', maxBuffer: 1 << 30 });
      return { file: stdout, type: 'other' };
    },
    leftovers: () => leftAt(sshd, [place, sockets]),
    async fill() {
      const { bavail, bsize } = await statfs(place);
      const filler = join(place, 'filler');
      await run('fallocate', ['-l', `${bavail * bsize - (6 << 20)}`, filler]);
    },
  };
}

async function received(stream: Uint8Array, directory: string): Promise<void> {
  const { status, stderr } = spawnSync('btrfs', ['receive', '-q', directory], { input: stream });
  if (status !== 0) throw new Error(`btrfs receive: ${stderr}`);
}
