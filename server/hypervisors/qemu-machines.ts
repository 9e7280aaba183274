import { posix } from 'node:path';
import type { Node } from '../model/node.js';
import type { Host } from './host.js';
import type { FoundDisk, FoundVm } from './hypervisor.js';
import { type Domain, domainsOf } from './libvirt.js';
import { filesAt, type Place } from './linux-node.js';
import { machineUuid } from './machine-uuid.js';
import { type DiskFile, formatOf, lookInto } from './qemu-files.js';
import { isScratch } from './scratch-on-node.js';
import { type Sidecar, sidecarsIn } from './sidecar.js';

export interface QemuDisk extends FoundDisk {
  /** Absent where it is no file, or has gone. */
  file?: DiskFile;
  bus?: string;
  /** What it builds on, newest first, as far as that is no image: nobody writes to it any more. */
  frozen: DiskFile[];
}

export interface QemuMachine {
  vm: FoundVm;
  disks: QemuDisk[];
  /** Where libvirt runs it. */
  domain?: Domain;
}

export interface QemuMachines {
  machines: QemuMachine[];
  /** All that were found, by path. */
  files: ReadonlyMap<string, DiskFile>;
}

/** Of a place: it holds images, and no machine. */
export const IMAGES = 'images';

const DISK_NAME = /\.(qcow2|raw|img)$/;
const IMAGE_NAME = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?:qcow2|raw|img)$/;

/** The uuid of an image, where a file is named so. */
export const imageAt = (path: string): string | undefined => IMAGE_NAME.exec(posix.basename(path))?.[1];

/** Those that libvirt runs, and where it does not, those whose disks lie at the places. */
export async function machinesOn(
  host: Host,
  node: Node,
  places: readonly Place[],
  signal: AbortSignal,
): Promise<QemuMachines> {
  const domains = await domainsOf(host, signal);
  const lying = await filesAt(host, places, { depth: 2, names: ['*.qcow2', '*.raw', '*.img', '*.json'] }, signal);
  const sidecars = await sidecarsIn(
    host,
    lying.filter((path) => path.endsWith('.json')),
    signal,
  );
  const formats = new Map<string, string>();
  for (const path of lying) if (DISK_NAME.test(path) && !isScratch(path)) formats.set(path, formatOf(path));
  for (const { path, format } of domains?.flatMap(({ disks }) => disks) ?? []) {
    if (path !== undefined) formats.set(path, format);
  }
  const asked = [...formats].map(([path, format]) => ({ path, format }));
  const files = new Map((await lookInto(host, asked, signal)).map((file) => [file.path, file]));
  const machines = domains
    ? domains.map((domain) => ofDomain(domain, files))
    : grouped(places, files).map((group) => ofFiles(node.name, group, files, sidecars));
  return { machines: withUuidsOfTheirOwn(machines, node.name), files };
}

interface Group {
  /** Where it lies, without what its file ends in. */
  place: string;
  disks: Map<number, DiskFile>;
}

/** `NAME.qcow2`, or `NAME/disk1.qcow2`, `NAME/disk2.qcow2` …; what others build on is no machine. */
function grouped(places: readonly Place[], files: ReadonlyMap<string, DiskFile>): Group[] {
  const below = new Set(
    [...files.values()].flatMap(({ backing }) => (backing && 'path' in backing ? [backing.path] : [])),
  );
  const groups = new Map<string, Group>();
  for (const file of files.values()) {
    const place = places.find(({ path }) => file.path.startsWith(`${path}/`));
    if (!place || below.has(file.path)) continue;
    const [directory = '', name] = file.path.slice(place.path.length + 1).split('/');
    if (name !== undefined && directory === IMAGES) continue;
    const disk = name === undefined ? 1 : Number(/^disk([1-9]\d{0,2})\./.exec(name)?.[1] ?? 0);
    if (disk === 0) continue;
    const key = `${place.path}/${name === undefined ? directory.replace(DISK_NAME, '') : directory}`;
    const group = groups.get(key) ?? { place: key, disks: new Map<number, DiskFile>() };
    if (!group.disks.has(disk)) group.disks.set(disk, file);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function ofFiles(
  node: string,
  { place, disks: numbered }: Group,
  files: ReadonlyMap<string, DiskFile>,
  sidecars: ReadonlyMap<string, Sidecar>,
): QemuMachine {
  const said = sidecars.get(`${place}.json`) ?? sidecars.get(`${place}/machine.json`);
  const disks = [...numbered]
    .sort(([a], [b]) => a - b)
    .map(([disk, file]) => diskOf(disk, file.path, files, said?.images[disk - 1] || undefined));
  const own = [...numbered.values()];
  const isWhole = own.every(({ size }) => size !== undefined);
  return {
    vm: {
      uuid: said?.uuid ?? machineUuid(node, place),
      hostname: said?.hostname ?? posix.basename(place),
      state: own.some(({ held }) => held) ? 'running' : isWhole ? 'stopped' : 'unknown',
      brand: said?.brand ?? 'kvm',
      ...(said?.os !== undefined && { os: said.os }),
      ...(said?.owner !== undefined && { owner: said.owner }),
      tags: said?.tags ?? [],
      disks: disks.map(shown),
    },
    disks,
  };
}

function ofDomain(domain: Domain, files: ReadonlyMap<string, DiskFile>): QemuMachine {
  const disks = domain.disks.map(({ path, bus }, at) => ({
    ...diskOf(at + 1, path ?? '', files),
    ...(bus !== undefined && { bus }),
  }));
  return {
    vm: {
      uuid: domain.uuid,
      hostname: domain.name,
      state: domain.state,
      brand: 'kvm',
      ...(domain.os !== undefined && { os: domain.os }),
      tags: [],
      disks: disks.map(shown),
    },
    disks,
    domain,
  };
}

const MIB = 2 ** 20;

function diskOf(disk: number, path: string, files: ReadonlyMap<string, DiskFile>, said?: string): QemuDisk {
  const file = files.get(path);
  const { frozen, image = said } = chainOf(file, files);
  return {
    disk,
    volume: path,
    ...(file?.size !== undefined && { size: Math.ceil(file.size / MIB) }),
    ...(image !== undefined && { image }),
    ...(file && { file }),
    frozen,
  };
}

function chainOf(
  file: DiskFile | undefined,
  files: ReadonlyMap<string, DiskFile>,
): { frozen: DiskFile[]; image?: string } {
  const frozen: DiskFile[] = [];
  for (let next = file?.backing; next && 'path' in next; ) {
    const image = imageAt(next.path);
    if (image !== undefined) return { frozen, image };
    const below = files.get(next.path);
    // A file can be made to build on itself.
    if (!below || below === file || frozen.includes(below)) break;
    frozen.push(below);
    next = below.backing;
  }
  return { frozen };
}

const shown = ({ disk, volume, size, image }: QemuDisk): FoundDisk => ({
  disk,
  volume,
  ...(size !== undefined && { size }),
  ...(image !== undefined && { image }),
});

/** Who copies a machine copies what stands beside it. */
function withUuidsOfTheirOwn(machines: QemuMachine[], node: string): QemuMachine[] {
  const taken = new Set<string>();
  return machines.map((machine) => {
    const isTwice = taken.has(machine.vm.uuid);
    const uuid = isTwice ? machineUuid(node, machine.disks[0]?.volume ?? machine.vm.hostname) : machine.vm.uuid;
    taken.add(uuid);
    return isTwice ? { ...machine, vm: { ...machine.vm, uuid } } : machine;
  });
}
