import type { Packing } from '../../imgapi/packing.js';

/** A snapshot of one disk of a machine. */
export interface SnapshotRef {
  /** The uuid of the machine. */
  vm: string;
  /** Counted from 1. */
  disk: number;
  snapshot: string;
}

/** Images that are made of raw bytes have the type `zvol`, of all else `other`. */
export const diskForms = ['raw', 'qcow2'] as const;
export type DiskForm = (typeof diskForms)[number];

export const snapshotId = ({ vm, disk, snapshot }: SnapshotRef) => JSON.stringify([vm, disk, snapshot]);

/** A task makes an image of a snapshot: until it has ended, nothing else may be done with that. */
export interface SnapshotUse extends SnapshotRef {
  task: string;
  created: string;
}

export const snapshotUses = {
  name: 'snapshot-uses',
  id: (use: SnapshotUse) => snapshotId(use),
};

/** What a task leaves on a node, until somebody has been there to take it away. */
export interface SnapshotHold extends SnapshotRef {
  task: string;
  node: string;
  /** The snapshot was taken for the task, and goes with it. */
  taken?: true;
  created: string;
}

export const snapshotHolds = {
  name: 'snapshot-holds',
  id: ({ task }: SnapshotHold) => task,
  index: ({ node }: SnapshotHold) => [`node:${node}`],
};

/** What a new snapshot may be called. What a node calls its own is its own affair. */
export const NEW_SNAPSHOT = /^[^\p{Cc}/@]{1,200}$/u;

/** What can be asked for: all that could be on a node. */
export const SNAPSHOT = /^[^\p{Cc}]{1,500}$/u;

/** One that is taken for a task: its name can be nobody else's, so that it is removed without a second look. */
export const takenFor = (wished: string, task: string) => `${wished.slice(0, 150)}-${task.slice(0, 8)}`;

/** Which levels a packer has; more of them than here take more memory than a server has to spare. */
export const levels: Readonly<Record<Packing, readonly [least: number, most: number] | undefined>> = {
  none: undefined,
  gzip: [1, 9],
  bzip2: [1, 9],
  xz: [0, 9],
  zstd: [1, 19],
};

/** What is wrong with a level; nothing where it fits. */
export function problemWithLevel(packing: Packing, level: number | undefined): string | undefined {
  const range = levels[packing];
  if (level === undefined) return undefined;
  if (!range) return `there is none for compression "${packing}"`;
  const [least, most] = range;
  return level >= least && level <= most ? undefined : `for ${packing} it is from ${least} to ${most}`;
}

/** Of what a packer makes of a stream: so much of it has to fit, as a rule of thumb. */
const SHARE_OF_PACKED = 0.8;

/** Bytes that the disk needs for a stream; nothing is known of one whose length is not. */
export function bytesNeeded(stream: number | undefined, packing: Packing): number {
  if (stream === undefined) return 0;
  return packing === 'none' ? stream : Math.ceil(stream * SHARE_OF_PACKED);
}

/** The machine that an image was made of, where that was here. */
export interface Machine {
  vm: string;
  hostname: string;
  disk: number;
  snapshot: string;
  datacenter: string;
  node: string;
}
