import { createHash, type Hash } from 'node:crypto';
import type { BlobStore } from './blobs.js';
import type { Catalog, Entry, Snapshot } from './catalog.js';
import { StorageDown } from './errors.js';
import { contents, type Holding, type Stores } from './holdings.js';
import { readTar, type TarFile, type TarMember, tarSize, writeTar } from './tar.js';
import { TransferRefused, transfer } from './transfer.js';

/**
 *   slipway-backup.json       what this is, and how much of it there is
 *   files/<name>              what is kept beside the stores
 *   records/<number>          entries of the catalog, a line each: [key, value]
 *   blobs/<sha256>            the bytes of a content
 *   slipway-backup.end.json   a digest over all of that, and which contents could not be read
 */
const HEAD = 'slipway-backup.json';
const END = 'slipway-backup.end.json';
const FORMAT = 'slipway-backup';
const VERSION = 1;

/** So many characters of entries stand together. */
const LINES = 1 << 20;
/** The last member, which is known only when all else has been read, has room for what it may have to say. */
const END_SIZE = 64 << 10;
const MOST_UNREADABLE = 900;

/** What is told of a backup in its first member. */
export interface BackupHead {
  format: typeof FORMAT;
  version: typeof VERSION;
  created: string;
  /** The version of the server. */
  server: string;
  entries: number;
  contents: number;
  /** Of all contents. */
  bytes: number;
}

interface BackupEnd {
  sha256: string;
  members: number;
  /** Contents whose bytes were missing or damaged already. */
  unreadable: string[];
}

export interface BackupOptions {
  created: Date;
  server: string;
  /** What is kept beside the stores, as it belongs to this moment. */
  files(snapshot: Snapshot): Promise<ReadonlyMap<string, Buffer>>;
}

/** All that a server keeps, as it was at one moment: a stream whose length is known before it begins. */
export class Backup {
  private constructor(
    readonly head: BackupHead,
    /** In bytes, of the stream. */
    readonly size: number,
    private readonly parts: Parts,
  ) {}

  /** From now on nothing is collected that it needs, until it is closed. */
  static async open({ catalog, blobs }: Stores, options: BackupOptions): Promise<Backup> {
    const snapshot = await catalog.snapshot();
    try {
      const files = await options.files(snapshot);
      const parts = { snapshot, blobs, files, lost: new Set<string>() };
      const sizes = [...files.values()].map(({ length }) => length);
      const head: BackupHead = {
        format: FORMAT,
        version: VERSION,
        created: options.created.toISOString(),
        server: options.server,
        entries: 0,
        contents: 0,
        bytes: 0,
      };
      for await (const lines of recordsOf(parts)) {
        head.entries += lines.length;
        sizes.push(lengthOf(lines));
      }
      for await (const { sha256, key, size } of snapshot.list(contents)) {
        head.contents += 1;
        head.bytes += size;
        if ((await blobs.stat(key))?.size === size) sizes.push(size);
        else parts.lost.add(sha256);
      }
      checkReadable(parts.lost);
      return new Backup(head, tarSize([headBytes(head).length, ...sizes, END_SIZE]), parts);
    } catch (error) {
      await snapshot.close();
      throw error;
    }
  }

  /** Chunk by chunk, each lent; to be read once. */
  read(): AsyncGenerator<Uint8Array> {
    return writeTar(membersOf(this.head, this.parts));
  }

  close(): Promise<void> {
    return this.parts.snapshot.close();
  }
}

interface Parts {
  snapshot: Snapshot;
  blobs: BlobStore;
  files: ReadonlyMap<string, Buffer>;
  lost: Set<string>;
}

const headBytes = (head: BackupHead) => Buffer.from(`${JSON.stringify(head, null, 2)}\n`);

async function* membersOf(head: BackupHead, parts: Parts): AsyncGenerator<TarFile> {
  const seal = new Seal();
  const small = (name: string, bytes: Buffer): TarFile => {
    seal.add(name, bytes.length, createHash('sha256').update(bytes));
    return { name, size: bytes.length, bytes: () => [bytes] };
  };
  yield small(HEAD, headBytes(head));
  for (const [name, bytes] of parts.files) yield small(`files/${name}`, bytes);
  let number = 0;
  for await (const lines of recordsOf(parts)) {
    number += 1;
    yield small(`records/${String(number).padStart(8, '0')}`, Buffer.from(lines.join('')));
  }
  const unreadable = new Set(parts.lost);
  for await (const holding of parts.snapshot.list(contents)) {
    if (parts.lost.has(holding.sha256)) continue;
    const name = `blobs/${holding.sha256}`;
    const hash = createHash('sha256');
    yield { name, size: holding.size, bytes: () => hashed(parts.blobs, holding, hash) };
    const found = seal.add(name, holding.size, hash);
    if (found !== holding.sha256) unreadable.add(holding.sha256);
    checkReadable(unreadable);
  }
  const end: BackupEnd = { ...seal.digest(), unreadable: [...unreadable].sort() };
  const bytes = Buffer.from(
    JSON.stringify(end)
      .padEnd(END_SIZE - 1)
      .concat('\n'),
  );
  yield { name: END, size: END_SIZE, bytes: () => [bytes] };
}

