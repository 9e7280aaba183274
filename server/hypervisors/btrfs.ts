import { posix } from 'node:path';
import type { Node } from '../model/node.js';
import type { NodePool } from '../model/node-status.js';
import { imagesIn, pullStreams, removeSubvolume } from './btrfs-images.js';
import { lookAround, SNAPSHOTS, type Subvolume, type Subvolumes } from './btrfs-subvolumes.js';
import type { Host, Words } from './host.js';
import { type Hypervisor, NotOnNode, NotOnPlatform, type SnapshotName } from './hypervisor.js';
import { describeLinux, type Place, placeNamed, placesOf } from './linux-node.js';
import { readSources, writeSources } from './linux-sources.js';
import { machineNamed } from './named-on-node.js';
import { packer } from './pack-on-node.js';
import { reaches } from './reaches.js';
import { sweepScratch } from './scratch-on-node.js';

/** Where systemd has machines. */
const PRESUMED = '/var/lib/machines';

const TOOLS = ['btrfs', 'curl', 'gzip', 'xz', 'zstd', 'bzip2'];

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export async function detectBtrfs(host: Host, signal: AbortSignal): Promise<boolean> {
  const look = 'command -v btrfs >/dev/null && grep -q " btrfs " /proc/mounts && echo yes || :';
  return (await host.run(['sh', '-c', look], { signal, most: 4096 })).includes('yes');
}

type Machine = Subvolumes['machines'][number];

export function connectBtrfs(host: Host, node: Node): Hypervisor {
  const places = () => placesOf(node, PRESUMED);
  const found = (signal: AbortSignal) => lookAround(host, node, places(), signal);

  async function machineOf(vm: string, signal: AbortSignal): Promise<Machine> {
    const { machines } = UUID.test(vm) ? await found(signal) : { machines: [] };
    return machineNamed(machines, vm, node.name);
  }

  async function machineWith({ vm, disk }: SnapshotName, signal: AbortSignal): Promise<Machine> {
    const machine = await machineOf(vm, signal);
    if (disk !== 1) throw new NotOnNode('disk', `machine ${vm} on ${node.name} has no disk ${disk}, but one`);
    return machine;
  }

  async function kept(meant: SnapshotName, signal: AbortSignal): Promise<{ machine: Machine; snapshot: Subvolume }> {
    const machine = await machineWith(meant, signal);
    const snapshot = machine.snapshots.get(meant.snapshot);
    if (snapshot) return { machine, snapshot };
    throw new NotOnNode('snapshot', `machine ${meant.vm} on ${node.name} has no snapshot "${meant.snapshot}"`);
  }

  return {
    platform: 'btrfs',

    async describe(signal) {
      const described = await describeLinux(host, TOOLS, signal);
      const pools = await usageAt(host, places(), signal);
      return { platform: 'btrfs', ...described, pools, brands: [], firmware: [], drivers: [] };
    },

    async inventory(signal) {
      const { machines } = await found(signal);
      return machines.map(({ vm }) => vm);
    },

    async snapshots(vm, signal) {
      const { snapshots } = await machineOf(vm, signal);
      return [...snapshots].map(([name, { uuid, created }]) => ({
        name,
        disk: 1,
        guid: uuid,
        ...(created !== undefined && { created }),
      }));
    },

    async takeSnapshot(meant, signal) {
      const { subvolume, place } = await machineWith(meant, signal);
      const { snapshot } = meant;
      if (!isFileName(snapshot)) throw new NotOnPlatform(`"${snapshot}" can not be the name of a directory`);
      const directory = `${place.path}/${SNAPSHOTS}/${posix.basename(subvolume.path)}`;
      await host.run(['sh', '-c', take, 'sh', subvolume.path, directory, snapshot], { signal });
    },

    async removeSnapshot(meant, signal) {
      const { snapshot } = await kept(meant, signal);
      await host.run(['sh', '-c', remove, 'sh', snapshot.path], { signal });
    },

    async facts(meant, signal) {
      const { machine, snapshot } = await kept(meant, signal);
      const { vm, base } = machine;
      const [disk] = vm.disks;
      if (!disk) throw new NotOnNode('disk', `machine ${vm.uuid} on ${node.name} has no disk`);
      return {
        vm,
        disk,
        type: 'other',
        ...(vm.os !== undefined && { os: vm.os }),
        manifest: { tags: { format: 'btrfs' } },
        guid: snapshot.uuid,
        ...(base && { origin: { ...(disk.image && { image: disk.image }), guid: base.received ?? base.uuid } }),
      };
    },

    // btrfs removes nothing that is being sent, and knows no other holds.
    async hold(meant, _job, signal) {
      await kept(meant, signal);
    },
    async release() {},

    async *openSnapshot(meant, { incremental, packing, signal }) {
      const { machine, snapshot } = await kept(meant, signal);
      const { base } = machine;
      if (incremental && !base) throw new NotOnPlatform(`${machine.vm.hostname} was not made of an image that is here`);
      const since = incremental && base ? ['-p', base.path] : [];
      const send: Words = ['btrfs', 'send', '-q', ...since, snapshot.path];
      yield* host.stream({ pipe: [send, ...packer(packing)] }, { signal });
    },

    images: async (signal) => imagesIn(await found(signal)),
    async pull(order, options) {
      const place = placeNamed(places(), order.pool, node.name);
      await pullStreams(host, place, await found(options.signal), order, options);
    },
    async remove(image, pool, signal) {
      const place = placeNamed(places(), pool, node.name);
      await removeSubvolume(host, { image, place }, await found(signal), signal);
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

/** No name is longer, and a line break could say anything where subvolumes are listed. */
const isFileName = (name: string) =>
  name !== '' &&
  name !== '.' &&
  name !== '..' &&
  Buffer.byteLength(name) <= 255 &&
  !/[/\u0000-\u001f\u007f]/.test(name);

// Where there is a directory of that name, the snapshot would be made in it.
const take = `set -eu
mkdir -p -- "$2"
if [ -e "$2/$3" ]; then echo "there is a snapshot \\"$3\\" already" >&2; exit 1; fi
btrfs subvolume snapshot -r "$1" "$2/$3" >/dev/null`;

const remove = `btrfs subvolume delete "$1" >/dev/null || exit 1
rmdir -- "\${1%/*}" 2>/dev/null || :`;

const measure = `for place; do printf '%s\\0' "$(btrfs filesystem usage -b "$place" 2>/dev/null)"; done`;

async function usageAt(host: Host, places: readonly Place[], signal: AbortSignal): Promise<NodePool[]> {
  const paths = places.map(({ path }) => path);
  const printed = await host.run(['sh', '-c', measure, 'sh', ...paths], { signal, most: 1 << 20 });
  const texts = printed.split('\0');
  return places.flatMap(({ name, presumed }, at) => {
    const usage = usageIn(texts[at]);
    if (usage) return [{ name, ...usage }];
    return presumed ? [] : [{ name, size: 0, free: 0, health: 'missing' }];
  });
}

/** Of `btrfs filesystem usage -b`. */
export function usageIn(text = ''): Omit<NodePool, 'name'> | undefined {
  const bytes = (of: string) => Number(new RegExp(`^\\s*${of}:\\s+(\\d{1,19})\\b`, 'm').exec(text)?.[1] ?? Number.NaN);
  const size = bytes('Device size');
  const free = bytes('Free \\(estimated\\)');
  if (Number.isNaN(size) || Number.isNaN(free)) return undefined;
  return { size, free, health: bytes('Device missing') > 0 ? 'degraded' : 'online' };
}
