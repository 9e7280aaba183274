import { isUuid } from '../../imgapi/image.js';
import type { Node } from '../model/node.js';
import { CommandFailed, type Host, type Words } from './host.js';
import { type FoundDisk, type FoundVm, type Hypervisor, NotOnNode } from './hypervisor.js';
import {
  type InstalledImage,
  isHvm,
  parseImages,
  parseSources,
  parseSysinfo,
  parseVms,
  type SmartosVm,
  VM_FIELDS,
} from './parse-vmadm.js';
import { parseBytes } from './parse-zfs.js';
import { reaches } from './reaches.js';
import { pullImages } from './smartos-pull.js';
import { isPool, Zfs } from './zfs.js';
import { sweepHolds } from './zfs-holds.js';
import { type Traits, zfsSnapshots } from './zfs-snapshots.js';

const MOST = 64 << 20;
const STAMP = /^\d{8}T\d{6}Z$/;
/** What `imgadm` keeps to, as image servers; others are for containers of Docker. */
const OURS: ReadonlySet<string> = new Set(['imgapi', 'dsapi']);

const look = `for tool; do
  if command -v "$tool" >/dev/null; then
    case $tool in imgadm | curl | gzip | xz | zstd) version=$("$tool" --version 2>/dev/null | head -n 1);; *) version=;; esac
    printf '%s\\t%s\\n' "$tool" "$version"
  fi
done`;
const TOOLS = ['vmadm', 'imgadm', 'zfs', 'curl', 'gzip', 'bzip2', 'xz', 'zstd'];

export async function detectSmartos(host: Host, signal: AbortSignal): Promise<boolean> {
  return (await host.run(['uname', '-v'], { signal, most: 4096 })).startsWith('joyent_');
}

