import { posix } from 'node:path';
import type { Node } from '../model/node.js';
import type { Host } from './host.js';
import type { FoundVm } from './hypervisor.js';
import { filesAt, type Place } from './linux-node.js';
import { machineUuid } from './machine-uuid.js';
import { partsOf } from './parse-told.js';
import { sidecarsIn } from './sidecar.js';

export interface Subvolume {
  path: string;
  uuid: string;
  /** The one that it is a snapshot of. */
  parent?: string;
  /** The one elsewhere that it was sent as. */
  received?: string;
  created?: string;
  isReadOnly: boolean;
  /** Is it the root of a process? */
  isRoot: boolean;
}

export interface Subvolumes {
  machines: { vm: FoundVm; subvolume: Subvolume; place: Place; snapshots: Map<string, Subvolume>; base?: Subvolume }[];
  /** By uuid. */
  images: { uuid: string; place: Place; subvolume: Subvolume }[];
}

/** Of a place: `images/UUID/disk`, and `.snapshots/MACHINE/SNAPSHOT`; all else directly in it is a machine. */
export const IMAGES = 'images';
export const SNAPSHOTS = '.snapshots';
export const DISK = 'disk';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

// A subvolume is a filesystem of its own, whose root has the number 256: none is looked into. One that goes meanwhile is
// passed over, but one that can not be read is a failure: its machine has not gone.
const show = `for path; do
  shown=$(btrfs subvolume show "$path") || { [ ! -e "$path" ] && continue; exit 1; }
  printf '%s\\0%s\\0%s\\0' "$path" "$(stat -c %d:%i -- "$path")" "$shown"
done`;

const list = `show=$1; shift
printf '%s\\0' "$(stat -L -c %d:%i /proc/[0-9]*/root 2>/dev/null | sort -u)"
for place; do
  [ "$place" != "\${place#presumed:}" ] && [ ! -d "\${place#presumed:}" ] && continue
  place=\${place#presumed:}
  for at in "$place" "$place/${IMAGES}" "$place/${SNAPSHOTS}"; do
    [ "$at" != "$place" ] && [ ! -d "$at" ] && continue
    find -H "$at" -mindepth 1 -maxdepth 3 -xdev -type d -inum 256 -exec sh -c "$show" sh {} + || exit 1
  done
done`;

async function subvolumesAt(host: Host, places: readonly Place[], signal: AbortSignal): Promise<Subvolume[]> {
  const paths = places.map(({ path, presumed }) => `${presumed ? 'presumed:' : ''}${path}`);
  return subvolumesIn(await host.run(['sh', '-c', list, 'sh', show, ...paths], { signal, most: 64 << 20 }));
}

/** What the script above prints. */
export function subvolumesIn(printed: string): Subvolume[] {
  const [roots = '', ...fields] = partsOf(printed, '\0');
  const isRoot = new Set(roots.split('\n'));
  const found = new Map<string, Subvolume>();
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const [path = '', inode = '', shown = ''] = fields.slice(at, at + 3);
    const subvolume = subvolumeOf(path, shown, isRoot.has(inode));
    if (subvolume) found.set(path, subvolume);
  }
  return [...found.values()];
}

function subvolumeOf(path: string, shown: string, isRoot: boolean): Subvolume | undefined {
  // A line break in a name could say anything of it.
  if (/[\r\n]/.test(path)) return undefined;
  const [head = ''] = shown.split(/^\s*Snapshot\(s\):/m);
  const said = new Map(
    [...head.matchAll(/^\t([A-Z][A-Za-z ]+):[ \t]+(\S.*?)\s*$/gm)].map(([, key = '', value = '']) => [key, value]),
  );
  const uuidAt = (key: string) => {
    const value = said.get(key) ?? '';
    return UUID.test(value) ? value : undefined;
  };
  const uuid = uuidAt('UUID');
  if (uuid === undefined) return undefined;
  const parent = uuidAt('Parent UUID');
  const received = uuidAt('Received UUID');
  const created = timeIn(said.get('Creation time'));
  return {
    path,
    uuid,
    ...(parent !== undefined && { parent }),
    ...(received !== undefined && { received }),
    ...(created !== undefined && { created }),
    isReadOnly: said.get('Flags')?.includes('readonly') ?? false,
    isRoot,
  };
}

