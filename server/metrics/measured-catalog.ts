import type { Catalog } from '../../storage/catalog.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import type { Metrics } from './instruments.js';
import { failuresOf, secondsSince, timed } from './timed.js';

/** The catalog, and how long it takes. A write's time includes its wait for those before it, and the sync. */
export function measuredCatalog(catalog: Catalog, { instruments }: Metrics): Catalog {
  const { catalog_duration_seconds: times, catalog_failures_total: failures } = instruments;
  const time = timed(times, failures);
  const failed = failuresOf(failures);

  /** Counts the waits for the catalog, not what the reader does between them. */
  async function* each<T>(operation: 'range' | 'list', records: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = records[Symbol.asyncIterator]();
    let seconds = 0;
    const next = async () => {
      const start = performance.now();
      try {
        return await iterator.next();
      } catch (error) {
        failed(operation, error);
        throw error;
      } finally {
        seconds += secondsSince(start);
      }
    };
    try {
      for (let step = await next(); !step.done; step = await next()) yield step.value;
    } finally {
      times.observe({ operation }, seconds);
      await iterator.return?.();
    }
  }

  return wrappedCatalog(catalog, {
    get: (kind, id) => time('get', () => catalog.get(kind, id)),
    find: (kind, key) => time('find', () => catalog.find(kind, key)),
    range: (kind, index, options) => each('range', catalog.range(kind, index, options)),
    list: (kind) => each('list', catalog.list(kind)),
    pages: (kind) => each('list', catalog.pages(kind)),
    write: (change) => time('write', () => catalog.write(change)),
  });
}
