import { posix } from 'node:path';
import type { Node } from '../model/node.js';
import { CommandFailed, type Host } from './host.js';
import { type FoundSnapshot, type Hypervisor, NotOnNode, NotOnPlatform, type SnapshotName } from './hypervisor.js';
import { removeOfDomain, takeOfDomain } from './libvirt.js';
import { describeLinux, type Place, placeNamed, placesOf, poolsAt } from './linux-node.js';
import { readSources, writeSources } from './linux-sources.js';
import { diskNamed, machineNamed } from './named-on-node.js';
import { type DiskFile, optionOf } from './qemu-files.js';
import { imagesAt, pullImages, removeImage } from './qemu-images.js';
import { machinesOn, type QemuDisk, type QemuMachine } from './qemu-machines.js';
import { sendDisk } from './qemu-stream.js';
import { reaches } from './reaches.js';
import { scratchOf, sweepScratch } from './scratch-on-node.js';

/** Where libvirt puts disks. */
const PRESUMED = '/var/lib/libvirt/images';

const TOOLS = ['qemu-img', 'virsh', 'qemu-nbd', 'nbdcopy', 'curl', 'gzip', 'xz', 'zstd', 'bzip2'];

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What is longer, qemu cuts. */
const LONGEST = 255;

/** What qemu has for all machines of it. */
const DRIVERS = ['virtio', 'scsi', 'sata', 'ide', 'e1000', 'rtl8139'];

const UEFI = 'for at in /usr/share/OVMF /usr/share/edk2 /usr/share/qemu/OVMF.fd; do [ ! -e "$at" ] || echo uefi; done';

export async function detectQemu(host: Host, signal: AbortSignal): Promise<boolean> {
  const found = await host.run(['sh', '-c', 'command -v qemu-img || :'], { signal, most: 4096 });
  return found.trim() !== '';
}

/** A snapshot in the file of a disk, or what an overlay of it was laid on. */
interface Kept {
  machine: QemuMachine;
  disk: QemuDisk;
  /** In which its bytes are. */
  file: DiskFile;
  /** Its number, where it is a snapshot inside. */
  id?: string;
}

