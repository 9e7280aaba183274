import { inSelection, type Selection } from '../../imgapi/channels.js';
import type { Image } from '../../imgapi/image.js';
import { type ListQuery, matches, pageOf } from '../../imgapi/query.js';
import type { Deps } from '../deps.js';
import { images } from '../model/image.js';
import { reachOf } from '../model/reach.js';
import { canList, canRead, type Viewer } from '../model/visibility.js';
import { notFound } from './find-image.js';
import type { ListedImage, Listing } from './listing.js';

/** One page of what the query asks for and the viewer may see, in the query's order. */
export function listImages({ listing }: Deps, viewer: Viewer, query: ListQuery, channel: Selection): ListedImage[] {
  const reach = reachOf(viewer);
  return pageOf(
    reach ? listing.within(reach) : listing.sorted,
    query,
    markerOf(listing, viewer, query),
    (image) => matches(query, image) && inSelection(image.channels, channel) && canList(viewer, image),
  );
}

/** A marker need not match the query, nor be seen by the account that is acted for; to the caller it has to exist. */
function markerOf(listing: Listing, { caller, mode, open }: Viewer, { marker }: ListQuery): ListedImage | undefined {
  if (!marker || !('uuid' in marker)) return undefined;
  const image = listing.get(marker.uuid);
  if (!image || !canRead({ caller, mode, open }, image)) throw notFound(marker.uuid);
  return image;
}

/** The whole records of what was listed; one that was deleted meanwhile is left out. */
export async function recordsOf({ catalog }: Deps, found: readonly ListedImage[]): Promise<Image[]> {
  const records = await Promise.all(found.map(({ uuid }) => catalog.get(images, uuid)));
  return records.filter((image) => image !== undefined);
}
