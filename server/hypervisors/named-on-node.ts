import { NotOnNode, type SnapshotName } from './hypervisor.js';

/** The machine that was asked for, of those that a node has. */
export function machineNamed<Machine extends { vm: { uuid: string } }>(
  machines: readonly Machine[],
  uuid: string,
  node: string,
): Machine {
  const machine = machines.find(({ vm }) => vm.uuid === uuid);
  if (machine) return machine;
  throw new NotOnNode('vm', `there is no machine ${uuid} on ${node}`);
}

/** The disk that was asked for, of those of its machine. */
export function diskNamed<Disk extends { disk: number }>(
  disks: readonly Disk[],
  { vm, disk }: SnapshotName,
  node: string,
): Disk {
  const found = disks.find((other) => other.disk === disk);
  if (found) return found;
  throw new NotOnNode('disk', `machine ${vm} on ${node} has no disk ${disk}: it has ${disks.length}, counted from 1`);
}
