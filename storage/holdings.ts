import type { BlobStore } from './blobs.js';
import type { Catalog, Kind, Reader, Tx } from './catalog.js';
import { clear, clearancesSoFar, condemn, condemned } from './condemned.js';
import type { Content } from './digests.js';
import { StorageDown } from './errors.js';
import { partials } from './partials.js';

/** Which blob keeps a content, and who needs it. Images with the same file share one blob. */
export interface Holding {
  sha256: string;
  key: string;
  size: number;
  holders: string[];
  /** Since when nobody has needed it. */
  unheldSince?: string;
}

export const contents: Kind<Holding> = {
  name: 'contents',
  id: ({ sha256 }) => sha256,
  unique: ({ key }) => [`key:${key}`],
  index: ({ unheldSince }) => (unheldSince ? [`unheld:${unheldSince}`] : []),
};

export interface Stores {
  catalog: Catalog;
  blobs: BlobStore;
}

type Held = Pick<Content, 'sha256' | 'size'>;
/** A committed blob, and what is in it. */
export interface Arrival {
  key: string;
  content: Held;
}

/** Holds the content that is being published, for the holder that is named. */
export type Hold = (holder: string) => Promise<void>;

/** Records the content or joins those who hold it. Returns the key that is kept, which may be another than `key`. */
export async function hold(tx: Tx, { sha256, size }: Held, key: string, holder: string): Promise<string> {
  const existing = await tx.get(contents, sha256);
  if (!existing) {
    await tx.insert(contents, { sha256, key, size, holders: [holder] });
    return key;
  }
  const { unheldSince: _, ...held } = existing;
  await tx.replace(contents, { ...held, holders: [...new Set([...held.holders, holder])] });
  return existing.key;
}

/** Who does not hold it has nothing to release. The bytes stay until `collect` finds them unheld for long enough. */
export async function release(tx: Tx, sha256: string, holder: string, now = new Date()): Promise<void> {
  const existing = await tx.get(contents, sha256);
  if (!existing?.holders.includes(holder)) return;
  const holders = existing.holders.filter((other) => other !== holder);
  await tx.replace(contents, { ...existing, holders, ...(holders.length === 0 && { unheldSince: now.toISOString() }) });
}

export async function locate(reader: Reader, sha256: string): Promise<{ key: string; size: number } | undefined> {
  const found = await reader.get(contents, sha256);
  return found && { key: found.key, size: found.size };
}

/** `publishAll` for one blob. */
export function publish<R>(stores: Stores, arrival: Arrival, change: (tx: Tx, hold: Hold) => Promise<R>): Promise<R> {
  return publishAll(stores, [arrival], (tx, hold) => change(tx, (holder) => hold(arrival, holder)));
}

/**
 * One write that publishes committed blobs: `change` writes the records and holds the contents for them. A blob is
 * deleted where it turns out not to be needed, because its content is kept already or because the change refused.
 */
export async function publishAll<R>(
  { catalog, blobs }: Stores,
  arrivals: readonly Arrival[],
  change: (tx: Tx, hold: (arrival: Arrival, holder: string) => Promise<void>) => Promise<R>,
): Promise<R> {
  const discard = async (unneeded: readonly Arrival[]) => {
    for (const { key } of unneeded) {
      // collect finds what is left; what a record names may be in the hands of another daemon by now
      if (!(await isKnown(catalog, key))) await blobs.delete(key).catch(() => {});
    }
  };
  try {
    for (;;) {
      const kept = new Set<string>();
      const looks = await lookAtAll({ catalog, blobs }, arrivals);
      try {
        const result = await catalog.write((tx) => {
          kept.clear();
          return change(tx, async ({ key, content }, holder) => {
            await replaceIfLost(tx, looks, content, key);
            kept.add(await hold(tx, content, key, holder));
          });
        });
        await discard(arrivals.filter(({ key }) => !kept.has(key)));
        return result;
      } catch (error) {
        if (!(error instanceof LooksAgain)) throw error;
      }
    }
  } catch (error) {
    // after StorageDown nobody knows whether the record was written: collect decides when the lease has run out
    if (!(error instanceof StorageDown)) await discard(arrivals);
    throw error;
  }
}

/** What a blob store has said of a blob before the write: inside it is not asked, as a slow one would stop all writes. */
interface Looks {
  /** What had been cleared by then. */
  clearances: number;
  /** By key: are its bytes all there? */
  whole: ReadonlyMap<string, boolean>;
}

async function lookAtAll({ catalog, blobs }: Stores, arrivals: readonly Arrival[]): Promise<Looks> {
  const clearances = await clearancesSoFar(catalog);
  const sizes = new Map<string, number>();
  for (const { key, content } of arrivals) {
    sizes.set(key, content.size);
    const existing = await catalog.get(contents, content.sha256);
    if (existing) sizes.set(existing.key, content.size);
  }
  const looked = Array.from(sizes, async ([key, size]) => [key, (await blobs.stat(key))?.size === size] as const);
  return { clearances, whole: new Map(await Promise.all(looked)) };
}

