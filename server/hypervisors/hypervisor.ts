import type { Packing } from '../../imgapi/packing.js';
import type { MachineState } from '../model/machine-state.js';
import type { Platform } from '../model/node.js';
import type { Description } from '../model/node-status.js';
import type { DiskForm } from '../model/snapshot.js';

export type { Description };

export interface FoundDisk {
  /** Counted from 1. */
  disk: number;
  /** The dataset, volume or file. */
  volume: string;
  /** In MiB, where the disk has a size. */
  size?: number;
  /** The uuid of the image that it was made of. */
  image?: string;
}

/** A machine as its node knows it. */
export interface FoundVm {
  /** The node's own, or made of the names of node and machine. */
  uuid: string;
  hostname: string;
  state: MachineState;
  brand?: string;
  /** Of images that are made of it. */
  os?: string;
  /** As the node knows it. */
  owner?: string;
  tags: string[];
  disks: FoundDisk[];
}

/** Of one disk. */
export interface FoundSnapshot {
  name: string;
  disk: number;
  /** When it was taken. */
  created?: string;
  guid?: string;
  /** What it takes by itself, in bytes. */
  used?: number;
}

/** A snapshot of a disk of a machine. */
export interface SnapshotName {
  /** By uuid, as the inventory has it. */
  vm: string;
  /** Counted from 1. */
  disk: number;
  snapshot: string;
}

/** What an image that is made of a snapshot will be. */
export interface SnapshotFacts {
  vm: FoundVm;
  disk: FoundDisk;
  /** `zvol`, `zone-dataset`, `lx-dataset`, `other`. */
  type: string;
  os?: string;
  /** What the manifest asks of hosts: `disk_driver`, `nic_driver`, `cpu_type`, `requirements` … */
  manifest: Record<string, unknown>;
  /** The guid of the snapshot, where its bytes are a stream that is received. */
  guid?: string;
  /** In MiB, of disks. */
  imageSize?: number;
  /** Bytes of the whole stream before it is packed, where the node can tell. */
  bytes?: number;
  /** The forms in which the disk can be sent, the usual one first; absent where it is a stream of its filesystem. */
  formats?: DiskForm[];
  /** What the disk was made of, where an increment to that can be sent. */
  origin?: { image?: string; guid?: string; bytes?: number };
}

export interface SendOptions {
  /** Names what is held and written on the node for it. */
  job: string;
  /** Only what has changed since the origin. */
  incremental?: boolean;
  /** One of the `formats` of its facts, where it is not the usual one. */
  format?: DiskForm;
  /** Packed on the node. */
  packing?: { kind: Packing; level?: number };
  signal: AbortSignal;
}

/** An image on a pool of a node. */
export interface FoundImage {
  uuid: string;
  pool: string;
  /** Bytes that it takes there. */
  size?: number;
  /** How many disks there are made of it. */
  used?: number;
}

export interface PullOrder {
  /** With its origins, base first: what is there already is passed over. */
  images: { uuid: string; size: number; sha1: string; compression: string; type: string; origin?: string }[];
  pool: string;
  /** The IMGAPI from which the node fetches; it may hold the node's token. */
  source: string;
  job: string;
  /** Bytes a second, where the node's tool can keep to it. */
  bandwidth?: number;
}

/** Bytes that have come so far. */
export type Report = (bytes: number) => void;

/** Has a job of ours ended? Never of one that others have begun. */
export type IsOver = (job: string) => Promise<boolean>;

/** There is no such machine, disk, snapshot, pool or image on the node. */
export class NotOnNode extends Error {
  override name = 'NotOnNode';
  constructor(
    readonly what: 'vm' | 'disk' | 'snapshot' | 'pool' | 'image',
    message: string,
  ) {
    super(message);
  }
}

/** The platform can not do that, or the node lacks the tool for it. */
export class NotOnPlatform extends Error {
  override name = 'NotOnPlatform';
}

/**
 * What is asked of a node, whatever runs there. All of it may throw HostUnreachable and CommandFailed. Nothing is left on
 * the node of a call that failed or was aborted: no process, no file, no half image; what could not be taken away because
 * the node went is taken away by `sweep`.
 */
export interface Hypervisor {
  readonly platform: Platform;
  describe(signal: AbortSignal): Promise<Description>;
  inventory(signal: AbortSignal): Promise<FoundVm[]>;
  snapshots(vm: string, signal: AbortSignal): Promise<FoundSnapshot[]>;
  takeSnapshot(meant: SnapshotName, signal: AbortSignal): Promise<void>;
  removeSnapshot(meant: SnapshotName, signal: AbortSignal): Promise<void>;

  /** Throws NotOnNode. */
  facts(meant: SnapshotName, signal: AbortSignal): Promise<SnapshotFacts>;
  /** The snapshot can not be removed from now on, not even by others, where the platform knows how; once more is no fault. */
  hold(meant: SnapshotName, job: string, signal: AbortSignal): Promise<void>;
  release(meant: SnapshotName, job: string, signal: AbortSignal): Promise<void>;
  /** Its bytes. The iteration ends only where all have come and the node says that all went well. */
  openSnapshot(meant: SnapshotName, options: SendOptions): AsyncIterable<Uint8Array>;

  images(signal: AbortSignal): Promise<FoundImage[]>;
  /** Whole and verified when it resolves. */
  pull(order: PullOrder, options: { signal: AbortSignal; report: Report }): Promise<void>;
  /** Throws NotOnNode, and CommandFailed where something is made of it. */
  remove(image: string, pool: string, signal: AbortSignal): Promise<void>;
  /** The image servers that the node asks, in order. */
  sources(signal: AbortSignal): Promise<string[]>;
  configureSources(sources: readonly string[], signal: AbortSignal): Promise<void>;
  /** Does an image server answer the node? Throws CommandFailed where it does not (reaches.ts); absent where none can say. */
  reaches?(url: string, signal: AbortSignal): Promise<void>;

  /** Lets go of what jobs have left on the node, holds and files. Of each job that is found there it is asked. */
  sweep(isOver: IsOver, signal: AbortSignal): Promise<void>;
}
