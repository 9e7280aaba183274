import type { Command, Host } from './host.js';
import {
  type FoundDisk,
  type FoundSnapshot,
  type FoundVm,
  type Hypervisor,
  NotOnNode,
  NotOnPlatform,
  type SnapshotFacts,
  type SnapshotName,
} from './hypervisor.js';
import { packer } from './pack-on-node.js';
import { isSet, type Properties, parseBytes, parseGuid, parseTime } from './parse-zfs.js';
import { isAbsent, isSnapshot, Zfs } from './zfs.js';
import { holdSnapshot, releaseSnapshot } from './zfs-holds.js';

/** What platforms with ZFS know each in their own way. */
export interface ZfsMachines {
  /** Throws NotOnNode. */
  machine(uuid: string, signal: AbortSignal): Promise<FoundVm>;
  /** What an image of that disk is, besides its bytes. */
  traits(vm: FoundVm, disk: FoundDisk, signal: AbortSignal): Promise<Traits>;
  /** The uuid of the image that a snapshot belongs to, of which disks are clones. */
  imageOf(snapshot: string, signal: AbortSignal): Promise<string | undefined>;
}

export interface Traits {
  type: string;
  os?: string;
  manifest: Record<string, unknown>;
  /** The bytes of a volume as they are, instead of a stream of ZFS. */
  raw?: true;
}

type OfSnapshots = Pick<
  Hypervisor,
  'snapshots' | 'takeSnapshot' | 'removeSnapshot' | 'facts' | 'hold' | 'release' | 'openSnapshot'
>;

interface Meant {
  vm: FoundVm;
  disk: FoundDisk;
  /** `pool/dataset@name`. */
  name: string;
}