async function* hashed(blobs: BlobStore, { key }: Holding, hash: Hash): AsyncGenerator<Uint8Array> {
  const chunks = await blobs.read(key);
  if (!chunks) throw new StorageDown(`reading blob ${key}`, new Error('it disappeared'));
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

/** Together as far as they are small, whichever pages they come in. */
async function* recordsOf({ snapshot }: Pick<Parts, 'snapshot'>): AsyncGenerator<string[]> {
  let lines: string[] = [];
  let length = 0;
  for await (const page of snapshot.entries()) {
    for (const entry of page) {
      const line = `${JSON.stringify(entry)}\n`;
      lines.push(line);
      length += line.length;
      if (length < LINES) continue;
      yield lines;
      lines = [];
      length = 0;
    }
  }
  if (lines.length > 0) yield lines;
}

const lengthOf = (lines: readonly string[]) => lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);

function checkReadable(unreadable: ReadonlySet<string>): void {
  if (unreadable.size <= MOST_UNREADABLE) return;
  throw new StorageDown('making a backup', new Error(`more than ${MOST_UNREADABLE} contents are missing or damaged`));
}

/** A digest over the names, sizes and digests of all members, in their order. */
class Seal {
  readonly #all = createHash('sha256');
  #members = 0;

  add(name: string, size: number, hash: Hash | string): string {
    const sha256 = typeof hash === 'string' ? hash : hash.digest('hex');
    this.#all.update(`${name}\n${size}\n${sha256}\n`);
    this.#members += 1;
    return sha256;
  }

