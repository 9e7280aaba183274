import { type DiskFormat, diskFormats } from '../../imgapi/disk-format.js';
import { type FieldError, invalidInput } from '../../imgapi/errors.js';
import type { Image } from '../../imgapi/image.js';
import type { Packing } from '../../imgapi/packing.js';
import { type OsType, osTypes } from './os-types.js';

/** What is said by hand of an image that has no manifest. */
export interface SaidOfFile {
  os?: Image['os'] | undefined;
  type?: Image['type'] | undefined;
  ostype?: OsType | undefined;
  image_size?: number | undefined;
  /** Whatever else a manifest can hold. */
  manifest?: Record<string, unknown> | undefined;
}

/** What was found by looking into a file. */
export interface Found {
  packing: Packing;
  format: DiskFormat;
  /** Of the disk as a machine sees it. */
  disk?: number | undefined;
}

type Type = Image['type'];

/** What nodes receive as a dataset is a stream of one; what others run can be anything. */
const formatsOf: Partial<Record<Type, readonly DiskFormat[]>> = {
  'zone-dataset': ['zfs'],
  'lx-dataset': ['zfs'],
  zvol: ['zfs', 'raw'],
  lxd: ['tar'],
  docker: ['tar'],
};

/** Of an image without a type. */
const typesOf: Partial<Record<DiskFormat, Type>> = { zfs: 'zvol' };

/** What machines have where nothing is said of it. */
const hardware = { nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'qemu64' };

const MIB = 2 ** 20;

/** The manifest that such an image gets; throws where what is said does not fit what was found. */
export function manifestOfFile(uuid: string, said: SaidOfFile, { format, disk }: Found): Record<string, unknown> {
  const given = said.manifest ?? {};
  const known = said.ostype === undefined ? undefined : osTypes[said.ostype];
  const os = said.os ?? known?.os ?? given.os;
  const type = (said.type ?? known?.type ?? given.type ?? typesOf[format] ?? 'other') as Type;
  if (os === undefined) throw refused('os', 'MissingParameter', 'is missing: say it, or ostype');
  const fitting = formatsOf[type] ?? diskFormats;
  if (!fitting.includes(format)) {
    throw refused('format', 'Invalid', `the file is ${format}, and images of type ${type} are ${fitting.join(' or ')}`);
  }
  const size = said.image_size ?? given.image_size ?? (disk === undefined ? undefined : Math.ceil(disk / MIB));
  return {
    v: 2,
    ...(type === 'zvol' && hardware),
    ...given,
    uuid,
    os,
    type,
    ...(type === 'zvol' && size !== undefined && { image_size: size }),
    // Whoever runs it has to know: the contract has no field for that.
    tags: { ...Object(given.tags), ...(type === 'other' && { format }) },
  };
}

const refused = (field: FieldError['field'], code: FieldError['code'], what: string) =>
  invalidInput([{ field, code, message: `${field}: ${what}` }]);
