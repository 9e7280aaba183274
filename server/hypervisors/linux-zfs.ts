import type { Node } from '../model/node.js';
import { CommandFailed, type Host } from './host.js';
import { type FoundDisk, type FoundVm, type Hypervisor, NotOnNode } from './hypervisor.js';
import { describeLinux } from './linux-node.js';
import { readSources, writeSources } from './linux-sources.js';
import { linuxZfsImages, pullImages, removeImage, sweepReceived } from './linux-zfs-images.js';
import { imageOfSnapshot, linuxZfsMachines, placesOf } from './linux-zfs-machines.js';
import { reaches } from './reaches.js';
import { Zfs } from './zfs.js';
import { sweepHolds } from './zfs-holds.js';
import { type Traits, zfsSnapshots } from './zfs-snapshots.js';

/** `zfs` tells its version in a way of its own, where it does. */
const TOOLS = ['curl', 'gzip', 'xz', 'zstd', 'bzip2'];

const look = `[ "$(uname -s)" = Linux ] && zpool list -H -o name`;

export async function detectLinuxZfs(host: Host, signal: AbortSignal): Promise<boolean> {
  try {
    return (await host.run(['sh', '-c', look], { signal, most: 1 << 20 })).trim() !== '';
  } catch (error) {
    if (error instanceof CommandFailed) return false;
    throw error;
  }
}

export function connectLinuxZfs(host: Host, node: Node): Hypervisor {
  const zfs = new Zfs(host);

  async function machine(uuid: string, signal: AbortSignal): Promise<FoundVm> {
    const vm = (await linuxZfsMachines(zfs, node, signal)).find((one) => one.uuid === uuid);
    if (!vm) throw new NotOnNode('vm', `there is no machine "${uuid}" on ${node.name}`);
    return vm;
  }

  /** A volume is sent as it is, instead of as a stream of ZFS, where `slipway:send` says `raw`, on it or above it. */
  async function traits({ os }: FoundVm, { volume }: FoundDisk, signal: AbortSignal): Promise<Traits> {
    const known = (await zfs.get([volume], ['type', 'slipway:send'], signal)).get(volume);
    const isVolume = known?.get('type') === 'volume';
    return {
      type: isVolume ? 'zvol' : 'other',
      ...(os !== undefined && { os }),
      manifest: isVolume ? { disk_driver: 'virtio', nic_driver: 'virtio', cpu_type: 'host' } : {},
      ...(isVolume && known?.get('slipway:send') === 'raw' && { raw: true }),
    };
  }

  return {
    platform: 'linux-zfs',

    async describe(signal) {
      const described = await describeLinux(host, TOOLS, signal);
      const said = await host.run(['sh', '-c', 'zfs version 2>/dev/null || :'], { signal, most: 64 << 10 });
      const [, version = ''] = /^zfs-(\d[\w.-]*)/m.exec(said) ?? [];
      return {
        platform: 'linux-zfs',
        ...described,
        tools: { zfs: version, ...described.tools },
        pools: await zfs.pools(signal),
        brands: [],
        firmware: [],
        drivers: [],
      };
    },

    inventory: (signal) => linuxZfsMachines(zfs, node, signal),

    ...zfsSnapshots(host, { machine, traits, imageOf: async (snapshot) => imageOfSnapshot(snapshot) }),

    images: (signal) => linuxZfsImages(zfs, signal),
    pull: (order, options) => pullImages(zfs, order, options),
    remove: (image, pool, signal) => removeImage(zfs, image, pool, signal),
    sources: (signal) => readSources(host, signal),
    configureSources: (sources, signal) => writeSources(host, sources, signal),
    reaches: (url, signal) => reaches(host, url, signal),

    async sweep(isOver, signal) {
      await sweepHolds(zfs, placesOf(node), isOver, signal);
      await sweepReceived(zfs, isOver, signal);
    },
  };
}
