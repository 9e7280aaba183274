import type { Catalog } from '../storage/catalog.js';

/**
 * What is done once for all daemons: by the one that has been in for longest, and never by two, also while one follows the
 * other. Nothing is done where it is somebody else's to do.
 */
export async function whileFirst(catalog: Catalog, name: string, work: () => Promise<unknown>): Promise<void> {
  const { members } = catalog;
  if (catalog.current() && members.isFirst()) await members.ifAlone(name, work);
}
