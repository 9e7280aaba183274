import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { checkDependents } from './check-dependents.js';
import { checkUnused } from './check-unused.js';
import { checkForces } from './delete-image.js';
import { endUploadsTo } from './end-upload.js';
import type { Named } from './find-managed-image.js';
import { manageImage } from './manage-image.js';

interface Deleting {
  /** Also while machines use it. */
  force: boolean;
  along?: ((tx: Tx) => Promise<void>) | undefined;
}

/** The image, from all its channels and data centers. */
export async function deleteManagedImage(
  deps: Deps,
  caller: Caller,
  named: Named,
  { force, along }: Deleting,
): Promise<void> {
  const { directory, policy } = deps;
  let deleted = '';
  await manageImage(deps, { caller, operation: 'delete', named, along }, async ({ uuid }, tx) => {
    if (force) checkForces({ caller, account: undefined });
    const viewer = { caller, mode: policy.mode, open: directory.openDatacenters };
    await checkDependents(tx, { ...viewer, uuid, channel: undefined });
    if (!force) await checkUnused(tx, caller, { uuid });
    deleted = uuid;
    return undefined;
  });
  await endUploadsTo(deps, deleted);
}
