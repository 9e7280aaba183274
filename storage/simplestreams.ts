import type { Reach } from './registry.js';
import type { RemoteFile } from './sources.js';

export interface StreamFile {
  /** What it is, in the words of the stream: lxd.tar.xz, squashfs, lxd_combined.tar.gz … */
  ftype: string;
  path: string;
  sha256: string;
  size: number;
}

/** An image of a stream, in the version that was picked. */
export interface StreamImage {
  /** What the stream calls the product. */
  product: string;
  version: string;
  /** What this version of it is called, where that is another. */
  pubname?: string;
  os: string;
  release: string;
  releaseTitle: string;
  arch: string;
  aliases: string;
  fingerprint: string;
  /** The metadata first, then the root filesystem; one where they are combined. */
  files: StreamFile[];
}

export interface StreamsOptions {
  url: string;
  reach: Reach;
  /** Milliseconds for which the server may be silent. */
  patience: number;
}

/** Images of LXD and Incus, as a server offers them in simplestreams. What is wrong there throws RemoteSourceError. */
export interface Simplestreams {
  /** The newest version of an image, by one of its aliases; for amd64 unless the alias names another architecture. */
  find(alias: string, signal: AbortSignal): Promise<StreamImage | undefined>;
  file(file: StreamFile): RemoteFile;
}
