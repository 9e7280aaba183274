import type { Node } from '../model/node.js';
import { CommandFailed, type Host, type Words } from './host.js';
import { type Hypervisor, NotOnNode, NotOnPlatform, type SnapshotName } from './hypervisor.js';
import { describeLinux } from './linux-node.js';
import { readSources, writeSources } from './linux-sources.js';
import { pullVolumes } from './lvm-images.js';
import { isImage, type LvmDisk, type LvmMachine, machinesIn, SCRATCH, snapshotName } from './lvm-machines.js';
import { diskNamed, machineNamed } from './named-on-node.js';
import { packer } from './pack-on-node.js';
import { FIELDS, VOLUME_NAME, type Volume, volumesIn } from './parse-lvs.js';
import { reaches } from './reaches.js';
import { clearScratch, scratchOf, sweepScratch } from './scratch-on-node.js';

const TOOLS = ['lvs', 'curl', 'gzip', 'xz', 'zstd', 'bzip2'];

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Tags of volumes that jobs hold, or have made readable. */
const held = (job: string) => `${SCRATCH}hold_${job}`;
const opened = (job: string) => `${SCRATCH}open_${job}`;

const list: Words = [
  'lvs',
  ...['--reportformat', 'json', '--units', 'b', '--nosuffix', '--config', 'report{time_format="%s"}'],
  ...['-o', FIELDS.join(',')],
];

export async function detectLvmThin(host: Host, signal: AbortSignal): Promise<boolean> {
  const look = 'command -v lvs >/dev/null || exit 0; lvs --noheadings -o lv_name -S lv_layout=pool 2>/dev/null || :';
  return (await host.run(['sh', '-c', look], { signal, most: 1 << 20 })).trim() !== '';
}

/** Colons are in no name of LVM. */
const poolOf = ({ group, pool }: Volume) => `${group}:${pool}`;