/** `2026-11-22 01:36:12 +0000`. */
function timeIn(text = ''): string | undefined {
  const [, day, time, zone] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d{4})$/.exec(text) ?? [];
  const at = new Date(`${day}T${time}${zone}`);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

export async function lookAround(
  host: Host,
  node: Node,
  places: readonly Place[],
  signal: AbortSignal,
): Promise<Subvolumes> {
  const subvolumes = await subvolumesAt(host, places, signal);
  const sidecars = await sidecarsIn(host, await filesAt(host, places, { depth: 1, names: ['*.json'] }, signal), signal);
  const named = subvolumes.flatMap((subvolume) => {
    const place = places.find(({ path }) => subvolume.path.startsWith(`${path}/`));
    return place ? [{ subvolume, place, parts: subvolume.path.slice(place.path.length + 1).split('/') }] : [];
  });
  const images = named.flatMap(({ subvolume, place, parts: [directory, uuid = '', disk] }) =>
    directory === IMAGES && disk === DISK && UUID.test(uuid) ? [{ uuid, place, subvolume }] : [],
  );
  const uuids = new Set(subvolumes.map(({ uuid }) => uuid));
  const machines = named.flatMap(({ subvolume, place, parts: [name = '', ...rest] }) => {
    if (rest.length > 0 || name === IMAGES || name === SNAPSHOTS || name.startsWith('.slipway-')) return [];
    // A frozen copy of another one.
    if (subvolume.isReadOnly && subvolume.parent !== undefined && uuids.has(subvolume.parent)) return [];
    const said = sidecars.get(`${subvolume.path}.json`);
    const base = images.find((image) => image.subvolume.uuid === subvolume.parent);
    const image = base?.uuid ?? (said?.images[0] || undefined);
    const vm: FoundVm = {
      uuid: said?.uuid ?? machineUuid(node.name, subvolume.path),
      hostname: said?.hostname ?? name,
      state: subvolume.isRoot ? 'running' : 'stopped',
      ...(said?.brand !== undefined && { brand: said.brand }),
      ...(said?.os !== undefined && { os: said.os }),
      ...(said?.owner !== undefined && { owner: said.owner }),
      tags: said?.tags ?? [],
      disks: [{ disk: 1, volume: subvolume.path, ...(image !== undefined && { image }) }],
    };
    const snapshots = snapshotsOf(subvolume, subvolumes, `${place.path}/${SNAPSHOTS}/${name}`);
    return [{ vm, subvolume, place, snapshots, ...(base && { base: base.subvolume }) }];
  });
  return { machines: withUuidsOfTheirOwn(machines, node.name), images };
}

/** By name. Those in the directory of ours go before others of the same name. */
function snapshotsOf(of: Subvolume, all: readonly Subvolume[], own: string): Map<string, Subvolume> {
  const taken = all.filter(
    ({ isReadOnly, parent, path }) => isReadOnly && parent === of.uuid && !path.includes('/.slipway-'),
  );
  const isOwn = ({ path }: Subvolume) => posix.dirname(path) === own;
  const ordered = [...taken.filter((one) => !isOwn(one)), ...taken.filter(isOwn)];
  return new Map(ordered.map((one) => [posix.basename(one.path), one]));
}

/** Who copies a machine copies what stands beside it. */
function withUuidsOfTheirOwn(machines: Subvolumes['machines'], node: string): Subvolumes['machines'] {
  const taken = new Set<string>();
  return machines.map((machine) => {
    const isTwice = taken.has(machine.vm.uuid);
    const uuid = isTwice ? machineUuid(node, machine.subvolume.path) : machine.vm.uuid;
    taken.add(uuid);
    return { ...machine, vm: { ...machine.vm, uuid } };
  });
}
