import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { sourceOf } from '../model/finding.js';
import type { Node } from '../model/node.js';
import { mayAsk } from '../model/permissions.js';
import { users } from '../model/user.js';
import { findings, seesVm, type Vm, type VmDisk } from '../model/vm.js';
import { vmsOf } from './check-unused.js';
import { checkDatacenter, findManagedImage, type Named, notPermitted } from './find-managed-image.js';
import { onNode } from './fleet.js';

/** Those of the data centers that the caller administers; by the uuid of an image, those that use it. */
export function listVms(
  { fleet, directory }: Deps,
  caller: Caller,
  { dc, image }: { dc?: string | undefined; image?: string | undefined },
): readonly Vm[] {
  if (!mayAsk(caller, 'register machines')) throw notPermitted('register machines', 'see machines');
  if (dc !== undefined) checkDatacenter(directory, caller, dc);
  if (image !== undefined) {
    const using = fleet.within([image]).filter((vm) => seesVm(caller, vm));
    return dc === undefined ? using : using.filter(({ datacenter }) => datacenter === dc);
  }
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

/** All that is on a node, or was when it was heard of last. */
export const listNodeVms = ({ fleet }: Deps, { name }: Node): readonly Vm[] => fleet.within([onNode(name)]);

/** A machine as management shows it. What was found of it is told to those who know where that was. */
export async function showVm({ catalog, directory, nodeBook }: Deps, caller: Caller, vm: Vm) {
  const owner = vm.owner === undefined ? undefined : await catalog.get(users, vm.owner);
  const { uuid, hostname, datacenter, tags, state, created, changed } = vm;
  const [found, ...elsewhere] = findings(vm).filter(({ node }) => {
    const served = directory.nodes.get(node)?.datacenters ?? [];
    return isOperator(caller) || served.some((name) => seesVm(caller, { datacenter: name }));
  });
  return {
    uuid,
    hostname,
    dc: datacenter ?? null,
    node: found?.node ?? vm.node ?? null,
    registered_node: vm.node ?? null,
    owner: owner?.name ?? null,
    tags,
    images: presentDisks(vm.unregistered ? (found?.images ?? []) : vm.images),
    state,
    source: sourceOf({ ...vm, found }),
    found: found
      ? {
          node: found.node,
          hostname: found.hostname,
          state: found.state,
          brand: found.brand ?? null,
          images: presentDisks(found.images),
          since: found.since,
          seen: nodeBook.statusOf(found.node)?.inventoried ?? null,
          elsewhere: elsewhere.map(({ node }) => node),
        }
      : null,
    created,
    changed,
  };
}

const presentDisks = (disks: readonly VmDisk[]) =>
  disks.map(({ disk, image, size }) => ({ disk, image, size: size ?? null }));