export function connectLvmThin(host: Host, node: Node): Hypervisor {
  /** Of groups, or pools of groups, that are named; of all where none are. */
  async function volumes(signal: AbortSignal): Promise<Volume[]> {
    const places = node.connection?.places ?? [];
    const odd = places.find((place) => !place.split('/').every((name) => VOLUME_NAME.test(name)));
    if (odd !== undefined) throw new NotOnPlatform(`"${odd}" is no place on ${node.name}: give VG or VG/POOL`);
    const all = volumesIn(await host.run(list, { signal, most: 64 << 20 }));
    const isMeant = ({ group, name, pool, kind }: Volume) =>
      places.length === 0 || places.includes(group) || places.includes(`${group}/${kind === 'pool' ? name : pool}`);
    return all.filter((volume) => volume.kind !== 'other' && isMeant(volume));
  }

  async function machineOf(vm: string, signal: AbortSignal): Promise<LvmMachine> {
    const machines = UUID.test(vm) ? machinesIn(node.name, await volumes(signal)) : [];
    return machineNamed(machines, vm, node.name);
  }

  async function diskOf(meant: SnapshotName, signal: AbortSignal): Promise<{ machine: LvmMachine; disk: LvmDisk }> {
    const machine = await machineOf(meant.vm, signal);
    return { machine, disk: diskNamed(machine.disks, meant, node.name) };
  }

  async function kept(
    meant: SnapshotName,
    signal: AbortSignal,
  ): Promise<{ machine: LvmMachine; disk: LvmDisk; snapshot: Volume }> {
    const { machine, disk } = await diskOf(meant, signal);
    const snapshot = disk.snapshots.get(meant.snapshot);
    if (snapshot) return { machine, disk, snapshot };
    const what = `disk ${meant.disk} of machine ${meant.vm} on ${node.name} has no snapshot "${meant.snapshot}"`;
    throw new NotOnNode('snapshot', what);
  }

  async function poolNamed(pool: string, signal: AbortSignal): Promise<{ pool: Volume; all: Volume[] }> {
    const all = await volumes(signal);
    const found = all.find(({ kind, group, name }) => kind === 'pool' && `${group}:${name}` === pool);
    if (!found) throw new NotOnNode('pool', `there is no pool "${pool}" on ${node.name}`);
    return { pool: found, all };
  }

  const lvm = (words: Words, signal: AbortSignal) => host.run(words, { signal, most: 1 << 20 });

  return {
    platform: 'lvm-thin',

    async describe(signal) {
      const { hostname, version, tools } = await describeLinux(host, TOOLS, signal);
      const pools = (await volumes(signal))
        .filter(({ kind }) => kind === 'pool')
        .map(({ group, name, size, taken, isHealthy }) => ({
          name: `${group}:${name}`,
          size,
          free: Math.floor(size * (1 - taken)),
          health: isHealthy ? 'online' : 'degraded',
        }));
      return { platform: 'lvm-thin', hostname, version, tools, pools, brands: ['kvm'], firmware: [], drivers: [] };
    },

    async inventory(signal) {
      return machinesIn(node.name, await volumes(signal)).map(({ vm }) => vm);
    },

    async snapshots(vm, signal) {
      const { disks } = await machineOf(vm, signal);
      return disks.flatMap(({ disk, snapshots }) =>
        [...snapshots].map(([name, { created, size, taken }]) => ({
          name,
          disk,
          used: Math.floor(size * taken),
          ...(created !== undefined && { created }),
        })),
      );
    },

    async takeSnapshot(meant, signal) {
      const { disk } = await diskOf(meant, signal);
      const name = snapshotName(disk.volume, meant.snapshot);
      if (meant.snapshot === '' || !VOLUME_NAME.test(name)) {
        throw new NotOnPlatform(
          `"${meant.snapshot}" can not be part of the name of a volume: letters, digits and +_.- can`,
        );
      }
      await lvm(['lvcreate', '-q', '-p', 'r', '-s', '-n', name, disk.volume.path], signal);
    },

    async removeSnapshot(meant, signal) {
      const { snapshot } = await kept(meant, signal);
      const holder = snapshot.tags.find((tag) => tag.startsWith(held('')));
      if (holder !== undefined)
        throw new CommandFailed('lvremove', node.name, 1, `${snapshot.path} is held: ${holder}`);
      await lvm(['lvremove', '-q', '-y', snapshot.path], signal);
    },

    async facts(meant, signal) {
      const { machine, disk, snapshot } = await kept(meant, signal);
      const found = machine.vm.disks.find((one) => one.disk === disk.disk);
      return {
        vm: machine.vm,
        disk: found ?? { disk: disk.disk, volume: disk.volume.path },
        type: 'zvol',
        manifest: { nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'qemu64' },
        imageSize: Math.ceil(snapshot.size / 2 ** 20),
        bytes: snapshot.size,
        formats: ['raw'],
      };
    },

    // LVM itself knows no holds: who removes volumes by hand is not stopped by a tag.
    async hold(meant, job, signal) {
      const { snapshot } = await kept(meant, signal);
      await lvm(['lvchange', '-q', '--addtag', held(job), snapshot.path], signal);
    },

    async release(meant, job, signal) {
      const { snapshot } = await kept(meant, signal).catch((error: unknown) => {
        if (error instanceof NotOnNode) return { snapshot: undefined };
        throw error;
      });
      if (snapshot?.tags.includes(held(job))) {
        await lvm(['lvchange', '-q', '--deltag', held(job), snapshot.path], signal);
      }
    },

    async *openSnapshot(meant, { job, incremental, packing, signal }) {
      if (incremental) throw new NotOnPlatform('LVM sends whole disks, and no increments');
      const { snapshot } = await kept(meant, signal);
      const send: Words = ['sh', '-c', read, 'sh', snapshot.path, opened(job)];
      let isDone = false;
      try {
        yield* host.stream({ pipe: [send, ...packer(packing)] }, { signal });
        isDone = true;
      } finally {
        if (!isDone) {
          // What is out of reach now is for the sweep.
          const close: Words = ['sh', '-c', shut, 'sh', snapshot.path, opened(job)];
          await host.run(close, { signal: AbortSignal.timeout(30_000) }).catch(() => {});
        }
      }
    },

    async images(signal) {
      const all = await volumes(signal);
      return all.filter(isImage).map((image) => ({
        uuid: image.name,
        pool: poolOf(image),
        size: Math.floor(image.size * image.taken),
        used: all.filter(({ group, origin }) => group === image.group && origin === image.name).length,
      }));
    },

    async pull(order, options) {
      const { pool, all } = await poolNamed(order.pool, options.signal);
      const scratch = scratchOf('/tmp', order.job);
      try {
        await pullVolumes(host, { pool, scratch, there: all.filter(isImage) }, order, options);
      } finally {
        await clearScratch(host, scratch);
      }
    },

    async remove(image, pool, signal) {
      const { all } = await poolNamed(pool, signal);
      const found = all.find((one) => isImage(one) && one.name === image && poolOf(one) === pool);
      if (!found) throw new NotOnNode('image', `there is no image ${image} in pool ${pool} of ${node.name}`);
      const user = all.find(({ group, origin }) => group === found.group && origin === image);
      if (user) throw new CommandFailed('lvremove', node.name, 1, `${user.path} was made of image ${image}`);
      await lvm(['lvremove', '-q', '-y', found.path], signal);
    },

    sources: (signal) => readSources(host, signal),
    configureSources: (sources, signal) => writeSources(host, sources, signal),
    reaches: (url, signal) => reaches(host, url, signal),

    async sweep(isOver, signal) {
      await sweepScratch(host, [], isOver, signal);
      for (const { path, name, tags } of await volumes(signal)) {
        if (name.startsWith(SCRATCH) && (await isOver(name.slice(SCRATCH.length)))) {
          await lvm(['lvremove', '-q', '-y', path], signal);
          continue;
        }
        for (const tag of tags) {
          const mark = [held(''), opened('')].find((one) => tag.startsWith(one));
          if (mark === undefined || !(await isOver(tag.slice(mark.length)))) continue;
          if (tag.startsWith(opened(''))) await lvm(['sh', '-c', shut, 'sh', path, tag], signal);
          else await lvm(['lvchange', '-q', '--deltag', tag, path], signal);
        }
      }
    },
  };
}

// One that others read as well stays readable: LVM refuses to take away what is open.
const shut = `lvchange -q -an "$1" >/dev/null 2>&1
lvchange -q --deltag "$2" "$1" >/dev/null`;

const read = `lvchange -q --addtag "$2" "$1" >/dev/null && lvchange -q -ay -K "$1" >/dev/null || exit 1
dd if="/dev/$1" bs=1048576 status=none; code=$?
${shut}
exit $code`;
