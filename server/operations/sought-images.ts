import type { Deps } from '../deps.js';
import { type SoughtImage, soughtIn } from '../model/sought-image.js';
import { managedRecordsOf } from './list-managed-images.js';
import type { ListedImage } from './listing.js';

/** By what stands in memory for an image: that is another one after each change. */
const known = new WeakMap<ListedImage, SoughtImage>();

/** So many records are held at once. */
const AT_ONCE = 1000;

/** Each record is read when it is first sought among, and again after it was changed. One that is gone is left out. */
export async function soughtImages(deps: Deps, found: readonly ListedImage[]): Promise<SoughtImage[]> {
  const unread = found.filter((image) => !known.has(image));
  for (let at = 0; at < unread.length; at += AT_ONCE) {
    const some = new Map(unread.slice(at, at + AT_ONCE).map((image) => [image.uuid, image]));
    for (const record of await managedRecordsOf(deps, [...some.values()])) {
      known.set(some.get(record.uuid)!, soughtIn(record));
    }
  }
  return found.flatMap((image) => known.get(image) ?? []);
}
