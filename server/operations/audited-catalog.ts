import { randomUUID } from 'node:crypto';
import type { Catalog, Kind, Tx } from '../../storage/catalog.js';
import { CHANGES, isNoted, isSame, type Occasion, type Touched, touched, union } from '../model/audit.js';
import { appendEntries } from './append-entries.js';

interface Means {
  catalog: Catalog;
  now: () => Date;
  /** Hears of the entry of each write that is safe on disk. */
  onEntry?: (id: string) => void;
}

/**
 * The catalog in somebody's hands: whatever a write changes is noted in that same write, behind the last entry of the
 * chain. What changes nothing leaves no entry; what can not be noted is not changed.
 */
export function auditedCatalog({ catalog, now, onEntry }: Means, occasion: () => Occasion): Catalog {
  return {
    get: (kind, id) => catalog.get(kind, id),
    find: (kind, key) => catalog.find(kind, key),
    range: (kind, index, options) => catalog.range(kind, index, options),
    list: (kind) => catalog.list(kind),
    pages: (kind) => catalog.pages(kind),
    follow: (kind, follower) => catalog.follow(kind, follower),
    close: () => catalog.close(),
    write: async (change) => {
      let entry: string | undefined;
      const result = await catalog.write(async (tx) => {
        const noting = new Noting(tx);
        const changed = await change(noting);
        const objects = noting.touched();
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
  };
}

interface Noted {
  kind: string;
  id: string;
  before: object | undefined;
  after: object | undefined;
}

/** A transaction that remembers what each record was before it, and what it is now. */
class Noting implements Tx {
  readonly #noted = new Map<string, Noted>();

  constructor(private readonly tx: Tx) {}

  get<T>(kind: Kind<T>, id: string) {
    return this.tx.get(kind, id);
  }

  find<T>(kind: Kind<T>, key: string) {
    return this.tx.find(kind, key);
  }

  range: Tx['range'] = (kind, index, options) => this.tx.range(kind, index, options);
  list: Tx['list'] = (kind) => this.tx.list(kind);

  async insert<T>(kind: Kind<T>, record: T): Promise<void> {
    await this.tx.insert(kind, record);
    this.#note(kind, kind.id(record), undefined, record);
  }

  async replace<T>(kind: Kind<T>, record: T): Promise<void> {
    const before = await this.#before(kind, kind.id(record));
    await this.tx.replace(kind, record);
    this.#note(kind, kind.id(record), before, record);
  }

  async delete<T>(kind: Kind<T>, id: string): Promise<void> {
    const before = await this.#before(kind, id);
    await this.tx.delete(kind, id);
    this.#note(kind, id, before, undefined);
  }

  touched(): Touched[] {
    return [...this.#noted.values()]
      .filter(({ kind, before, after }) => !isSame(kind, before, after))
      .map(({ kind, id, before, after }) => touched(kind, id, before, after));
  }

  #before<T>(kind: Kind<T>, id: string): Promise<T | undefined> {
    return isNoted(kind.name) ? this.tx.get(kind, id) : Promise.resolve(undefined);
  }

  #note<T>(kind: Kind<T>, id: string, before: T | undefined, after: T | undefined): void {
    if (!isNoted(kind.name)) return;
    const key = `${kind.name}\0${id}`;
    const first = this.#noted.get(key);
    this.#noted.set(key, {
      kind: kind.name,
      id,
      before: first ? first.before : (before as object | undefined),
      after: after as object | undefined,
    });
  }
}
