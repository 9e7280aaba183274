import type { Selection } from '../../imgapi/channels.js';
import { inSelection } from '../../imgapi/channels.js';
import type { Image, Mode } from '../../imgapi/image.js';
import { compareListed, type Listed, type ListQuery, listed, matches, pageOf } from '../../imgapi/query.js';
import { serialize } from '../../imgapi/serialize.js';
import type { Catalog } from '../../storage/catalog.js';
import { ReadModel } from '../../storage/read-model.js';
import type { Deps } from '../deps.js';
import { images } from '../model/image.js';
import { canList, type Viewer } from '../model/visibility.js';
import { notFound } from './find-image.js';

/** What memory keeps of an image: what the filters need, and the manifest as it is sent. */
export interface ListedImage extends Listed {
  /** The manifest as an element of a list, without and with its channels; the same buffer where it has none. */
  plain: Buffer;
  withChannels: Buffer;
}

export function openListing(catalog: Catalog, mode: Mode): Promise<ReadModel<ListedImage>> {
  return ReadModel.open(catalog, images, {
    project: (image: Image): ListedImage => {
      const plain = element(serialize(image, { mode, channels: false, admin: false }));
      const withChannels = image.channels ? element(serialize(image, { mode, channels: true, admin: false })) : plain;
      return { ...listed(image), plain, withChannels };
    },
    compare: compareListed,
  });
}

const element = (manifest: Record<string, unknown>) =>
  Buffer.from(JSON.stringify(manifest, null, 2).replaceAll('\n', '\n  '));

export function listImages({ listing }: Deps, viewer: Viewer, query: ListQuery, channel: Selection): ListedImage[] {
  return pageOf(
    listing.sorted,
    query,
    markerOf(listing, query),
    (image) => matches(query, image) && inSelection(image.channels, channel) && canList(viewer, image),
  );
}

function markerOf(listing: ReadModel<ListedImage>, { marker }: ListQuery): ListedImage | undefined {
  if (!marker || !('uuid' in marker)) return undefined;
  const image = listing.get(marker.uuid);
  if (!image) throw notFound(marker.uuid);
  return image;
}

/** A JSON array of elements that were rendered before. */
export function joinElements(elements: readonly Buffer[]): Buffer {
  if (elements.length === 0) return Buffer.from('[]');
  const parts = elements.flatMap((bytes, index) => [index === 0 ? OPEN : NEXT, bytes]);
  return Buffer.concat([...parts, CLOSE]);
}

const OPEN = Buffer.from('[\n  ');
const NEXT = Buffer.from(',\n  ');
const CLOSE = Buffer.from('\n]');

/** The whole records of what was listed; one that was deleted meanwhile is left out. */
export async function recordsOf({ catalog }: Deps, found: readonly ListedImage[]): Promise<Image[]> {
  const records = await Promise.all(found.map(({ uuid }) => catalog.get(images, uuid)));
  return records.filter((image) => image !== undefined);
}
