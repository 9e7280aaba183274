import type { Catalog } from '../../storage/catalog.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';

/** A change was tried, and nothing has refused it. */
export class NotWritten extends Error {
  override name = 'NotWritten';
}

/** A catalog in which changes are tried and none is kept: what would have been written ends with NotWritten. */
export function unwrittenCatalog(catalog: Catalog): Catalog {
  return wrappedCatalog(catalog, {
    write: (change) =>
      catalog.write(async (tx) => {
        await change(tx);
        throw new NotWritten('nothing is kept of what is only checked');
      }),
  });
}
