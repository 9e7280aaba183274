import type { KeyRange } from './keys.js';
import type { Entry, FrozenView, LiveView, View } from './view.js';

type Writes = Map<string, string | undefined>;
export type Operation = { type: 'put'; key: string; value: string } | { type: 'del'; key: string };

/**
 * Writes that are not committed yet, laid over a view that stays as it is while they are; an absent value is a deletion.
 */
export class Overlay implements LiveView {
  #writes: Writes = new Map();
  #shared = false;

  constructor(private readonly below: View) {}

  set(key: string, value: string | undefined): void {
    if (this.#shared) this.#writes = new Map(this.#writes);
    this.#shared = false;
    this.#writes.set(key, value);
  }

  absorb(above: Overlay): void {
    for (const [key, value] of above.#writes) this.set(key, value);
  }

  operations(): Operation[] {
    return Array.from(this.#writes, ([key, value]) =>
      value === undefined ? { type: 'del', key } : { type: 'put', key, value },
    );
  }

  get(key: string): Promise<string | undefined> {
    return layer(this.#writes, this.below).get(key);
  }

  getMany(keys: string[]): Promise<(string | undefined)[]> {
    return layer(this.#writes, this.below).getMany(keys);
  }

  scan(range: KeyRange, page: number): AsyncIterable<Entry[]> {
    return layer(this.#writes, this.below).scan(range, page);
  }

  freeze(): FrozenView {
    this.#shared = true;
    return { ...layer(this.#writes, this.below), close: async () => {} };
  }
}

function layer(writes: Writes, below: View): View {
  return {
    get: (key) => (writes.has(key) ? Promise.resolve(writes.get(key)) : below.get(key)),
    async getMany(keys) {
      const absent = keys.filter((key) => !writes.has(key));
      const found = absent.length > 0 ? (await below.getMany(absent)).values() : [].values();
      return keys.map((key) => (writes.has(key) ? writes.get(key) : found.next().value));
    },
    scan(range, page) {
      const own = sortedWithin(writes, range);
      const pages = below.scan(range, page);
      return own.length > 0 ? merge(own, pages, range.reverse) : pages;
    },
  };
}

type Write = [key: string, value: string | undefined];

function sortedWithin(writes: Writes, { from, to, reverse }: KeyRange): Write[] {
  const within: Write[] = [];
  for (const write of writes) if (write[0] >= from && write[0] < to) within.push(write);
  return within.sort(([a], [b]) => (a < b === reverse ? 1 : -1));
}

async function* merge(writes: Write[], pages: AsyncIterable<Entry[]>, reverse: boolean): AsyncGenerator<Entry[]> {
  let next = 0;
  for await (const page of pages) {
    const merged: Entry[] = [];
    for (const entry of page) {
      while (next < writes.length && precedes(writes[next]![0], entry[0])) take(writes[next++]!, merged);
      if (writes[next]?.[0] === entry[0]) take(writes[next++]!, merged);
      else merged.push(entry);
    }
    yield merged;
  }
  const rest: Entry[] = [];
  for (const write of writes.slice(next)) take(write, rest);
  yield rest;

  function precedes(a: string, b: string): boolean {
    return reverse ? a > b : a < b;
  }
}

function take([key, value]: Write, into: Entry[]): void {
  if (value !== undefined) into.push([key, value]);
}
