import type { Image } from '../../imgapi/image.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { findOwnImage, type Target } from './find-image.js';
import { saveImage } from './save-image.js';

/**
 * One change of one image: found, checked, changed and stored in a single write, so that nothing comes between.
 * `precondition` throws where the caller expects another state than the current one.
 */
export async function changeImage(
  { catalog }: Deps,
  target: Target,
  precondition: (image: Image) => void,
  change: (image: Image, tx: Tx) => Image | Promise<Image>,
): Promise<Image> {
  return catalog.write(async (tx) => {
    const before = await findOwnImage(tx, target);
    precondition(before);
    const after = await change(before, tx);
    await saveImage(tx, before, after);
    return after;
  });
}
