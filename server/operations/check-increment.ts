import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { SnapshotFacts } from '../hypervisors/hypervisor.js';
import { images } from '../model/image.js';
import { LONGEST_CHAIN } from '../model/import.js';
import type { RegisteredImage } from '../model/registration.js';
import type { Viewer } from '../model/visibility.js';
import { checkOrigin } from './check-relations.js';
import { originsOf } from './origins.js';

/** The image that a disk was made of has to be here as it is on the node, and to be one that the caller may build on. */
export async function checkIncrement(
  reader: Reader,
  viewer: Viewer,
  { origin, disk, vm }: Pick<SnapshotFacts, 'origin' | 'disk' | 'vm'>,
  longest = LONGEST_CHAIN,
): Promise<RegisteredImage> {
  const uuid = origin?.image;
  if (uuid === undefined) {
    const message = `disk ${disk.disk} of machine ${vm.hostname} was made of no image that is known: an increment has nothing to build on`;
    throw new ImgapiError('OriginDoesNotExist', message);
  }
  await checkOrigin(reader, viewer, uuid);
  const image = await reader.get(images, uuid);
  if (!image) throw new ImgapiError('OriginDoesNotExist', `origin image ${uuid} does not exist`);
  if (image.state !== 'active') {
    throw new ImgapiError('OriginIsNotActive', `origin image ${uuid} is ${image.state} here`);
  }
  const here = image.files[0]?.dataset_guid;
  if (here === undefined || here !== origin?.guid) {
    const there = origin?.guid === undefined ? 'of none that is known' : `of ${origin.guid}`;
    const message = `origin image ${uuid} is of dataset ${here ?? 'unknown'} here, and the disk ${there}: an increment would fit no copy of it`;
    throw new ImgapiError('OriginDoesNotExist', message);
  }
  let depth = 2;
  for await (const _ of originsOf(reader, image)) depth += 1;
  if (depth <= longest) return image;
  const message = `origin image ${uuid} has ${depth - 1} images in its chain: with this one they are more than ${longest}`;
  throw new ImgapiError('OriginDoesNotExist', message);
}
