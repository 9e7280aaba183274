import type { BlobStore } from './blobs.js';
import type { Catalog, Kind, Reader, Tx } from './catalog.js';

/**
 * A blob that is going to be deleted: decided in a write, done behind it, because no blob store is asked inside a write.
 * From then on nobody publishes it; whoever has found it condemned may delete it. A condemnation is never withdrawn.
 */
interface Condemned {
  key: string;
}

export const condemned: Kind<Condemned> = { name: 'condemned', id: ({ key }) => key };

/** Told of the last time when condemned blobs were gone: what was looked at before may be gone since. */
interface Clearance {
  id: typeof LAST;
  /** One more each time. */
  count: number;
}

const LAST = 'last';

const clearances: Kind<Clearance> = { name: 'clearances', id: ({ id }) => id };

/** Which blobs are going to be deleted; they are in no other record. */
export async function condemn(tx: Tx, key: string): Promise<void> {
  if (!(await tx.get(condemned, key))) await tx.insert(condemned, { key });
}

/** To be compared: a blob that was there at the first look, and is not condemned at the second, is there if nothing was cleared. */
export async function clearancesSoFar(reader: Reader): Promise<number> {
  return (await reader.get(clearances, LAST))?.count ?? 0;
}

/**
 * Deletes what is condemned. Two may do this at once, and whoever was killed at it has left it to the next. What can not
 * be deleted stays condemned, and holds up no other: the failures are given back.
 */
export async function clear(catalog: Catalog, blobs: BlobStore, keys: readonly string[]): Promise<unknown[]> {
  const gone: string[] = [];
  const failures: unknown[] = [];
  for (const key of keys) {
    try {
      await blobs.delete(key);
      gone.push(key);
    } catch (error) {
      await blobs.check?.(); // a store that is away is not asked for all of them
      failures.push(error);
    }
  }
  if (gone.length > 0) await noteGone(catalog, gone);
  return failures;
}

function noteGone(catalog: Catalog, keys: readonly string[]): Promise<void> {
  return catalog.write(async (tx) => {
    let isFirst = false;
    for (const key of keys) {
      if (!(await tx.get(condemned, key))) continue;
      await tx.delete(condemned, key);
      isFirst = true;
    }
    if (!isFirst) return;
    const last = await tx.get(clearances, LAST);
    const next = { id: LAST, count: (last?.count ?? 0) + 1 } as const;
    await (last ? tx.replace(clearances, next) : tx.insert(clearances, next));
  });
}
