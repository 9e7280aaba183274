import type { BlobStore } from './blobs.js';
import type { Catalog, Kind, Reader, Tx } from './catalog.js';
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
  const kept = new Set<string>();
  const discard = async (unneeded: readonly Arrival[]) => {
    for (const { key } of unneeded) await blobs.delete(key).catch(() => {}); // collect finds what is left
  };
  let result: R;
  try {
    result = await catalog.write((tx) =>
      change(tx, async ({ key, content }, holder) => {
        await replaceIfLost(tx, blobs, content, key);
        kept.add(await hold(tx, content, key, holder));
      }),
    );
  } catch (error) {
    // after StorageDown nobody knows whether the record was written: collect decides when the lease has run out
    if (!(error instanceof StorageDown)) await discard(arrivals);
    throw error;
  }
  await discard(arrivals.filter(({ key }) => !kept.has(key)));
  return result;
}

/** Bytes that are gone, or are not all there, are replaced by those that have just come. */
async function replaceIfLost(tx: Tx, blobs: BlobStore, content: Held, key: string): Promise<void> {
  const existing = await tx.get(contents, content.sha256);
  if (existing && existing.key !== key && (await isWhole(blobs, existing.key, content.size))) return;
  // looked at inside the write, as collect deletes inside one: what is there now is there when the record is
  if (!(await isWhole(blobs, key, content.size))) throw new Error(`blob ${key} is gone: its lease has run out`);
  if (existing) await tx.replace(contents, { ...existing, key, size: content.size });
}

async function isWhole(blobs: BlobStore, key: string, size: number): Promise<boolean> {
  return (await blobs.stat(key))?.size === size;
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

/** Deletes the bytes that nobody needs any more. Safe beside uploads, publishing, downloads and another collect. */
export async function collect(
  { catalog, blobs }: Stores,
  { now = new Date(), grace, lease, signal }: CollectOptions,
): Promise<Collected> {
  const collected: Collected = { unheld: 0, orphans: 0, staged: 0 };
  const unheldBefore = new Date(now.getTime() - grace).toISOString();
  const touchedBefore = new Date(now.getTime() - lease);

  for await (const { record } of catalog.range(contents, 'unheld')) {
    signal?.throwIfAborted();
    if (record.unheldSince! > unheldBefore) break;
    const key = await forget(catalog, record.sha256, unheldBefore);
    if (key === undefined) continue;
    await blobs.delete(key);
    collected.unheld += 1;
  }

  for await (const { key, staged, touched } of blobs.list()) {
    signal?.throwIfAborted();
    if (touched > touchedBefore || (await isKnown(catalog, key))) continue;
    if (await deleteUnknown({ catalog, blobs }, key, touchedBefore)) collected[staged ? 'staged' : 'orphans'] += 1;
  }
  return collected;
}

/** To a record of what is kept, or of what will go on. */
async function isKnown(reader: Reader, key: string): Promise<boolean> {
  return ((await reader.find(contents, `key:${key}`)) ?? (await reader.find(partials, `key:${key}`))) !== undefined;
}

/** The record goes first: bytes without a record are found again, a record without bytes would be a lie. */
function forget(catalog: Catalog, sha256: string, unheldBefore: string): Promise<string | undefined> {
  return catalog.write(async (tx) => {
    // a backup reads the bytes of its moment: they are collected when it has ended
    if (catalog.openSnapshots() > 0) return undefined;
    const found = await tx.get(contents, sha256);
    if (!found?.unheldSince || found.unheldSince > unheldBefore) return undefined;
    await tx.delete(contents, sha256);
    return found.key;
  });
}

/** Inside a write, so that nobody publishes the blob between the look and the deletion. */
function deleteUnknown({ catalog, blobs }: Stores, key: string, touchedBefore: Date): Promise<boolean> {
  return catalog.write(async (tx) => {
    if (await isKnown(tx, key)) return false;
    const found = await blobs.stat(key);
    if (found && found.touched > touchedBefore) return false;
    await blobs.delete(key);
    return true;
  });
}
