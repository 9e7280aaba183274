import type { Effect, Kind, Positioned, RangeOptions, Tx } from '../catalog.js';
import { Missing, Taken } from '../errors.js';
import { indexKey, recordKey, uniqueKey } from './keys.js';
import { Overlay } from './overlay.js';
import { Records } from './records.js';
import type { View } from './view.js';

/** A change while it runs: reads and writes an overlay of its own, and is refused once it has ended. */
export class Transaction extends Records implements Tx {
  readonly writes: Overlay;
  /** The last state of each record that was changed, as JSON, by kind and id. */
  readonly changed = new Map<string, Map<string, string | undefined>>();
  readonly #effects = new Map<string, Effect>();
  #ended = false;
  #last: Promise<void> = Promise.resolve();

  constructor(below: View) {
    const writes = new Overlay(below);
    super(writes);
    this.writes = writes;
  }

  end(): void {
    this.#ended = true;
  }

  override get<T>(kind: Kind<T>, id: string): Promise<T | undefined> {
    this.#assertRunning();
    return super.get(kind, id);
  }

  override find<T>(kind: Kind<T>, key: string): Promise<T | undefined> {
    this.#assertRunning();
    return super.find(kind, key);
  }

  override async *range<T>(kind: Kind<T>, index: string, options?: RangeOptions): AsyncGenerator<Positioned<T>> {
    this.#assertRunning();
    for await (const found of super.range(kind, index, options)) {
      this.#assertRunning();
      yield found;
    }
  }

  insert<T>(kind: Kind<T>, record: T): Promise<void> {
    return this.#inTurn(async () => {
      const id = kind.id(record);
      if ((await this.get(kind, id)) !== undefined) throw new Taken(id);
      await this.#put(kind, id, undefined, record);
    });
  }

  replace<T>(kind: Kind<T>, record: T): Promise<void> {
    return this.#inTurn(async () => {
      const id = kind.id(record);
      await this.#put(kind, id, await this.#existing(kind, id), record);
    });
  }

  delete<T>(kind: Kind<T>, id: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#put(kind, id, await this.#existing(kind, id), undefined);
    });
  }

  effects(): Effect[] {
    return [...this.#effects.values()];
  }

  async #existing<T>(kind: Kind<T>, id: string): Promise<T> {
    const record = await this.get(kind, id);
    if (record === undefined) throw new Missing(id);
    return record;
  }

  async #put<T>(kind: Kind<T>, id: string, before: T | undefined, after: T | undefined): Promise<void> {
    const stale = before === undefined ? new Set<string>() : pointers(kind, id, before);
    const fresh = after === undefined ? new Set<string>() : pointers(kind, id, after);
    const json = after === undefined ? undefined : JSON.stringify(after);
    const key = recordKey(kind.name, id);
    if (after !== undefined) await this.#assertFree(kind, id, after);

    // all at once: a change that catches Taken, or that has ended meanwhile, must not leave half a record
    this.#assertRunning();
    for (const key of stale) if (!fresh.has(key)) this.writes.set(key, undefined);
    for (const key of fresh) if (!stale.has(key)) this.writes.set(key, JSON.stringify(id));
    this.writes.set(key, json);
    const first = this.#effects.get(key) ?? { kind: kind.name, id, before: before as object | undefined };
    this.#effects.set(key, { ...first, after: after as object | undefined });
    const changed = this.changed.get(kind.name) ?? new Map<string, string | undefined>();
    this.changed.set(kind.name, changed.set(id, json));
  }

  async #assertFree<T>(kind: Kind<T>, id: string, record: T): Promise<void> {
    for (const key of kind.unique?.(record) ?? []) {
      const holder = await this.writes.get(uniqueKey(kind.name, key));
      if (holder !== undefined && holder !== JSON.stringify(id)) throw new Taken(key);
    }
  }

  // a change may start several writes at once; each must see what the one before it did
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#assertRunning();
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {}); // told to the caller of that write
    return turn;
  }

  #assertRunning(): void {
    if (this.#ended) throw new Error('a transaction was used after its change had returned');
  }
}

function pointers<T>(kind: Kind<T>, id: string, record: T): Set<string> {
  const unique = kind.unique?.(record) ?? [];
  const index = kind.index?.(record) ?? [];
  return new Set([
    ...unique.map((key) => uniqueKey(kind.name, key)),
    ...index.map((entry) => indexKey(kind.name, entry, id)),
  ]);
}
