import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { images } from '../model/image.js';
import { answer } from '../model/permissions.js';
import { datacenterReach } from '../model/reach.js';
import { isManaged, type ManagedImage } from '../model/registration.js';
import { findDatacenter } from './find-datacenter.js';
import { checkDatacenter } from './find-managed-image.js';
import type { ListedImage } from './listing.js';

/** Those that the caller manages: all for SuperAdmins, else those that are bound to data centers where the role is held. */
export function listManagedImages(
  deps: Deps,
  caller: Caller,
  { dc, deleted = true, internal }: { dc?: string | undefined; deleted?: boolean | undefined; internal: boolean },
): ListedImage[] {
  const { directory, listing } = deps;
  if (dc !== undefined) checkDatacenter(directory, caller, dc);
  const where = dc !== undefined ? [dc] : isOperator(caller) ? undefined : roleHeld(caller);
  const candidates = where ? listing.within(datacenterReach(where)) : listing.sorted;
  return candidates.filter((image) => {
    const { access } = image.registration;
    if ((access === 'internal' && !internal) || (access === 'deleted' && !deleted)) return false;
    return answer(caller, 'show', { image }) === 'yes';
  });
}

const roleHeld = (caller: Caller): Iterable<string> => (caller.kind === 'user' ? caller.rights.imageAdmin : []);

/** All that is attached to a data center, but what is internal; what was retired too for those who manage images there. */
export function listDatacenterImages(
  deps: Deps,
  caller: Caller,
  name: string,
  { deleted }: { deleted: boolean },
): ListedImage[] {
  findDatacenter(deps, caller, 'list in a data center', name);
  const showsDeleted = deleted && answer(caller, 'create', { datacenter: name }) === 'yes';
  return deps.listing.within(datacenterReach([name])).filter(({ registration: { access } }) => {
    if (access === 'internal') return false;
    return access !== 'deleted' || showsDeleted;
  });
}

/** The whole records of what was listed; one that was deleted meanwhile is left out. */
export async function managedRecordsOf(
  { catalog }: Deps,
  found: readonly Pick<ListedImage, 'uuid'>[],
): Promise<ManagedImage[]> {
  const records = await Promise.all(found.map(({ uuid }) => catalog.get(images, uuid)));
  return records.filter(isManaged);
}
