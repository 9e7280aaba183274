import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { mayAsk } from '../model/permissions.js';
import { users } from '../model/user.js';
import { seesVm, type Vm } from '../model/vm.js';
import { vmsOf } from './check-unused.js';
import { checkDatacenter, findManagedImage, type Named, notPermitted } from './find-managed-image.js';

/** Those of the data centers that the caller administers. */
export function listVms({ fleet, directory }: Deps, caller: Caller, dc: string | undefined): readonly Vm[] {
  if (!mayAsk(caller, 'register machines')) throw notPermitted('register machines', 'see machines');
  if (dc !== undefined) checkDatacenter(directory, caller, dc);
  const own = caller.kind === 'user' ? caller.rights.admin : [];
  if (dc === undefined) return isOperator(caller) ? fleet.sorted : fleet.within(own);
  return fleet.within([dc]).filter((vm) => seesVm(caller, vm));
}

/** The machines that use an image. Who sees the image does not see them all. */
export async function listImageVms({ catalog, directory }: Deps, caller: Caller, named: Named): Promise<Vm[]> {
  const { uuid } = await findManagedImage(catalog, directory, caller, 'list vms', named);
  const found: Vm[] = [];
  for await (const vm of vmsOf(catalog, uuid)) if (seesVm(caller, vm)) found.push(vm);
  return found;
}

/** A machine as management shows it. */
export async function showVm({ catalog }: Deps, vm: Vm) {
  const owner = vm.owner === undefined ? undefined : await catalog.get(users, vm.owner);
  const { uuid, hostname, datacenter, node, tags, images, state, created, changed } = vm;
  return {
    uuid,
    hostname,
    dc: datacenter ?? null,
    node: node ?? null,
    owner: owner?.name ?? null,
    tags,
    images: images.map(({ disk, image, size }) => ({ disk, image, size: size ?? null })),
    state,
    created,
    changed,
  };
}