  digest(): { sha256: string; members: number } {
    return { sha256: this.#all.copy().digest('hex'), members: this.#members };
  }
}

/** It is no backup of ours, is damaged, or is cut short. */
export class BadBackup extends Error {
  override name = 'BadBackup';
}

/** Where a backup goes: stores that are empty, and a place for what is kept beside them. */
export interface Restoring {
  catalog: Catalog;
  blobs: BlobStore;
  keep(name: string, bytes: Buffer): Promise<void>;
  signal?: AbortSignal;
  /** Told of the bytes of contents that are here. */
  report?(progress: { bytes: number; of: number }): void;
}

export interface Restored extends BackupHead {
  /** Contents that the backup does not have, because the server had lost them. */
  unreadable: string[];
}

/** Reads, verifies and writes at the same time: only when this has returned is it known that all is as it should be. */
export async function restore(source: AsyncIterable<Uint8Array>, into: Restoring): Promise<Restored> {
  const reading = new Reading(readTar(source));
  try {
    return await restoreAll(reading, into);
  } finally {
    await reading.close();
  }
}

async function restoreAll(reading: Reading, into: Restoring): Promise<Restored> {
  const seal = new Seal();
  const head = await headOf(reading, seal);
  for (let file = await reading.next('files/'); file; file = await reading.next('files/')) {
    const bytes = await smallBytes(file, seal);
    await into.keep(file.name.slice('files/'.length), bytes);
  }
  let entries = 0;
  await into.catalog.load(
    (async function* () {
      for (let file = await reading.next('records/'); file; file = await reading.next('records/')) {
        into.signal?.throwIfAborted();
        const page = entriesIn(await smallBytes(file, seal), file.name);
        entries += page.length;
        yield page;
      }
    })(),
  );
  const { restored, damaged } = await restoreBlobs(reading, into, seal, head);
  const end = await endOf(reading);
  const { sha256, members } = seal.digest();
  if (end.members !== members || end.sha256 !== sha256) {
    throw new BadBackup('the backup is damaged: the digest over all of it is not the one at its end');
  }
  const unreadable = new Set(end.unreadable);
  const unexpected = [...damaged].find((one) => !unreadable.has(one));
  if (unexpected !== undefined) throw new BadBackup(`the backup is damaged: blobs/${unexpected} is something else`);
  const absent = [...unreadable].filter((one) => !damaged.has(one)).length;
  if (entries !== head.entries || restored + damaged.size + absent !== head.contents) {
    throw new BadBackup('the backup is damaged: it does not hold what its beginning tells of');
  }
  return { ...head, unreadable: end.unreadable };
}

async function restoreBlobs(
  reading: Reading,
  { catalog, blobs, signal, report = () => {} }: Restoring,
  seal: Seal,
  { bytes: of }: BackupHead,
): Promise<{ restored: number; damaged: Set<string> }> {
  const damaged = new Set<string>();
  let restored = 0;
  let before = 0;
  for (let file = await reading.next('blobs/'); file; file = await reading.next('blobs/')) {
    const { name, size, body } = file;
    const holding = await catalog.get(contents, name.slice('blobs/'.length));
    if (!holding || holding.size !== size) throw new BadBackup(`the backup is damaged: no record tells of ${name}`);
    const { sha256, key } = holding;
    const far = (bytes: number) => report({ bytes: before + bytes, of });
    try {
      const staged = await blobs.stage(key);
      if (size === 0) throw new TransferRefused('empty', 1, 0);
      await transfer(body, staged, { expect: { size, sha256 }, report: far, ...(signal && { signal }) });
      seal.add(name, size, sha256);
      restored += 1;
    } catch (error) {
      if (!(error instanceof TransferRefused) || error.reason !== 'sha256') throw error;
      seal.add(name, size, String(error.found));
      damaged.add(sha256);
    }
    before += size;
  }
  return { restored, damaged };
}

async function headOf(reading: Reading, seal: Seal): Promise<BackupHead> {
  const first = await reading.next(HEAD);
  const head = first && (parsed(await smallBytes(first, seal), HEAD) as BackupHead);
  if (head?.format !== FORMAT) throw new BadBackup('it is no backup of a Slipway');
  if (head.version === VERSION) return head;
  throw new BadBackup(`the backup is of version ${head.version}: this server reads version ${VERSION}`);
}

async function endOf(reading: Reading): Promise<BackupEnd> {
  const last = await reading.next(END);
  const other = last ? undefined : await reading.next('');
  if (other) throw new BadBackup(`the backup holds ${JSON.stringify(other.name)}, which has no place there`);
  if (!last) throw new BadBackup('the backup is cut short: its end is missing');
  const end = parsed(await bytesOf(last), END) as BackupEnd;
  if (!Array.isArray(end.unreadable)) throw new BadBackup('the backup is damaged: its end can not be read');
  const more = await reading.next('');
  if (more) throw new BadBackup(`the backup goes on behind its end, with ${JSON.stringify(more.name)}`);
  return end;
}

function entriesIn(bytes: Buffer, name: string): Entry[] {
  const lines = bytes.toString().split('\n').slice(0, -1);
  return lines.map((line) => {
    const entry = parsed(line, name);
    const [key, value] = Array.isArray(entry) ? entry : [];
    if (typeof key === 'string' && typeof value === 'string') return [key, value];
    throw new BadBackup(`the backup is damaged: ${name} holds no records`);
  });
}

function parsed(text: Buffer | string, name: string): unknown {
  try {
    return Object(JSON.parse(text.toString()));
  } catch (cause) {
    throw new BadBackup(`the backup is damaged: ${name} is no JSON`, { cause });
  }
}

/** What is no content fits into memory. */
const MOST_SMALL = 64 << 20;

async function smallBytes(member: TarMember, seal: Seal): Promise<Buffer> {
  const bytes = await bytesOf(member);
  seal.add(member.name, bytes.length, createHash('sha256').update(bytes));
  return bytes;
}

async function bytesOf({ name, size, body }: TarMember): Promise<Buffer> {
  if (size > MOST_SMALL) throw new BadBackup(`the backup is damaged: ${name} has ${size} bytes`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The members one by one, as far as they begin as they should. */
class Reading {
  #waiting: TarMember | undefined;

  constructor(private readonly members: AsyncGenerator<TarMember>) {}

  async next(prefix: string): Promise<TarMember | undefined> {
    this.#waiting ??= (await this.members.next()).value ?? undefined;
    const found = this.#waiting?.name.startsWith(prefix) ? this.#waiting : undefined;
    if (found) this.#waiting = undefined;
    return found;
  }

  async close(): Promise<void> {
    await this.members.return(undefined);
  }
}