export function connectQemu(host: Host, node: Node): Hypervisor {
  const places = () => placesOf(node, PRESUMED);
  const found = (signal: AbortSignal) => machinesOn(host, node, places(), signal);

  async function machineOf(vm: string, signal: AbortSignal): Promise<QemuMachine> {
    const { machines } = UUID.test(vm) ? await found(signal) : { machines: [] };
    return machineNamed(machines, vm, node.name);
  }

  async function diskOf(meant: SnapshotName, signal: AbortSignal): Promise<{ machine: QemuMachine; disk: QemuDisk }> {
    const machine = await machineOf(meant.vm, signal);
    return { machine, disk: diskNamed(machine.disks, meant, node.name) };
  }

  async function kept(meant: SnapshotName, signal: AbortSignal): Promise<Kept> {
    const { machine, disk } = await diskOf(meant, signal);
    const inside = disk.file?.snapshots.find(({ name }) => name === meant.snapshot);
    if (disk.file && inside) return { machine, disk, file: disk.file, id: inside.id };
    const below = disk.frozen.find((file) => nameOfFrozen(file) === meant.snapshot);
    if (below) return { machine, disk, file: below };
    const what = `disk ${meant.disk} of machine ${meant.vm} on ${node.name} has no snapshot "${meant.snapshot}"`;
    throw new NotOnNode('snapshot', what);
  }

  return {
    platform: 'qemu',

    async describe(signal) {
      const described = await describeLinux(host, TOOLS, signal);
      const uefi = await host.run(['sh', '-c', UEFI], { signal, most: 4096 });
      return {
        platform: 'qemu',
        ...described,
        pools: await poolsAt(host, places(), signal),
        brands: ['kvm'],
        firmware: uefi.includes('uefi') ? ['bios', 'uefi'] : ['bios'],
        drivers: DRIVERS,
      };
    },

    async inventory(signal) {
      const { machines } = await found(signal);
      return machines.map(({ vm }) => vm);
    },

    async snapshots(vm, signal) {
      const { disks } = await machineOf(vm, signal);
      return disks.flatMap(snapshotsOf);
    },

    async takeSnapshot(meant, signal) {
      const { machine, disk } = await diskOf(meant, signal);
      const { vm, domain } = machine;
      const { file } = disk;
      if (file?.format !== 'qcow2') throw new NotOnPlatform(`${disk.volume} is no qcow2: only those have snapshots`);
      const length = Buffer.byteLength(meant.snapshot);
      if (length === 0 || length > LONGEST)
        throw new NotOnPlatform(`names of snapshots have 1 to ${LONGEST} bytes here`);
      if (snapshotsOf(disk).some(({ name }) => name === meant.snapshot)) {
        throw new CommandFailed('qemu-img', node.name, 1, `${file.path} has a snapshot "${meant.snapshot}" already`);
      }
      if (domain) return takeOfDomain(host, vm.uuid, meant.snapshot, signal);
      if (file.held) {
        throw new NotOnPlatform(
          `${vm.hostname} is running without libvirt, which alone could take a snapshot now: stop it first`,
        );
      }
      await host.run(['qemu-img', 'snapshot', '--image-opts', '-c', meant.snapshot, optionOf(file)], { signal });
    },

    async removeSnapshot(meant, signal) {
      const { machine, file, id } = await kept(meant, signal);
      if (id === undefined)
        throw new NotOnPlatform(`the disk builds on ${file.path}: it can not be removed as a snapshot`);
      const { vm, domain } = machine;
      if (domain?.snapshots.includes(meant.snapshot)) return removeOfDomain(host, vm.uuid, meant.snapshot, signal);
      if (file.held) throw new NotOnPlatform(`${vm.hostname} is running and writes to ${file.path}: stop it first`);
      await host.run(['qemu-img', 'snapshot', '--image-opts', '-d', meant.snapshot, optionOf(file)], { signal });
    },

    async facts(meant, signal) {
      const { machine, disk, file } = await kept(meant, signal);
      const bytes = sizeOf(file, node.name);
      return {
        vm: machine.vm,
        disk: machine.vm.disks.find((one) => one.disk === meant.disk) ?? disk,
        type: 'zvol',
        ...(machine.vm.os !== undefined && { os: machine.vm.os }),
        manifest: {
          nic_driver: driverOf(machine.domain?.nic),
          disk_driver: driverOf(disk.bus),
          cpu_type: machine.domain?.cpu ?? 'qemu64',
          ...(machine.domain?.firmware === 'uefi' && { tags: { firmware: 'uefi' } }),
        },
        imageSize: Math.ceil(bytes / 2 ** 20),
        bytes,
        formats: ['raw', 'qcow2'],
      };
    },

    // qemu knows no holds: while a snapshot is read, the lock on its file keeps it.
    async hold(meant, _job, signal) {
      await kept(meant, signal);
    },
    async release() {},

    async *openSnapshot(meant, options) {
      if (options.incremental) throw new NotOnPlatform('qemu sends whole disks, and no increments');
      const { disk, file, id } = await kept(meant, options.signal);
      sizeOf(file, node.name);
      const { path } = placeOf(places(), disk);
      yield* sendDisk(
        host,
        {
          file,
          ...(id !== undefined && { id }),
          scratch: scratchOf(path, options.job),
        },
        options,
      );
    },

    images: async (signal) => imagesAt(host, places(), await found(signal), signal),
    pull: (order, options) => pullImages(host, node.name, places(), order, options),
    async remove(image, pool, signal) {
      const place = placeNamed(places(), pool, node.name);
      await removeImage(host, { image, place }, await found(signal), signal);
    },
    sources: (signal) => readSources(host, signal),
    configureSources: (sources, signal) => writeSources(host, sources, signal),
    reaches: (url, signal) => reaches(host, url, signal),
    sweep: (isOver, signal) =>
      sweepScratch(
        host,
        places().map(({ path }) => path),
        isOver,
        signal,
      ),
  };
}

const nameOfFrozen = ({ path }: DiskFile) => posix.basename(path).replace(/\.(qcow2|raw|img)$/, '');

function snapshotsOf({ disk, file, frozen }: QemuDisk): FoundSnapshot[] {
  const inside = file?.snapshots.map(({ name, created }) => ({ name, disk, created })) ?? [];
  const below = frozen.map((one) => ({ name: nameOfFrozen(one), disk, used: one.takes }));
  const names = new Set<string>();
  return [...inside, ...below].filter(({ name }) => !names.has(name) && names.add(name));
}

/** What a disk is read from must be files that can be told. */
function sizeOf({ path, size, backing }: DiskFile, node: string): number {
  if (backing && 'odd' in backing)
    throw new NotOnPlatform(`${path} builds on "${backing.odd}", which is no file of ${node}`);
  if (size === undefined) throw new CommandFailed('qemu-img', node, 1, `${path} can not be read`);
  return size;
}

const driverOf = (name = 'virtio') => (/^[a-z0-9_-]{1,32}$/.test(name) ? name : 'virtio');

/** Where the copy of a disk lies that can not be sent without one. */
function placeOf(places: readonly Place[], { volume }: QemuDisk): Place {
  const own = places.find(({ path }) => volume.startsWith(`${path}/`)) ?? places[0];
  if (!own) throw new NotOnPlatform('there is no place for a copy of the disk');
  return own;
}
