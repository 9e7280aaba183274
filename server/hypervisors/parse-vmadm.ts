import type { MachineState } from '../model/machine-state.js';
import type { FoundDisk, FoundVm } from './hypervisor.js';
import { parseJson } from './parse-told.js';
import { isDataset } from './zfs.js';

/** What is asked of each machine: the whole of it can be long. */
export const VM_FIELDS = [
  'uuid',
  'alias',
  'hostname',
  'brand',
  'state',
  'owner_uuid',
  'image_uuid',
  'disks',
  'zfs_filesystem',
  'quota',
  'tags',
  'nics',
  'cpu_type',
  'bootrom',
  'kernel_version',
] as const;

/** A machine as `vmadm` tells of it. */
export interface SmartosVm extends FoundVm {
  brand: string;
  /** Virtual hardware, in the order of the disks. */
  diskDrivers: (string | undefined)[];
  nicDriver?: string;
  cpuType?: string;
  bootrom?: string;
  /** Of zones of Linux: that which they shall find. */
  kernelVersion?: string;
}

type Fields = Record<string, unknown>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const LONGEST = 256;

export const isHvm = (brand: string) => brand === 'kvm' || brand === 'bhyve';

const states = new Map<unknown, MachineState>(
  Object.entries({
    running: 'running',
    stopped: 'stopped',
    installed: 'stopped',
    configured: 'stopped',
    stopping: 'stopping',
    shutting_down: 'stopping',
    halting: 'stopping',
    down: 'stopping',
    ready: 'provisioning',
    provisioning: 'provisioning',
    receiving: 'provisioning',
    incomplete: 'provisioning',
    failed: 'failed',
  }),
);

/**
 * `vmadm lookup -j`. Throws where it is no list of machines: one that was passed over would not keep its image any more.
 */
export function parseVms(printed: string): SmartosVm[] {
  const list: unknown = parseJson(printed);
  if (!Array.isArray(list)) throw new SyntaxError('it is no list');
  return list.map(vmOf);
}

function vmOf(value: unknown): SmartosVm {
  const vm = fieldsOf(value);
  const uuid = uuidOf(vm.uuid);
  if (uuid === undefined) throw new SyntaxError('one of the machines has no uuid');
  const brand = textOf(vm.brand) ?? 'joyent';
  const owner = uuidOf(vm.owner_uuid);
  const devices = isHvm(brand) ? listOf(vm.disks).filter(({ media }) => media === undefined || media === 'disk') : [];
  const [nic] = listOf(vm.nics);
  const nicDriver = textOf(nic?.model);
  const cpuType = textOf(vm.cpu_type);
  const bootrom = textOf(vm.bootrom);
  const kernelVersion = textOf(vm.kernel_version);
  return {
    uuid,
    hostname: textOf(vm.alias) ?? textOf(vm.hostname) ?? uuid,
    state: states.get(vm.state) ?? 'unknown',
    brand,
    ...(brand === 'lx' && { os: 'linux' }),
    ...(!isHvm(brand) && brand !== 'lx' && { os: 'smartos' }),
    ...(owner !== undefined && { owner }),
    tags: tagsOf(vm.tags),
    disks: isHvm(brand) ? devices.map(deviceOf) : zoneOf(vm),
    diskDrivers: devices.map(({ model }) => textOf(model)),
    ...(nicDriver !== undefined && { nicDriver }),
    ...(cpuType !== undefined && { cpuType }),
    ...(bootrom !== undefined && { bootrom }),
    ...(kernelVersion !== undefined && { kernelVersion }),
  };
}

/** The dataset of a zone is its first disk, and its only one. */
function zoneOf({ zfs_filesystem: volume, image_uuid, quota }: Fields): FoundDisk[] {
  const image = uuidOf(image_uuid);
  if (!isVolume(volume)) return [];
  const gibibytes = countOf(quota);
  return [{ disk: 1, volume, ...(gibibytes && { size: gibibytes * 1024 }), ...(image !== undefined && { image }) }];
}

function deviceOf({ zfs_filesystem, path, size, image_uuid }: Fields, at: number): FoundDisk {
  const image = uuidOf(image_uuid);
  const mebibytes = countOf(size);
  const device = textOf(path)?.replace(/^\/dev\/zvol\/r?dsk\//, '');
  const volume = [zfs_filesystem, device].find(isVolume);
  if (volume === undefined) throw new SyntaxError(`disk ${at + 1} of a machine is no dataset`);
  return {
    disk: at + 1,
    volume,
    ...(mebibytes !== undefined && { size: mebibytes }),
    ...(image !== undefined && { image }),
  };
}

/** `{ "role": "web", "prod": true }` as `role`, `role:web`, `prod`. */
const tagsOf = (tags: unknown) =>
  Object.entries(fieldsOf(tags))
    .flatMap(([name, value]) => (typeof value === 'string' && value !== '' ? [name, `${name}:${value}`] : [name]))
    .filter((tag) => tag.length <= LONGEST)
    .slice(0, 200);

export interface InstalledImage {
  uuid: string;
  pool: string;
  os?: string;
  clones: number;
}

/** `imgadm list -j`. */
export function parseImages(printed: string): InstalledImage[] {
  const list: unknown = parseJson(printed);
  if (!Array.isArray(list)) throw new SyntaxError('it is no list');
  return list.map(fieldsOf).flatMap(({ manifest, zpool, clones, cloneNames }) => {
    const { uuid: named, os: system } = fieldsOf(manifest);
    const uuid = uuidOf(named);
    const os = textOf(system);
    if (uuid === undefined) return [];
    const used = Array.isArray(cloneNames) ? cloneNames.length : (countOf(clones) ?? 0);
    return [{ uuid, pool: textOf(zpool) ?? 'zones', clones: used, ...(os !== undefined && { os }) }];
  });
}

export interface ImageSource {
  url: string;
  type: string;
}

/** `imgadm sources -j`. */
export function parseSources(printed: string): ImageSource[] {
  const list: unknown = parseJson(printed);
  if (!Array.isArray(list)) throw new SyntaxError('it is no list');
  return list.map(fieldsOf).flatMap(({ url, type }) => {
    return typeof url === 'string' && url.length <= 2048 ? [{ url, type: textOf(type) ?? 'imgapi' }] : [];
  });
}

export interface Sysinfo {
  hostname?: string;
  platform?: string;
  release?: string;
  brands: string[];
}

/** `sysinfo`. */
export function parseSysinfo(printed: string): Sysinfo {
  const said = fieldsOf(parseJson(printed));
  const hostname = textOf(said.Hostname);
  const platform = textOf(said['Live Image']);
  const release = textOf(said['SDC Version']);
  return {
    ...(hostname !== undefined && { hostname }),
    ...(platform !== undefined && { platform }),
    ...(release !== undefined && { release }),
    brands: [
      'joyent',
      'joyent-minimal',
      'lx',
      ...(isTrue(said['VM Capable']) ? ['kvm'] : []),
      ...(isTrue(said['Bhyve Capable']) ? ['bhyve'] : []),
    ],
  };
}

const isTrue = (value: unknown) => value === true || value === 'true';

const isVolume = (value: unknown): value is string => typeof value === 'string' && isDataset(value);

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.map(fieldsOf) : []);

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= LONGEST ? value : undefined;

const uuidOf = (value: unknown): string | undefined =>
  typeof value === 'string' && UUID.test(value) ? value : undefined;

function countOf(value: unknown): number | undefined {
  const count = typeof value === 'string' ? Number(value) : value;
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}
