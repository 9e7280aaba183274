import { inSelection, type Selection } from '../../imgapi/channels.js';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { images } from '../model/image.js';
import { modeLaw } from '../model/modes.js';
import { answer, type Operation } from '../model/permissions.js';
import type { RegisteredImage } from '../model/registration.js';
import { canRead, canReadAsOrigin, type Viewer, type Visible } from '../model/visibility.js';
import type { ListedImage } from './listing.js';

/** Which image is meant, by whom, and in which channel. */
export interface Target extends Viewer {
  uuid: string;
  channel: Selection;
  /** What shall be done with it; what is asked of an update where nothing is said. */
  operation?: Operation;
}

/** An image that is absent, hidden or in another channel: one refusal in the same words. */
export const notFound = (uuid: string) => new ImgapiError('ResourceNotFound', `image ${uuid} not found`);

export async function findImage(reader: Reader, target: Target): Promise<RegisteredImage> {
  return permitted(reader, target, await reader.get(images, target.uuid));
}

/** As memory keeps it, which follows the catalog. */
export function findListed({ catalog, listing }: Deps, target: Target): Promise<ListedImage> {
  return permitted(catalog, target, listing.get(target.uuid));
}

type Addressed = Visible & Pick<ListedImage, 'channels'>;

async function permitted<T extends Addressed>(reader: Reader, target: Target, image: T | undefined): Promise<T> {
  if (!image || !inSelection(image.channels, target.channel)) throw notFound(target.uuid);
  if (canRead(target, image)) return image;
  if (target.account === undefined && canReadAsOrigin(target, image)) {
    if (await hasReadableDescendant(reader, target, target.uuid)) return image;
  }
  throw notFound(target.uuid);
}

/** For changes, which are the owner's where an account is named, and else the roles' of the data center it is bound to. */
export async function findOwnImage(reader: Reader, target: Target): Promise<RegisteredImage> {
  const image = await findImage(reader, target);
  if (modeLaw[target.mode].fleet && answer(target.caller, target.operation ?? 'update', { image }) !== 'yes') {
    throw new ImgapiError('NotPermitted', `image ${image.uuid} is managed by others`);
  }
  if (target.account !== undefined && image.owner !== target.account) {
    throw new ImgapiError('NotImageOwner', `account ${target.account} does not own image ${image.uuid}`);
  }
  return image;
}

/** Whoever may have an image needs its origins too, whatever their state. */
async function hasReadableDescendant(reader: Reader, viewer: Viewer, uuid: string): Promise<boolean> {
  const seen = new Set([uuid]);
  for (const origin of seen) {
    for await (const { record } of reader.range(images, 'origin', { prefix: origin })) {
      if (canRead(viewer, record)) return true;
      seen.add(record.uuid);
    }
  }
  return false;
}
