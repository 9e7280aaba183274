import { connectSmartos } from '../../server/hypervisors/smartos.js';
import { hypervisorContract } from '../contracts/hypervisor.js';
import { nodeOf } from '../support/node-record.js';
import { startSmartosNode } from '../support/smartos.js';
import { zfsLab } from '../support/zfs-lab.js';

hypervisorContract('smartos', ['sshd, to be talked to', 'zfs, to make a pool on a file'], async (t) => {
  const node = await startSmartosNode(t);
  const { pool, sshd, tools } = node;
  return {
    hypervisor: connectSmartos(sshd.host(t), nodeOf(sshd)),
    tools,
    sender: { tool: 'zfs', word: 'send' },
    pool: pool.name,
    async addVm(bytes, { hostname, image } = {}) {
      const vm = await node.addVm({
        ...(hostname !== undefined && { alias: hostname }),
        ...(image !== undefined && { image }),
      });
      await vm.write('bytes', bytes);
      return { uuid: vm.uuid, write: (others) => vm.write('bytes', others) };
    },
    ...zfsLab(pool, sshd, pool.name),
    can: { increments: true, holds: true },
  };
});
