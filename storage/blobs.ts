import type { Writable } from 'node:stream';

/** Bytes on their way in. Exactly one of commit, discard and suspend ends it; discard may be called at any time, also twice. */
export interface StagedBlob {
  /** Random and final: the blob will be read under it. */
  readonly key: string;
  /** What is written is lent: it is valid until the callback of its write. */
  readonly writable: Writable;
  /** After the writable has finished. When it returns, the bytes are durable and can be read; never before. */
  commit(): Promise<void>;
  discard(): Promise<void>;
  /** Instead of commit or discard: what has been written stays, to be resumed under its key. */
  suspend(): Promise<void>;
}

/** Bytes that were on their way in once, and shall go on from where they are. */
export interface ResumedBlob extends StagedBlob {
  /** So many bytes are there. The writable still begins at 0: what is written of these is not written again. */
  readonly kept: number;
  /** Before anything is written: the writable begins behind what is there, for those who look at that later. */
  skip(): void;
  /** What is there. A chunk is lent: it is valid until the next one is asked for. */
  read(): AsyncIterable<Uint8Array>;
}

export interface BlobStat {
  size: number;
  /** When it was last written to. Its lease is counted from here while no record holds it. */
  touched: Date;
}

/** First and last byte, both included, as in a Range header. */
export interface ByteRange {
  start: number;
  end: number;
}

/** The file in which a blob lies, open until it is closed. */
export interface BlobFile {
  /** For those who can have the kernel read it. */
  readonly descriptor: number;
  /** Of the whole blob. */
  readonly size: number;
  /** Fills as much as it can, and gives what it has filled: at least a byte, or it fails. */
  read(into: Uint8Array, position: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** What a blob says, as it comes over a connection to where it lies. */
export interface BlobBody {
  /** For those who can have the kernel read it, who say so; -1 while the next bytes are to be had by reading only. */
  readonly descriptor: number;
  /** Of the whole blob. */
  readonly size: number;
  /** The next bytes; at least one, or it fails. They are lent until it is asked for more, by whomever. */
  read(): Promise<Uint8Array>;
  /** So many were read by the kernel. */
  took(bytes: number): void;
  close(): Promise<void>;
}

/**
 * Blobs never change once committed. Absence is `undefined`; a failure throws StorageDown with its cause.
 * A blob that is deleted while it is being read stays readable to those who read it.
 */
export interface BlobStore {
  /** Under a new key; a restore brings the one that its records know, which is not there yet. */
  stage(key?: string): Promise<StagedBlob>;
  /** What was staged and not ended by anybody, or was committed and is known to no record. Never two at a time. */
  resume(key: string): Promise<ResumedBlob | undefined>;
  /**
   * A file as a blob that is all there already, in stores that share a disk with it: it is not copied, and cannot be
   * written to from now on. Nothing where that can not be. Committing throws Changed where it was written to after all.
   */
  adopt?(path: string): Promise<ResumedBlob | undefined>;
  stat(key: string): Promise<BlobStat | undefined>;
  /**
   * The blob is open when this returns, and closed when the iteration ends, is left early, or throws; where it may never
   * start, `return()` of its iterator closes it. A chunk is lent: it is valid until the next one is asked for.
   */
  read(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** The blob as an open file, in stores that keep some in one: nothing where it is in none, and may yet be read. */
  openFile?(key: string): Promise<BlobFile | undefined>;
  /** A range of the blob as it comes from elsewhere: nothing where it does not come so, and may yet be read. */
  openBody?(key: string, range: ByteRange): Promise<BlobBody | undefined>;
  /**
   * An address at which whoever has it reads the blob for so many seconds, without asking us; in stores that have such.
   * A browser saves it under the name.
   */
  presign?(key: string, options: { filename?: string; seconds: number }): Promise<string>;
  /** Throws StorageDown where the store does not answer; in stores that can be away. */
  check?(): Promise<void>;
  /** Removes a committed blob or a staged one that was left behind; an absent one is no error. */
  delete(key: string): Promise<void>;
  /** Keys of everything there is, staged leftovers included. */
  list(): AsyncIterable<{ key: string; staged: boolean; touched: Date }>;
  close(): Promise<void>;
}
