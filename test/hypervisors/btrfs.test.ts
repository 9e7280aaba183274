import { hypervisorContract } from '../contracts/hypervisor.js';
import { btrfsLab } from '../support/btrfs.js';

hypervisorContract('btrfs', ['sshd, to be talked to', 'btrfs, on a file'], btrfsLab);
