import type { Database } from './database.js';
import { type KeyRange, wholeWalk } from './keys.js';
import type { Operation } from './overlay.js';
import type { Entry, View } from './view.js';

const pageSize = 5000;

/**
 * What is committed, as writes see it: which keys there are in walks that are resident is known from memory, so that to
 * walk a few of them wakes no thread. What they hold is read. Only good between commits, of which it has to hear.
 */
export class ResidentKeys implements View {
  readonly #walks = new Map<string, string[]>();

  constructor(private readonly database: Database) {}

  get(key: string): Promise<string | undefined> {
    return this.database.get(key);
  }

  getMany(keys: string[]): Promise<(string | undefined)[]> {
    return this.database.getMany(keys);
  }

  scan(range: KeyRange, page: number): AsyncIterable<Entry[]> {
    return range.resident === undefined ? this.database.scan(range, page) : this.#scan(range, range.resident, page);
  }

  committed(operations: readonly Operation[]): void {
    for (const [base, keys] of this.#walks) {
      for (const { type, key } of operations) {
        if (!key.startsWith(base)) continue;
        const at = place(keys, key);
        const isThere = keys[at] === key;
        if (type === 'put' && !isThere) keys.splice(at, 0, key);
        if (type === 'del' && isThere) keys.splice(at, 1);
      }
    }
  }

  /** After a commit that failed nobody knows what is there: it is read again when it is next asked for. */
  forget(): void {
    this.#walks.clear();
  }

  async *#scan(range: KeyRange, base: string, page: number): AsyncGenerator<Entry[]> {
    const keys = this.#walks.get(base) ?? (await this.#read(base));
    const within = keys.slice(place(keys, range.from), place(keys, range.to));
    if (range.reverse) within.reverse();
    for (let at = 0; at < within.length; at += page) {
      const some = within.slice(at, at + page);
      const values = await this.database.getMany(some);
      yield some.map((key, n): Entry => [key, values[n]!]);
    }
  }

  async #read(base: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const page of this.database.scan(wholeWalk(base), pageSize)) for (const [key] of page) keys.push(key);
    this.#walks.set(base, keys);
    return keys;
  }
}

/** Where a key stands among sorted ones, or would. */
function place(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