/** Bytes that are gone, or are not all there, are replaced by those that have just come. */
async function replaceIfLost(tx: Tx, { whole, clearances }: Looks, content: Held, key: string): Promise<void> {
  const existing = await tx.get(contents, content.sha256);
  // One that nobody has looked at was published since, and looked at then.
  if (existing && existing.key !== key && (whole.get(existing.key) ?? true)) return;
  if (!whole.get(key) || (await tx.get(condemned, key))) {
    throw new Error(`blob ${key} is gone: its lease has run out`);
  }
  if ((await clearancesSoFar(tx)) !== clearances) throw new LooksAgain();
  if (existing) await tx.replace(contents, { ...existing, key, size: content.size });
}

/** Blobs were deleted since they were looked at. */
class LooksAgain extends Error {
  override name = 'LooksAgain';
}

export interface CollectOptions {
  now?: Date;
  /** Milliseconds for which bytes that nobody holds are kept. */
  grace: number;
  /** Milliseconds from the last touch for which bytes that no record knows are kept. */
  lease: number;
  signal?: AbortSignal;
}

export interface Collected {
  /** Contents that nobody has held for longer than the grace time. */
  unheld: number;
  /** Whole blobs that no record knows. */
  orphans: number;
  /** Uploads that were left behind. */
  staged: number;
}

/** So many are condemned together: each time is two writes. */
const TOGETHER = 256;

/**
 * Deletes the bytes that nobody needs any more, in two steps: what goes is condemned in a write, and deleted behind it.
 * Safe beside uploads, publishing, downloads and another collect, on whatever daemon. Where some can not be deleted, the
 * others are before it throws.
 */
export async function collect(
  { catalog, blobs }: Stores,
  { now = new Date(), grace, lease, signal }: CollectOptions,
): Promise<Collected> {
  const collected: Collected = { unheld: 0, orphans: 0, staged: 0 };
  const unheldBefore = new Date(now.getTime() - grace).toISOString();
  const touchedBefore = new Date(now.getTime() - lease);

  let failure: unknown;
  const clearAll = async (keys: readonly string[]) => {
    const [first] = await clear(catalog, blobs, keys);
    failure ??= first;
  };

  for await (const left of batches(catalog.list(condemned), signal)) {
    await clearAll(left.map(({ key }) => key));
  }

  for await (const unheld of batches(unheldIn(catalog, unheldBefore), signal)) {
    const keys = await forget(catalog, unheld, unheldBefore);
    await clearAll(keys);
    collected.unheld += keys.length;
  }

  for await (const unknown of batches(unknownIn({ catalog, blobs }, touchedBefore), signal)) {
    const keys = new Set(await condemnUnknown(catalog, unknown));
    await clearAll([...keys]);
    for (const { key, staged } of unknown) if (keys.has(key)) collected[staged ? 'staged' : 'orphans'] += 1;
  }
  if (failure !== undefined) throw failure;
  return collected;
}

async function* batches<T>(all: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const one of all) {
    signal?.throwIfAborted();
    batch.push(one);
    if (batch.length < TOGETHER) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function* unheldIn(catalog: Catalog, unheldBefore: string): AsyncGenerator<Holding> {
  for await (const { record } of catalog.range(contents, 'unheld')) {
    if (record.unheldSince! > unheldBefore) return;
    yield record;
  }
}

type Listed = { key: string; staged: boolean; touched: Date };

async function* unknownIn({ catalog, blobs }: Stores, touchedBefore: Date): AsyncGenerator<Listed> {
  for await (const listed of blobs.list()) {
    if (listed.touched > touchedBefore || (await isKnown(catalog, listed.key))) continue;
    // a long list tells of long ago
    const found = listed.staged ? undefined : await blobs.stat(listed.key);
    if (!found || found.touched <= touchedBefore) yield listed;
  }
}

/** To a record of what is kept, or of what will go on. */
export async function isKnown(reader: Reader, key: string): Promise<boolean> {
  return ((await reader.find(contents, `key:${key}`)) ?? (await reader.find(partials, `key:${key}`))) !== undefined;
}

/** The records go first: bytes without a record are found again, a record without bytes would be a lie. */
function forget(catalog: Catalog, unheld: readonly Holding[], unheldBefore: string): Promise<string[]> {
  return catalog.write(async (tx) => {
    // a backup reads the bytes of its moment: they are collected when it has ended
    if (catalog.openSnapshots() > 0) return [];
    const keys: string[] = [];
    for (const { sha256 } of unheld) {
      const found = await tx.get(contents, sha256);
      if (!found?.unheldSince || found.unheldSince > unheldBefore) continue;
      await tx.delete(contents, sha256);
      await condemn(tx, found.key);
      keys.push(found.key);
    }
    return keys;
  });
}

/** Inside a write, so that nobody publishes a blob between the look and the deletion. */
function condemnUnknown(catalog: Catalog, unknown: readonly Listed[]): Promise<string[]> {
  return catalog.write(async (tx) => {
    const keys: string[] = [];
    for (const { key } of unknown) {
      if (await isKnown(tx, key)) continue;
      await condemn(tx, key);
      keys.push(key);
    }
    return keys;
  });
}
