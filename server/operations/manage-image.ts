import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import type { Operation } from '../model/permissions.js';
import type { ManagedImage } from '../model/registration.js';
import { checkSettled } from './check-settled.js';
import { checkWidening } from './check-widening.js';
import { findManagedImage, type Named } from './find-managed-image.js';
import { saveImage } from './save-image.js';

/** Who changes which image, and under which row of the law. What is told `along` is kept in the same write. */
interface Managing {
  caller: Caller;
  operation: Operation;
  named: Named;
  along?: ((tx: Tx) => Promise<void>) | undefined;
  /** Refuses while something works on the image; with 417 unless given. */
  settled?: (image: ManagedImage) => void;
}

/**
 * One change of one image by management: found, permitted, changed and stored in a single write. `change` gives the image
 * as it shall be, or nothing, or throws the refusal.
 */
export async function manageImage<After extends ManagedImage | undefined>(
  { catalog, directory, policy, now }: Deps,
  { caller, operation, named, along, settled = checkSettled }: Managing,
  change: (image: ManagedImage, tx: Tx) => After | Promise<After>,
): Promise<After> {
  return catalog.write(async (tx) => {
    const before = await findManagedImage(tx, directory, caller, operation, named);
    settled(before);
    const after = await change(before, tx);
    if (after) {
      const viewer = { caller, mode: policy.mode, open: directory.openDatacenters };
      await checkWidening(tx, viewer, before, { ...after, public: after.registration.access === 'public' });
    }
    await saveImage(tx, before, after && touched(after, now()), now());
    await along?.(tx);
    return after;
  });
}

const touched = (image: ManagedImage, now: Date): ManagedImage => ({
  ...image,
  registration: { ...image.registration, changed: now.toISOString() },
});
