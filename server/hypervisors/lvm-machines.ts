import type { FoundVm } from './hypervisor.js';
import { machineUuid } from './machine-uuid.js';
import type { Volume } from './parse-lvs.js';

export interface LvmDisk {
  disk: number;
  volume: Volume;
  image?: string;
  /** By their names. */
  snapshots: Map<string, Volume>;
}

export interface LvmMachine {
  vm: FoundVm;
  disks: LvmDisk[];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** An image is a volume whose name is its uuid. */
export const isImage = ({ kind, name }: Volume) => kind === 'thin' && UUID.test(name);

/** What a job fetches an image into. */
export const SCRATCH = 'slipway_';

/** As Proxmox has it, so that each sees those of the other. */
export const snapshotName = ({ name }: Volume, snapshot: string) => `snap_${name}_${snapshot}`;

/** `vm-100-disk-0`, `vm-100-disk-1` are the disks of one machine; every other thin volume is a machine of one disk. */
const SEVERAL = /^(.+)-disk-?(\d{1,3})$/;

export function machinesIn(node: string, volumes: readonly Volume[]): LvmMachine[] {
  const thin = volumes.filter(({ kind, name }) => kind === 'thin' && !name.startsWith(SCRATCH));
  const isSnapshot = (one: Volume) => snapshotsIn(thin, one) !== undefined;
  const groups = new Map<string, Volume[]>();
  for (const volume of thin) {
    if (isImage(volume) || isSnapshot(volume)) continue;
    const key = `${volume.group}/${SEVERAL.exec(volume.name)?.[1] ?? volume.name}`;
    groups.set(key, [...(groups.get(key) ?? []), volume]);
  }
  return [...groups].map(([key, own]) => machineOf(node, key, own, thin));
}

/** What a volume is a snapshot of. A volume that was made of an image, or is written to, is none. */
function snapshotsIn(thin: readonly Volume[], one: Volume): Volume | undefined {
  const of = thin.find(({ group, name }) => group === one.group && name === one.origin);
  if (!of || isImage(of)) return undefined;
  return one.isFrozen || one.name.startsWith(`snap_${of.name}_`) ? of : undefined;
}

function machineOf(node: string, key: string, own: Volume[], thin: readonly Volume[]): LvmMachine {
  const number = ({ name }: Volume) => Number(SEVERAL.exec(name)?.[2] ?? 0);
  const disks = own
    .sort((one, other) => number(one) - number(other))
    .map((volume, at): LvmDisk => {
      const image = imageOf(volume);
      const taken = thin.filter((one) => snapshotsIn(thin, one) === volume);
      const snapshots = new Map(taken.map((one) => [nameOf(one, volume), one]));
      return { disk: at + 1, volume, ...(image !== undefined && { image }), snapshots };
    });
  return {
    vm: {
      uuid: machineUuid(node, key),
      hostname: key.slice(key.indexOf('/') + 1),
      state: stateOf(own),
      brand: 'kvm',
      tags: own.flatMap(({ tags }) => tags.filter((tag) => !tag.startsWith(SCRATCH))),
      disks: disks.map(({ disk, volume, image }) => ({
        disk,
        volume: volume.path,
        size: Math.ceil(volume.size / 2 ** 20),
        ...(image !== undefined && { image }),
      })),
    },
    disks,
  };
}

function stateOf(own: readonly Volume[]): FoundVm['state'] {
  if (own.some(({ isOpen }) => isOpen)) return 'running';
  return own.every(({ isOpen }) => isOpen === false) ? 'stopped' : 'unknown';
}

function nameOf({ name }: Volume, of: Volume): string {
  const prefix = snapshotName(of, '');
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

/** A snapshot of an image; a full copy of one says so in a tag. */
function imageOf({ origin, tags }: Volume): string | undefined {
  if (UUID.test(origin)) return origin;
  const said = tags.find((tag) => tag.startsWith('slipway_image='))?.slice('slipway_image='.length) ?? '';
  return UUID.test(said) ? said : undefined;
}
