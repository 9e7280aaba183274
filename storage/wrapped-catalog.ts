import type { Catalog } from './catalog.js';

/** A catalog that does some things in another way, and all else as the one inside does. */
export function wrappedCatalog(catalog: Catalog, instead: Partial<Catalog>): Catalog {
  return {
    members: catalog.members,
    current: () => catalog.current(),
    ...(catalog.sharing && { sharing: catalog.sharing.bind(catalog) }),
    get: (kind, id) => catalog.get(kind, id),
    find: (kind, key) => catalog.find(kind, key),
    range: (kind, index, options) => catalog.range(kind, index, options),
    list: (kind) => catalog.list(kind),
    pages: (kind) => catalog.pages(kind),
    write: (change) => catalog.write(change),
    follow: (kind, follower) => catalog.follow(kind, follower),
    snapshot: () => catalog.snapshot(),
    openSnapshots: () => catalog.openSnapshots(),
    load: (entries) => catalog.load(entries),
    close: () => catalog.close(),
    ...instead,
  };
}
