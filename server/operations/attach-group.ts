import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { type Group, groups, inDatacenter, notInDatacenter } from '../model/group.js';
import type { Grant } from '../model/token.js';
import { checkStands } from './check-stands.js';
import { datacenterNamed } from './save-datacenter.js';
import { groupNamed } from './save-group.js';

interface Place {
  datacenter: string;
  group: string;
}

/** One that there is, for a data center that there is. */
export async function groupToPlace(reader: Reader, { datacenter, group }: Place): Promise<Group> {
  await datacenterNamed(reader, datacenter);
  return groupNamed(reader, group);
}

/** Its members have its permissions there from their next request on. */
export async function attachGroup({ catalog }: Deps, caller: Caller, own: Grant, place: Place): Promise<Group> {
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const group = await groupToPlace(tx, place);
    const name = place.datacenter;
    if (group.datacenters.includes(name)) {
      throw new ImgapiError(
        'ObjectAlreadyExists',
        `group "${group.name}" is attached to data center "${name}" already`,
      );
    }
    const after = inDatacenter(group, name);
    await tx.replace(groups, after);
    return after;
  });
}

export async function detachGroup({ catalog }: Deps, caller: Caller, own: Grant, place: Place): Promise<void> {
  await catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const group = await groupToPlace(tx, place);
    const name = place.datacenter;
    if (!group.datacenters.includes(name)) {
      throw new ImgapiError('ResourceNotFound', `there is no group "${group.name}" in data center "${name}"`);
    }
    await tx.replace(groups, notInDatacenter(group, name));
  });
}
