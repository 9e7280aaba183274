import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { connectLvmThin } from '../../server/hypervisors/lvm-thin.js';
import type { Lab } from '../contracts/hypervisor.js';
import { laidOut, leftAt, nodeAt } from './qemu.js';
import { scratch } from './scratch.js';
import { startSshd } from './sshd.js';
import { toolbox } from './toolbox.js';

const run = promisify(execFile);

const DISK = 4 << 20;

/** A volume group on a file, with one thin pool; gone when the test ends. */
export async function lvmThinLab(t: ExecutionContext): Promise<Lab> {
  const file = join(await scratch(t), 'physical');
  await writeFile(file, '');
  await truncate(file, 256 << 20);
  const { stdout } = await run('losetup', ['-f', '--show', file]);
  const device = stdout.trim();
  const group = `slipway${randomBytes(4).toString('hex')}`;
  t.teardown(() => {
    spawnSync('vgremove', ['-ff', '-y', group]);
    spawnSync('losetup', ['-d', device]);
  });
  await run('vgcreate', ['-q', group, device]);
  await run('lvcreate', ['-q', '-L', '128m', '-T', `${group}/pool`]);
  const sockets = await scratch(t);
  const own = await scratch(t);
  const tools = await toolbox(t);
  const sshd = await startSshd(t, { env: { PATH: tools.path, TMPDIR: sockets, SLIPWAY_ETC: own } });
  const hypervisor = connectLvmThin(sshd.host(t), nodeAt(sshd, 'lvm-thin', [group]));
  let vms = 0;

  return {
    hypervisor,
    tools,
    sender: { tool: 'dd', word: 'bs=1048576' },
    pool: `${group}:pool`,
    can: { increments: false, holds: true },
    async addVm(bytes, { hostname = `vm${++vms}`, image } = {}) {
      const before = new Set((await hypervisor.inventory(AbortSignal.timeout(60_000))).map(({ uuid }) => uuid));
      const made =
        image === undefined
          ? ['-V', `${DISK}b`, '-T', `${group}/pool`]
          : ['-s', '-k', 'n', '-p', 'rw', `${group}/${image}`];
      await run('lvcreate', ['-q', '-n', hostname, ...made]);
      await run('lvchange', ['-ay', '-K', `${group}/${hostname}`]);
      const write = (content: Uint8Array) => writeFile(`/dev/${group}/${hostname}`, laidOut(content, DISK));
      await write(bytes);
      const all = await hypervisor.inventory(AbortSignal.timeout(60_000));
      const uuid = all.find((vm) => !before.has(vm.uuid))?.uuid;
      if (uuid === undefined) throw new Error(`${hostname} is no machine`);
      return { uuid, write };
    },
    restore: async ([disk = Buffer.alloc(4)]) => disk.subarray(512, 512 + Buffer.from(disk).readUInt32BE(0)),
    makeImage: async (bytes) => ({ file: laidOut(bytes, Math.max(DISK, bytes.length + 512)), type: 'zvol' }),
    async leftovers() {
      const { stdout: said } = await run('lvs', ['--noheadings', '-o', 'lv_name,lv_tags', group]);
      const volumes = said.split('\n').filter((line) => line.includes('slipway_'));
      return [...(await leftAt(sshd, [sockets])), ...volumes];
    },
    fill: async () => {
      await run('lvcreate', ['-q', '-V', '128m', '-T', `${group}/pool`, '-n', 'filler']);
      await run('dd', ['if=/dev/urandom', `of=/dev/${group}/filler`, 'bs=1M', 'count=127', 'status=none']);
    },
  };
}
