import type { Image, Mode } from '../../imgapi/image.js';
import { compareListed, type Listed, listed } from '../../imgapi/query.js';
import { serialize } from '../../imgapi/serialize.js';
import type { Catalog } from '../../storage/catalog.js';
import { ReadModel } from '../../storage/read-model.js';
import { images } from '../model/image.js';

/** What memory keeps of an image: what the filters need, and the manifest as it is sent. */
export interface ListedImage extends Listed {
  /** The manifest as an element of a list, without and with its channels; the same buffer where it has none. */
  plain: Buffer;
  withChannels: Buffer;
}

export type Listing = ReadModel<ListedImage>;

export function openListing(catalog: Catalog, mode: Mode): Promise<Listing> {
  const element = (image: Image, channels: boolean) =>
    Buffer.from(JSON.stringify(serialize(image, { mode, channels, admin: false }), null, 2).replaceAll('\n', '\n  '));
  return ReadModel.open(catalog, images, {
    project: (image: Image): ListedImage => {
      const plain = element(image, false);
      return { ...listed(image), plain, withChannels: image.channels ? element(image, true) : plain };
    },
    compare: compareListed,
  });
}