/** Snapshots of ZFS, whoever's machines they are of. */
export function zfsSnapshots(host: Host, machines: ZfsMachines): OfSnapshots {
  const zfs = new Zfs(host);

  async function meantBy({ vm: uuid, disk: number, snapshot }: SnapshotName, signal: AbortSignal): Promise<Meant> {
    const vm = await machines.machine(uuid, signal);
    const disk = vm.disks.find((one) => one.disk === number);
    if (!disk) {
      const what = `machine ${uuid} on ${host.name} has no disk ${number}: it has ${vm.disks.length}, counted from 1`;
      throw new NotOnNode('disk', what);
    }
    return { vm, disk, name: `${disk.volume}@${snapshot}` };
  }

  const absent = ({ vm, disk }: Meant, snapshot: string) =>
    new NotOnNode('snapshot', `disk ${disk.disk} of ${vm.uuid} on ${host.name} has no snapshot "${snapshot}"`);

  /** What is known of a snapshot that is there, of its dataset, and of what that is a clone of. */
  async function found(
    wanted: SnapshotName,
    properties: readonly string[],
    signal: AbortSignal,
  ): Promise<Meant & { known: Properties }> {
    const meant = await meantBy(wanted, signal);
    // zfs does not say of longer names that there is none
    if (!isSnapshot(wanted.snapshot) || meant.name.length > 255) throw absent(meant, wanted.snapshot);
    const known = await zfs.get([meant.name, meant.disk.volume], properties, signal);
    if (!known.has(meant.name)) throw absent(meant, wanted.snapshot);
    return { ...meant, known };
  }

  return {
    async snapshots(uuid, signal) {
      const vm = await machines.machine(uuid, signal);
      const all: FoundSnapshot[] = [];
      for (const disk of vm.disks) all.push(...(await snapshotsOf(zfs, disk, signal)));
      return all;
    },

    async takeSnapshot(wanted, signal) {
      const { name } = await meantBy(wanted, signal);
      if (!isSnapshot(wanted.snapshot) || name.length > 255) {
        const what = `"${wanted.snapshot}" can not be the name of a snapshot: give letters, digits and "-_.:", 255 with its dataset`;
        throw new NotOnPlatform(what);
      }
      await zfs.run(['snapshot', name], signal);
    },

    async removeSnapshot(wanted, signal) {
      const { name } = await found(wanted, ['type'], signal);
      await zfs.run(['destroy', name], signal);
    },

    async facts(wanted, signal) {
      const meant = await found(wanted, ['guid', 'referenced', 'used', 'volsize', 'origin'], signal);
      const { vm, disk, name, known } = meant;
      const { raw, ...traits } = await machines.traits(vm, disk, signal);
      const dataset = known.get(disk.volume);
      const volsize = parseBytes(dataset?.get('volsize'));
      const size = volsize === undefined ? disk.size : Math.ceil(volsize / 2 ** 20);
      const isDisk = traits.type === 'zvol' || volsize !== undefined;
      const own = { vm, disk, ...traits, ...(isDisk && size !== undefined && { imageSize: size }) };
      if (raw) return { ...own, formats: ['raw'], ...(volsize !== undefined && { bytes: volsize }) };
      const guid = parseGuid(known.get(name)?.get('guid'));
      const bytes = (await zfs.estimate([name], signal)) ?? parseBytes(known.get(name)?.get('referenced'));
      const origin = await originOf(dataset?.get('origin'), name, dataset?.get('used'), signal);
      return {
        ...own,
        ...(guid !== undefined && { guid }),
        ...(bytes !== undefined && { bytes }),
        ...(origin && { origin }),
      };
    },

    async hold(wanted, job, signal) {
      const { name } = await found(wanted, ['type'], signal);
      await holdSnapshot(zfs, name, job, signal);
    },

    async release(wanted, job, signal) {
      let name: string;
      try {
        ({ name } = await meantBy(wanted, signal));
      } catch (error) {
        if (error instanceof NotOnNode) return;
        throw error;
      }
      if (isSnapshot(wanted.snapshot)) await releaseSnapshot(zfs, name, job, signal);
    },

    async *openSnapshot(wanted, { incremental, format, packing, signal }) {
      if (format !== undefined) throw new NotOnPlatform(`${host.name} sends what ZFS keeps, and no ${format}`);
      const { vm, disk, name, known } = await found(wanted, ['origin'], signal);
      const { raw } = await machines.traits(vm, disk, signal);
      const origin = known.get(disk.volume)?.get('origin');
      if (incremental && (raw || !isSet(origin))) {
        throw new NotOnPlatform(`disk ${disk.disk} of ${vm.uuid} is no clone: there is nothing to send it against`);
      }
      const sender = raw
        ? (['dd', `if=/dev/zvol/${name}`, 'bs=1024k'] as const)
        : (['zfs', 'send', ...(incremental ? ['-i', origin!] : []), name] as const);
      const packers = packer(packing);
      const command: Command = packers.length === 0 ? sender : { pipe: [sender, ...packers] };
      yield* host.stream(command, { signal });
    },
  };

  async function originOf(
    origin: string | undefined,
    name: string,
    used: string | undefined,
    signal: AbortSignal,
  ): Promise<SnapshotFacts['origin']> {
    if (!isSet(origin)) return undefined;
    const image = await machines.imageOf(origin, signal);
    const guid = parseGuid((await zfs.get([origin], ['guid'], signal)).get(origin)?.get('guid'));
    const bytes = (await zfs.estimate(['-i', origin, name], signal)) ?? parseBytes(used);
    return {
      ...(image !== undefined && { image }),
      ...(guid !== undefined && { guid }),
      ...(bytes !== undefined && { bytes }),
    };
  }
}

async function snapshotsOf(zfs: Zfs, { disk, volume }: FoundDisk, signal: AbortSignal): Promise<FoundSnapshot[]> {
  let below: Properties;
  try {
    below = await zfs.getBelow(volume, ['creation', 'guid', 'used'], signal);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
  const prefix = `${volume}@`;
  return [...below].flatMap(([name, values]) => {
    if (!name.startsWith(prefix)) return [];
    const created = parseTime(values.get('creation'));
    const guid = parseGuid(values.get('guid'));
    const used = parseBytes(values.get('used'));
    return [
      {
        name: name.slice(prefix.length),
        disk,
        ...(created !== undefined && { created }),
        ...(guid !== undefined && { guid }),
        ...(used !== undefined && { used }),
      },
    ];
  });
}