export function connectSmartos(host: Host, node: Node): Hypervisor {
  const zfs = new Zfs(host);

  /** What a tool has printed, read by one of our parsers. */
  async function ask<R>(words: Words, parse: (printed: string) => R, signal: AbortSignal): Promise<R> {
    const printed = await host.run(words, { signal, most: MOST });
    try {
      return parse(printed);
    } catch (error) {
      const why = `what it has printed can not be read: ${error instanceof Error ? error.message.slice(0, 200) : error}`;
      throw new CommandFailed(words[0], host.name, 0, why, { cause: error });
    }
  }

  const images = (signal: AbortSignal): Promise<InstalledImage[]> => ask(['imgadm', 'list', '-j'], parseImages, signal);
  const fields = ['-j', '-o', VM_FIELDS.join(',')];

  async function machines(terms: readonly string[], signal: AbortSignal): Promise<SmartosVm[]> {
    const found = await ask(['vmadm', 'lookup', ...fields, ...terms], parseVms, signal);
    if (!found.some(({ brand, disks }) => isHvm(brand) && disks[0]?.image !== undefined)) return found;
    // what runs in a virtual machine only its image knows
    const systems = await systemsOf(signal);
    return found.map((vm) => {
      const os = isHvm(vm.brand) ? systems.get(vm.disks[0]?.image ?? '') : undefined;
      return os === undefined ? vm : { ...vm, os };
    });
  }

  /** By image. Machines are told also where nobody can say what runs in them. */
  async function systemsOf(signal: AbortSignal): Promise<Map<string, string | undefined>> {
    try {
      return new Map((await images(signal)).map(({ uuid, os }) => [uuid, os]));
    } catch (error) {
      if (error instanceof CommandFailed) return new Map();
      throw error;
    }
  }

  async function machine(uuid: string, signal: AbortSignal): Promise<SmartosVm> {
    const found = isUuid(uuid) ? await machines([`uuid=${uuid}`], signal) : [];
    const vm = found.find((one) => one.uuid === uuid);
    if (!vm) throw new NotOnNode('vm', `there is no machine "${uuid}" on ${node.name}`);
    return vm;
  }

  async function checkPool(pool: string, signal: AbortSignal): Promise<void> {
    const pools = await zfs.poolNames(signal);
    if (!isPool(pool) || !pools.includes(pool)) {
      throw new NotOnNode('pool', `there is no pool "${pool}" on ${node.name}: it has ${pools.join(', ')}`);
    }
  }

  async function traits(vm: FoundVm, disk: FoundDisk, signal: AbortSignal): Promise<Traits> {
    const { brand, os, diskDrivers, nicDriver, cpuType, bootrom, kernelVersion } = vm as SmartosVm;
    const system = os === undefined ? {} : { os };
    if (brand === 'lx') {
      const tags = kernelVersion === undefined ? {} : { tags: { kernel_version: kernelVersion } };
      return { type: 'lx-dataset', ...system, manifest: { requirements: { brand }, ...tags } };
    }
    if (!isHvm(brand)) {
      // what was built for a platform runs on no older one
      const { release, platform } = await ask(['sysinfo'], parseSysinfo, signal);
      const isKnown = release !== undefined && platform !== undefined && STAMP.test(platform);
      const manifest = isKnown ? { requirements: { min_platform: { [release]: platform } } } : {};
      return { type: 'zone-dataset', ...system, manifest };
    }
    const isBoot = bootrom === 'bios' || bootrom === 'uefi';
    return {
      type: 'zvol',
      ...system,
      manifest: {
        disk_driver: diskDrivers[disk.disk - 1] ?? 'virtio',
        nic_driver: nicDriver ?? 'virtio',
        cpu_type: cpuType ?? 'host',
        requirements: { brand, ...(brand === 'bhyve' && isBoot && { bootrom }) },
      },
    };
  }

  return {
    platform: 'smartos',

    async describe(signal) {
      const system = await ask(['sysinfo'], parseSysinfo, signal);
      const version = (await host.run(['uname', '-v'], { signal, most: 4096 })).trim();
      const printed = await host.run(['sh', '-c', look, 'sh', ...TOOLS], { signal, most: 64 << 10 });
      const tools = printed.split('\n').flatMap((line) => (line === '' ? [] : [line.slice(0, 200).split('\t')]));
      return {
        platform: 'smartos',
        hostname: system.hostname ?? node.name,
        version: version.replace(/^joyent_/, '').slice(0, 100),
        tools: Object.fromEntries(tools.map(([name, said = '']) => [name!, versionIn(said)])),
        pools: await zfs.pools(signal),
        brands: system.brands,
        firmware: system.brands.includes('bhyve') ? ['bios', 'uefi'] : ['bios'],
        drivers: ['virtio', 'ide', 'scsi', 'e1000', 'rtl8139'],
      };
    },

    inventory: async (signal) => (await machines([], signal)).map(asFound),

    ...zfsSnapshots(host, {
      machine: async (uuid, signal) => machine(uuid, signal),
      traits,
      imageOf: async (snapshot) => {
        const [, uuid] = snapshot.slice(0, snapshot.indexOf('@')).split('/');
        return isUuid(uuid) ? uuid : undefined;
      },
    }),

    async images(signal) {
      const found = await images(signal);
      const names = found.map(({ pool, uuid }) => `${pool}/${uuid}`);
      const sizes = await zfs.get(names, ['used'], signal);
      return found.map(({ uuid, pool, clones }) => {
        const size = parseBytes(sizes.get(`${pool}/${uuid}`)?.get('used'));
        return { uuid, pool, used: clones, ...(size !== undefined && { size }) };
      });
    },

    async pull(order, options) {
      await checkPool(order.pool, options.signal);
      await pullImages(zfs, order, options);
    },

    async remove(image, pool, signal) {
      await checkPool(pool, signal);
      const absent = new NotOnNode('image', `image "${image}" is not on pool "${pool}" of ${node.name}`);
      if (!isUuid(image)) throw absent;
      try {
        await host.run(['imgadm', 'delete', '-P', pool, image], { signal });
      } catch (error) {
        throw error instanceof CommandFailed && /ImageNotInstalled|was not found/.test(error.said) ? absent : error;
      }
    },

    sources: async (signal) =>
      (await ask(['imgadm', 'sources', '-j'], parseSources, signal)).filter(isOurs).map(({ url }) => url),

    /** Those up to the first that differs stay, as the tool adds at the end only. */
    async configureSources(wanted, signal) {
      const there = (await ask(['imgadm', 'sources', '-j'], parseSources, signal)).filter(isOurs);
      const differs = there.findIndex(({ url }, at) => url !== wanted[at]);
      const stays = differs === -1 ? there.length : differs;
      for (const { url } of there.slice(stays)) await host.run(['imgadm', 'sources', '-d', url], { signal });
      // unasked: a server that is down now is asked when images are
      for (const url of wanted.slice(stays)) await host.run(['imgadm', 'sources', '-f', '-a', url], { signal });
    },

    reaches: (url, signal) => reaches(host, url, signal),

    async sweep(isOver, signal) {
      await sweepHolds(zfs, await zfs.poolNames(signal), isOver, signal);
    },
  };
}

const isOurs = ({ type }: { type: string }) => OURS.has(type);

const asFound = ({ diskDrivers, nicDriver, cpuType, bootrom, ...vm }: SmartosVm): FoundVm => vm;

const versionIn = (said: string) => /\d+(\.\d+)+[\w.+~-]*/.exec(said)?.[0] ?? said;
