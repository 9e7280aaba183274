import type { Tx } from '../../storage/catalog.js';
import type { RegisteredImage } from '../model/registration.js';
import { growthOf, usage } from '../model/usage.js';

/** Brings the counts of data centers and owners from the image before to the image after, in the write that saves it. */
export async function countImage(
  tx: Tx,
  before: RegisteredImage | undefined,
  after: RegisteredImage | undefined,
): Promise<void> {
  for (const { of, images, bytes } of growthOf(before, after)) {
    const known = await tx.get(usage, of);
    if (known) await tx.replace(usage, { of, images: known.images + images, bytes: known.bytes + bytes });
    else await tx.insert(usage, { of, images, bytes });
  }
}
