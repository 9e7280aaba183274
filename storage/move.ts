import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { append } from './append.js';
import type { BlobStore } from './blobs.js';
import type { Catalog, Entry, Reader, Snapshot } from './catalog.js';
import { checkStored } from './check-stored.js';
import { StorageDown } from './errors.js';
import { contents, type Holding } from './holdings.js';
import { partials } from './partials.js';
import { TransferRefused, transfer } from './transfer.js';

/** The contents that are known to lie in the new store as they should: kept for the next attempt. */
export interface Verified {
  /** Found good by this attempt. */
  isSure(key: string): boolean;
  /** Found good by an earlier one: it is enough that it is there. */
  wasSure(key: string): boolean;
  add(key: string): Promise<void>;
}

export interface MovedSoFar {
  contents: number;
  bytes: number;
}

export interface ContentMove {
  from: { reader: Reader; blobs: BlobStore };
  to: BlobStore;
  verified: Verified;
  signal: AbortSignal;
  report(moved: MovedSoFar): void;
  /** Milliseconds to wait before a store that fails is tried again. */
  pauses?: readonly number[];
}

const PAUSES = [500, 2000, 10_000];
/** Many are small, and each waits for a store. */
const AT_ONCE = 4;

/**
 * Every content from one store to another under the key that it has, read back there and compared with its digest. What
 * is there already and whole is left alone. Returns those that can not be read here, which are as lost as they were.
 */
export async function moveContents(move: ContentMove): Promise<string[]> {
  const unreadable: string[] = [];
  const moved = { contents: 0, bytes: 0 };
  const failing = new AbortController();
  const signal = AbortSignal.any([move.signal, failing.signal]);
  const each = move.from.reader.list(contents)[Symbol.asyncIterator]();
  const worker = async () => {
    for (let next = await each.next(); !next.done; next = await each.next()) {
      const holding = next.value;
      signal.throwIfAborted();
      let far = 0;
      const report = (bytes: number) => {
        moved.bytes += bytes - far;
        far = bytes;
        move.report({ ...moved });
      };
      if (!(await isMoved({ ...move, signal }, holding, report))) unreadable.push(holding.sha256);
      moved.contents += 1;
      report(holding.size);
    }
  };
  const workers = Array.from({ length: AT_ONCE }, () =>
    worker().catch((error: unknown) => {
      failing.abort(error);
      throw error;
    }),
  );
  // nobody is at it any more when this has failed: the stores may be closed then
  await Promise.allSettled(workers);
  await each.return?.();
  await Promise.all(workers);
  return unreadable.sort();
}

/** False where it is lost here. */
async function isMoved(move: ContentMove, holding: Holding, report: (bytes: number) => void): Promise<boolean> {
  const { to, verified, signal, pauses = PAUSES } = move;
  const { key } = holding;
  if (verified.isSure(key)) return true;
  for (let failed = 0; ; failed += 1) {
    try {
      if (!(await isThere(move, holding))) {
        await to.delete(key);
        await copied(move, holding, report);
        await checkStored(to, key, holding, { signal });
      }
      await verified.add(key);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Lost && (failed > 0 || error.isGone)) return false;
      const pause = pauses[failed];
      const mayPass = error instanceof StorageDown || error instanceof TransferRefused || error instanceof Lost;
      if (pause === undefined || !mayPass) throw error;
      await sleep(pause, undefined, { signal }).catch((error: unknown) => {
        signal.throwIfAborted(); // with the reason that was given
        throw error;
      });
    }
  }
}

async function isThere({ to, verified, signal }: ContentMove, holding: Holding): Promise<boolean> {
  const { key, size } = holding;
  if ((await to.stat(key))?.size !== size) return false;
  if (verified.wasSure(key)) return true;
  try {
    await checkStored(to, key, holding, { signal });
    return true;
  } catch (error) {
    if (error instanceof TransferRefused) return false;
    throw error;
  }
}

async function copied(
  { from, to, signal }: ContentMove,
  { key, size, sha256 }: Holding,
  report: (bytes: number) => void,
): Promise<void> {
  const staged = await to.stage(key);
  try {
    await transfer(readingFrom(from.blobs, key), staged, { expect: { size, sha256 }, report, signal });
  } catch (error) {
    await staged.discard();
    if (error instanceof TransferRefused) throw new Lost(false, error);
    // A store that fails is asked again; one that says that it has something else has lost it.
    const isShort = error instanceof StorageDown && (await from.blobs.stat(key))?.size !== size;
    throw isShort ? new Lost(false, error) : error;
  }
}

/** It is missing or damaged where it comes from, which is looked at twice if it is not gone. */
class Lost extends Error {
  override name = 'Lost';
  constructor(
    readonly isGone: boolean,
    cause?: unknown,
  ) {
    super('a blob is lost', { cause });
  }
}

async function* readingFrom(blobs: BlobStore, key: string): AsyncGenerator<Uint8Array> {
  const chunks = await blobs.read(key);
  if (!chunks) throw new Lost(true);
  yield* chunks;
}

/** What is on its way in goes on where it was; nobody may work on it. */
export async function movePartials(reader: Reader, from: BlobStore, to: BlobStore): Promise<void> {
  for await (const { key } of reader.list(partials)) {
    const staged = await from.resume(key);
    if (!staged) continue;
    try {
      await to.delete(key);
      const fresh = await to.stage(key);
      await fresh.suspend();
      const there = await to.resume(key);
      if (there) await append(staged.read(), there, { most: Number.POSITIVE_INFINITY });
    } finally {
      await staged.suspend();
    }
  }
}

/** All records into a catalog that is empty; read back there, and compared. Returns how many there are. */
export async function moveRecords(from: Snapshot, to: Catalog, signal: AbortSignal): Promise<number> {
  const sent = new Tally();
  await to.load(sent.over(from.entries(), signal));
  const found = new Tally();
  const snapshot = await to.snapshot();
  try {
    for await (const _ of found.over(snapshot.entries(), signal));
  } finally {
    await snapshot.close();
  }
  if (found.entries === sent.entries && found.digest === sent.digest) return sent.entries;
  throw new Error(`the records are not the same there: ${sent.entries} were sent, ${found.entries} are there`);
}

/** How many entries there are, and a digest over all of them in their order. */
class Tally {
  entries = 0;
  readonly #hash = createHash('sha256');

  async *over(pages: AsyncIterable<Entry[]>, signal: AbortSignal): AsyncGenerator<Entry[]> {
    for await (const page of pages) {
      signal.throwIfAborted();
      for (const [key, value] of page) this.#hash.update(`${key.length} ${value.length}\n${key}${value}`);
      this.entries += page.length;
      yield page;
    }
  }

  get digest(): string {
    return this.#hash.copy().digest('hex');
  }
}
