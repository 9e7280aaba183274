import type { Draft } from '../../imgapi/draft.js';
import { type ImageFile, oses, types } from '../../imgapi/image.js';
import type { Packing } from '../../imgapi/packing.js';
import type { RegisteredImage } from './registration.js';
import type { DiskForm, SnapshotRef } from './snapshot.js';

/** How the bytes of a snapshot are packed, and where. */
export interface PackingWish {
  kind: Packing;
  level?: number | undefined;
  on: 'node' | 'here';
}

/** What a task does that makes an image of a snapshot. */
export interface CreationPlan extends SnapshotRef {
  node: string;
  /** Its uuid. */
  image: string;
  datacenter: string;
  packing: PackingWish;
  incremental: boolean;
  /** How a disk is sent, where somebody has said it. */
  format?: DiskForm;
  /** Bytes of the stream before it is packed, where that is known. */
  bytes?: number;
  /** What it will take on the disk, as far as can be told. */
  needed: number;
  /** The snapshot that was meant: another one of the same name is none of it. */
  guid?: string;
  warnings: string[];
}

/** What a node tells of a disk, as far as it makes a manifest. */
export interface Source {
  type: string;
  os?: string | undefined;
  manifest: Readonly<Record<string, unknown>>;
  imageSize?: number | undefined;
}

const text = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= 128;

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** What manifests of disks say of the machine that they were in. */
const ofDisks = ['disk_driver', 'nic_driver', 'cpu_type'] as const;

/** `inherited`: the image that the disk was made of, where that is here. What a node says is believed where it can be. */
export function draftOf(source: Source, inherited: RegisteredImage | undefined): Draft {
  const type = types.find((known) => known === source.type) ?? 'other';
  const os = oses.find((known) => known === source.os) ?? (inherited?.os === 'null' ? undefined : inherited?.os);
  const isDisk = type === 'zvol';
  const drivers = ofDisks.flatMap((field) => {
    const value = source.manifest[field] ?? inherited?.[field];
    return isDisk && text(value) ? [[field, value]] : [];
  });
  const requirements = { ...inherited?.requirements, ...record(source.manifest.requirements) };
  const kernel = kernelOf(source, inherited);
  const tags = {
    ...toldOf(source),
    ...(type === 'lx-dataset' && kernel !== undefined && { kernel_version: kernel }),
  };
  return {
    type,
    os: os ?? 'other',
    ...Object.fromEntries(drivers),
    ...(isDisk && { image_size: source.imageSize ?? inherited?.image_size ?? 0 }),
    ...(Object.keys(requirements).length > 0 && { requirements }),
    ...(Object.keys(tags).length > 0 && { tags }),
  };
}

/** For which the contract has no field: what is in the file of a type that does not say it, and what a disk is started by. */
const told = ['format', 'firmware'];

function toldOf({ manifest }: Source): Record<string, unknown> {
  const tags = record(manifest.tags);
  return Object.fromEntries(told.flatMap((name) => (text(tags[name]) ? [[name, tags[name]]] : [])));
}

/** Zones of Linux are told which kernel they shall find. */
function kernelOf({ manifest }: Source, inherited: RegisteredImage | undefined): string | undefined {
  const said = record(manifest.tags).kernel_version ?? inherited?.tags?.kernel_version;
  return text(said) ? said : undefined;
}

/** What clients unpack by themselves; what some of them do not know has to be allowed. */
export const packedAs = (packing: Packing): ImageFile['compression'] => packing;

const MOST_NAMED = 50;

/** What of a machine does not come along. */
export function warningsOf(disk: number, disks: readonly { disk: number }[]): string[] {
  const others = disks.map((other) => other.disk).filter((other) => other !== disk);
  if (others.length === 0) return [];
  const named = others
    .sort((a, b) => a - b)
    .slice(0, MOST_NAMED)
    .join(', ');
  return [
    `the image has disk ${disk} only: disk${others.length > 1 ? 's' : ''} ${named} of the machine did not come along`,
  ];
}
