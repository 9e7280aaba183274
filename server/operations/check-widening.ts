import { ImgapiError } from '../../imgapi/errors.js';
import type { Image } from '../../imgapi/image.js';
import type { Reader } from '../../storage/catalog.js';
import { canRead, isOpen } from '../model/visibility.js';
import type { Target } from './find-image.js';
import { originsOf } from './origins.js';

/**
 * Who opens an image to everybody, or gives it away, gives its origins with it, because they are needed to use it. An
 * account may do so with origins that are its own or open already; with others' it would pass on what was only shown to
 * it. What stands behind an open origin is open through that one.
 */
export async function checkWidening(reader: Reader, target: Target, before: Image, after: Image): Promise<void> {
  const { account } = target;
  const opens = isOpen(target, after) && !(isOpen(target, before) && before.origin === after.origin);
  if (account === undefined || !(opens || before.owner !== after.owner)) return;
  const others: Image[] = [];
  for await (const { record } of originsOf(reader, after)) {
    if (!record || isOpen(target, record)) break;
    if (record.owner !== account) others.push(record);
  }
  if (others.length === 0) return;
  const visible = others.filter((origin) => canRead(target, origin)).map(({ uuid }) => uuid);
  const named = visible.length > 0 ? visible.join(', ') : 'which others own';
  throw new ImgapiError('NotImageOwner', `image ${after.uuid} can not be opened to others without its origin ${named}`);
}
