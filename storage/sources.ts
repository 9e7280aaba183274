import type { Readable } from 'node:stream';

/** A file that another server left. */
export interface LeftFile {
  path: string;
  size: number;
  modified: Date;
  /** Fails as a stream does where the file can't be read. */
  open(): Readable;
  /** The first bytes. */
  head(length: number): Promise<Uint8Array>;
}

/** What that server wrote of an image. */
export interface LeftRecord {
  path: string;
  /** Throws where it can't be read. */
  text(): Promise<string>;
}

export interface Survey {
  /** Of all images there may be, as the names of their places say. */
  uuids: string[];
  /** What lies about and is no part of any of them, a line for each. */
  strays: string[];
}

/** The parts of an image: its file, a second one, which few have, and its icon. */
export const parts = ['file0', 'file1', 'icon'] as const;
export type Part = (typeof parts)[number];

/** The directory of another image server. It is only read; absence is `undefined`, a disk that fails throws. */
export interface LeftDirectory {
  readonly path: string;
  /** For people. */
  readonly what: string;
  /** What that server took an image for that says nothing about its state. */
  readonly unsaidState: 'active' | undefined;
  survey(signal: AbortSignal): Promise<Survey>;
  /** The one to believe first; the others are for when it is damaged. */
  records(uuid: string): Promise<LeftRecord[]>;
  file(uuid: string, part: Part): Promise<LeftFile | undefined>;
  /** The MD5 of the file in base64, where that server remembered it outside of the record. */
  rememberedMd5(uuid: string): Promise<string | undefined>;
  /** Public keys of users: `local/alice.keys`. */
  keyFiles(): Promise<{ name: string; record: LeftRecord }[]>;
  /** How that server was configured. */
  configuration(): Promise<{ path: string; mode: string | undefined } | undefined>;
}

/** The file of an image that lies somewhere else, opened from a byte on. */
export interface Opened {
  /** The first byte of the body: the one that was asked for, or 0 where the source could only begin again. */
  from: number;
  /** Of the whole file, where the source tells. */
  size?: number;
  /** Names this very content: with it, what came before can be gone on with. */
  mark?: string;
  body: Readable;
}

export interface RemoteFile {
  /** For people: where it lies, without what must not be told. */
  readonly what: string;
  /** Where it lies on this machine, for stores that can take it from there as it is. */
  readonly path?: string;
  open(at: { from: number; mark?: string | undefined }, signal: AbortSignal): Promise<Opened>;
}

/** In bytes of JSON. Those of a few KiB are the rule; tags and requirements make some longer. */
export const MOST_OF_A_MANIFEST = 64 << 10;

/** Images that lie somewhere else, to be fetched one by one. */
export interface Source {
  /** For people. */
  readonly what: string;
  /** The manifest, as the source has it: nothing of it has been checked. */
  describe(uuid: string, signal: AbortSignal): Promise<Record<string, unknown>>;
  file(uuid: string, index?: number): RemoteFile;
  /** Where the source knows of icons. */
  icon?(uuid: string): RemoteFile;
}

/** Images that lie in a directory of this machine. */
export interface Folder extends Source {
  readonly path: string;
  /** The manifests of those that are whole. */
  list(signal: AbortSignal): AsyncIterable<Record<string, unknown>>;
}
