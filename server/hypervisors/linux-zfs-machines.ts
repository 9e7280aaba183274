import type { Node } from '../model/node.js';
import { type FoundDisk, type FoundVm, NotOnPlatform } from './hypervisor.js';
import { machineUuid } from './machine-uuid.js';
import { isSet, parseBytes } from './parse-zfs.js';
import { type Dataset, isDataset, type Zfs } from './zfs.js';

/** Where images lie on each pool, by their uuids. */
export const IMAGES = 'slipway-images';

/** What whoever makes machines may say of them, on the dataset of the machine or of its first disk. */
const SAID = ['slipway:uuid', 'slipway:image', 'slipway:os', 'slipway:owner', 'slipway:brand', 'slipway:tags'] as const;
type Said = Record<(typeof SAID)[number], string>;
type Row = Dataset & Said;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const OF_IMAGE = new RegExp(`/${IMAGES}/([0-9a-f-]{36})@`);

export function imageOfSnapshot(snapshot: string | undefined): string | undefined {
  const [, uuid] = OF_IMAGE.exec(snapshot ?? '') ?? [];
  return uuid !== undefined && UUID.test(uuid) ? uuid : undefined;
}

export function placesOf({ name, connection }: Node): string[] {
  const places = connection?.places ?? [];
  const odd = places.find((place) => !isDataset(place));
  if (odd === undefined) return places;
  throw new NotOnPlatform(`"${odd}" is no place on ${name}: give datasets of ZFS, such as tank/vms`);
}

/**
 * The machine of a dataset below a place, and the number of the disk that it is: `NAME/disk1`, `NAME-disk1`, or `NAME`, which
 * is a machine with one disk as long as there is no other.
 */
const NESTED = /^([^/]+)\/(?:disk-?(\d{1,4}))$/;
const BESIDE = /^([^/]+?)-disk-?(\d{1,4})$/;
const ALONE = /^[^/]+$/;

interface Part {
  machine: string;
  /** Absent where it is the machine itself. */
  number?: number;
  row: Row;
}

function partOf(row: Row, place: string): Part | undefined {
  const name = row.name.slice(place.length + 1);
  const [, machine, number] = NESTED.exec(name) ?? BESIDE.exec(name) ?? [];
  if (machine !== undefined) return { machine, number: Number(number), row };
  return ALONE.test(name) && name !== IMAGES ? { machine: name, row } : undefined;
}

/** Machines are what lies below the places of a node. */
export async function linuxZfsMachines(zfs: Zfs, node: Node, signal: AbortSignal): Promise<FoundVm[]> {
  const places = placesOf(node);
  const rows = await zfs.list(places, SAID, signal);
  const volumes = rows.filter(({ isVolume }) => isVolume).map(({ name }) => name);
  const sizes = await zfs.get(volumes, ['volsize'], signal);
  const sizeOf = (name: string) => parseBytes(sizes.get(name)?.get('volsize'));
  const found = new Map<string, FoundVm>();
  for (const place of places) {
    const parts = new Map<string, Part[]>();
    for (const row of rows) {
      const part = row.name.startsWith(`${place}/`) ? partOf(row, place) : undefined;
      if (part) parts.set(part.machine, [...(parts.get(part.machine) ?? []), part]);
    }
    for (const [name, own] of parts) {
      const vm = machineOf(name, `${place}/${name}`, own, sizeOf, node);
      found.set(vm.disks[0]!.volume, vm);
    }
  }
  return [...found.values()];
}

function machineOf(
  name: string,
  at: string,
  parts: readonly Part[],
  sizeOf: (volume: string) => number | undefined,
  node: Node,
): FoundVm {
  const numbered = parts.filter(({ number }) => number !== undefined).sort((a, b) => a.number! - b.number!);
  const [own] = parts.filter(({ number }) => number === undefined);
  const disks = (numbered.length > 0 ? numbered : [own!]).map(({ row }) => row);
  const said = own?.row ?? disks[0]!;
  const given = said['slipway:uuid'];
  return {
    uuid: UUID.test(given) ? given : machineUuid(node.name, at),
    hostname: name,
    // nothing here knows whether it runs: a snapshot is whole either way
    state: 'running',
    ...(isSet(said['slipway:brand']) && { brand: said['slipway:brand'] }),
    ...(isSet(said['slipway:os']) && { os: said['slipway:os'] }),
    ...(isSet(said['slipway:owner']) && { owner: said['slipway:owner'] }),
    tags: isSet(said['slipway:tags']) ? said['slipway:tags'].split(',') : [],
    disks: disks.map((row, index) => diskOf(row, index, sizeOf(row.name))),
  };
}

/** What is said of the image counts for the first disk: others inherit the property. */
function diskOf(row: Row, index: number, bytes: number | undefined): FoundDisk {
  const said = index === 0 && UUID.test(row['slipway:image']) ? row['slipway:image'] : undefined;
  const image = imageOfSnapshot(row.origin) ?? said;
  return {
    disk: index + 1,
    volume: row.name,
    ...(bytes !== undefined && { size: Math.ceil(bytes / 2 ** 20) }),
    ...(image !== undefined && { image }),
  };
}
