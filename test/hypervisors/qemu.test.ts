import { hypervisorContract } from '../contracts/hypervisor.js';
import { qemuLab } from '../support/qemu.js';

hypervisorContract(
  'qemu',
  ['sshd, to be talked to', 'qemu-img', 'nbdcopy, to read disks without a copy', 'root, to mount a tmpfs'],
  qemuLab,
);
