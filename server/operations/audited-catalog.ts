import { randomUUID } from 'node:crypto';
import type { Catalog, Tx } from '../../storage/catalog.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { CHANGES, isNoted, type Occasion, type Touched, touched, union } from '../model/audit.js';
import { appendEntries } from './append-entries.js';

interface Means {
  catalog: Catalog;
  now: () => Date;
  /** Hears of the entry of each write that is safe on disk. */
  onEntry?: (id: string) => void;
}

const beside = new WeakMap<Tx, Touched[]>();

/** In a write: something else was done, as on a node, that is in no record; the entry of the write has it. */
export function noteBeside(tx: Tx, touched: Touched): void {
  beside.set(tx, [...(beside.get(tx) ?? []), touched]);
}

/**
 * The catalog in somebody's hands: whatever a write changes is noted in that same write, behind the last entry of the
 * chain. What changes nothing leaves no entry; what can not be noted is not changed.
 */
export function auditedCatalog({ catalog, now, onEntry }: Means, occasion: () => Occasion): Catalog {
  return wrappedCatalog(catalog, {
    write: async (change) => {
      let entry: string | undefined;
      const result = await catalog.write(async (tx) => {
        const changed = await change(tx);
        const objects = [...tx.effects().filter(isNoted).map(touched), ...(beside.get(tx) ?? [])];
        if (objects.length === 0) return changed;
        entry = randomUUID();
        const datacenters = union(objects.map((object) => object.datacenters));
        const content = { ...occasion(), id: entry, time: now().toISOString(), objects, datacenters, result: 'done' };
        await appendEntries(tx, CHANGES, [content]);
        return changed;
      });
      if (entry !== undefined) onEntry?.(entry);
      return result;
    },
  });
}
