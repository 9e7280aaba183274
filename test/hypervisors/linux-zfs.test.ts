import { randomBytes } from 'node:crypto';
import { connectLinuxZfs } from '../../server/hypervisors/linux-zfs.js';
import { hypervisorContract } from '../contracts/hypervisor.js';
import { nodeOf } from '../support/node-record.js';
import { scratch } from '../support/scratch.js';
import { startSshd } from '../support/sshd.js';
import { toolbox } from '../support/toolbox.js';
import { startPool } from '../support/zfs.js';
import { writeDisk, zfsLab } from '../support/zfs-lab.js';

hypervisorContract('linux-zfs', ['sshd, to be talked to', 'zfs, to make a pool on a file'], async (t) => {
  const pool = await startPool(t);
  const tools = await toolbox(t, pool.tools);
  const directory = await scratch(t);
  const env = { PATH: tools.path, SLIPWAY_ETC: directory, TMPDIR: directory };
  const sshd = await startSshd(t, { env });
  const place = `${pool.name}/vms`;
  await pool.zfs('create', place);
  const hypervisor = connectLinuxZfs(sshd.host(t), nodeOf(sshd, [place]));
  return {
    hypervisor,
    tools,
    sender: { tool: 'zfs', word: 'send' },
    pool: pool.name,
    async addVm(bytes, { hostname = `vm${randomBytes(4).toString('hex')}`, image } = {}) {
      const dataset = `${place}/${hostname}`;
      if (image === undefined) await pool.zfs('create', dataset);
      else await pool.zfs('clone', `${pool.name}/slipway-images/${image}@final`, dataset);
      const write = async (others: Uint8Array) => {
        await writeDisk(pool, dataset, others);
      };
      await write(bytes);
      const found = await hypervisor.inventory(AbortSignal.timeout(60_000));
      return { uuid: found.find((vm) => vm.hostname === hostname)!.uuid, write };
    },
    ...zfsLab(pool, sshd, pool.name),
    can: { increments: true, holds: true },
  };
});
