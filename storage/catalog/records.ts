import type { Kind, Positioned, RangeOptions, Reader } from '../catalog.js';
import { position, rangeOf, recordKey, uniqueKey, walk } from './keys.js';
import type { Entry, LiveView, View } from './view.js';

export const pageSize = 500;

/** Reads records out of a view. */
export class Records implements Reader {
  constructor(protected readonly view: LiveView) {}

  get<T>(kind: Kind<T>, id: string): Promise<T | undefined> {
    return recordOf<T>(this.view, kind, id);
  }

  async find<T>(kind: Kind<T>, key: string): Promise<T | undefined> {
    const view = this.view.freeze();
    try {
      const id = await view.get(uniqueKey(kind.name, key));
      return id === undefined ? undefined : await recordOf<T>(view, kind, JSON.parse(id));
    } finally {
      await view.close();
    }
  }

  async *range<T>(kind: Kind<T>, index: string, options: RangeOptions = {}): AsyncGenerator<Positioned<T>> {
    const base = walk(kind.name, index);
    const range = { ...rangeOf(base, options), ...(kind.resident?.includes(index) && { resident: base }) };
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    if (left <= 0) return;
    const view = this.view.freeze();
    try {
      for await (const page of view.scan(range, Math.min(left, pageSize))) {
        const entries = page.slice(0, left);
        const records =
          index === 'id' ? entries.map(([, json]) => JSON.parse(json) as T) : await pointedAt(view, kind, entries);
        for (const [n, [key]] of entries.entries()) {
          const record = records[n];
          if (record !== undefined) yield { at: position(base, key), record };
        }
        left -= entries.length;
        if (left <= 0) return;
      }
    } finally {
      await view.close();
    }
  }

  async *list<T>(kind: Kind<T>): AsyncGenerator<T> {
    for await (const { record } of this.range(kind, 'id')) yield record;
  }
}

function pointedAt<T>(view: View, kind: Kind<T>, entries: Entry[]): Promise<(T | undefined)[]> {
  return recordsOf<T>(
    view,
    kind,
    entries.map(([, id]) => JSON.parse(id)),
  );
}

async function recordOf<T>(view: View, kind: Kind<T>, id: string): Promise<T | undefined> {
  const json = await view.get(recordKey(kind.name, id));
  return json === undefined ? undefined : (JSON.parse(json) as T);
}

async function recordsOf<T>(view: View, kind: Kind<T>, ids: string[]): Promise<(T | undefined)[]> {
  const found = await view.getMany(ids.map((id) => recordKey(kind.name, id)));
  return found.map((json) => (json === undefined ? undefined : (JSON.parse(json) as T)));
}
