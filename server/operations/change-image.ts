import type { Image } from '../../imgapi/image.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { checkQuota } from './check-quota.js';
import { checkSettled } from './check-settled.js';
import { checkWidening } from './check-widening.js';
import { findOwnImage, type Target } from './find-image.js';
import { saveImage } from './save-image.js';

/** From the image as it is to the image as it shall be; throws the refusal. */
export type Change = (image: Image, tx: Tx) => Image | Promise<Image>;

/**
 * One change of one image: found, checked, changed and stored in a single write, so that nothing comes between.
 * `precondition` throws where the caller expects another state than the current one.
 */
export async function changeImage(
  deps: Deps,
  target: Target,
  precondition: (image: Image) => void,
  change: Change,
): Promise<Image> {
  const { catalog, now } = deps;
  return catalog.write(async (tx) => {
    const before = await findOwnImage(tx, target);
    checkSettled(before);
    precondition(before);
    const after = await change(before, tx);
    await checkWidening(tx, target, before, after);
    await checkQuota(deps, tx, before, after);
    await saveImage(tx, before, after, now());
    return after;
  });
}
