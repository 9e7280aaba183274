import { ImgapiError } from '../../imgapi/errors.js';
import type { Image } from '../../imgapi/image.js';
import type { Reader } from '../../storage/catalog.js';
import { images } from '../model/image.js';
import { canRead, isOpen } from '../model/visibility.js';
import type { Target } from './find-image.js';

/**
 * Who opens an image to everybody opens its origins with it, because they are needed to use it. An account may do so
 * with origins that are its own or open already; with others' it would give away what was only shown to it.
 */
export async function checkWidening(reader: Reader, target: Target, before: Image, after: Image): Promise<void> {
  const { account, mode } = target;
  const widens = isOpen(mode, after) && !(isOpen(mode, before) && before.origin === after.origin);
  if (account === undefined || !widens) return;
  const others: Image[] = [];
  const seen = new Set([after.uuid]);
  for (let next = after.origin; next !== undefined && !seen.has(next); ) {
    seen.add(next);
    const origin: Image | undefined = await reader.get(images, next);
    if (origin && origin.owner !== account && !isOpen(mode, origin)) others.push(origin);
    next = origin?.origin;
  }
  if (others.length === 0) return;
  const visible = others.filter((origin) => canRead(target, origin)).map(({ uuid }) => uuid);
  const named = visible.length > 0 ? visible.join(', ') : 'images that others own';
  throw new ImgapiError(
    'NotImageOwner',
    `image ${after.uuid} can not be public: that would open its origin ${named} too`,
  );
}
