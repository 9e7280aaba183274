import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { attached, confined, detached } from '../model/placing.js';
import type { ManagedImage } from '../model/registration.js';
import { checkDatacenterStands } from './check-datacenter-stands.js';
import { checkUnused } from './check-unused.js';
import { checkForces } from './delete-image.js';
import { findDatacenter } from './find-datacenter.js';
import { manageImage } from './manage-image.js';

interface Placing {
  image: string;
  datacenter: string;
  along?: ((tx: Tx) => Promise<void>) | undefined;
}

export function attachImage(deps: Deps, caller: Caller, { image, datacenter, along }: Placing): Promise<ManagedImage> {
  findDatacenter(deps, caller, 'manage data centers', datacenter);
  return manageImage(deps, { caller, operation: 'attach', named: { image }, along }, async (found, tx) => {
    await checkDatacenterStands(tx, datacenter);
    return attached(found, datacenter);
  });
}

/** Here and nowhere else, in one write: refused while machines of other data centers use it. */
export function confineImage(deps: Deps, caller: Caller, { image, datacenter, along }: Placing): Promise<ManagedImage> {
  findDatacenter(deps, caller, 'manage data centers', datacenter);
  return manageImage(deps, { caller, operation: 'attach', named: { image }, along }, async (found, tx) => {
    await checkDatacenterStands(tx, datacenter);
    const { global, datacenters } = found.registration;
    const places = global ? [...deps.directory.datacenters.keys()] : datacenters;
    for (const other of places) if (other !== datacenter) await checkUnused(tx, caller, found, other);
    return confined(found, datacenter);
  });
}

/** `force` also while machines there use it. */
export function detachImage(
  deps: Deps,
  caller: Caller,
  { image, datacenter, force, along }: Placing & { force: boolean },
): Promise<ManagedImage> {
  findDatacenter(deps, caller, 'manage data centers', datacenter);
  const named = { image, dc: datacenter };
  return manageImage(deps, { caller, operation: 'detach', named, along }, async (found, tx) => {
    if (force) checkForces({ caller, account: undefined });
    else await checkUnused(tx, caller, found, datacenter);
    return detached(found, datacenter);
  });
}
