import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { type Node, nodes } from '../model/node.js';
import { answer, mayAsk } from '../model/permissions.js';
import { findings, seesVm, type Vm, vms } from '../model/vm.js';
import { notPermitted } from './find-managed-image.js';

/** A machine by uuid or host name, on a node where that is said. */
export interface MachineNamed {
  vm: string;
  node?: string | undefined;
}

/** A machine whose disks can be asked for. */
export interface FoundMachine {
  vm: Vm;
  node: Node;
}

const whats = { 'register machines': 'see machines', 'create from snapshots': 'make images of snapshots' } as const;

/** Whoever may do it nowhere is told so; a machine that the caller does not see is not there. */
export async function findMachine(
  deps: Pick<Deps, 'catalog' | 'fleet'>,
  caller: Caller,
  operation: keyof typeof whats,
  named: MachineNamed,
): Promise<FoundMachine> {
  if (!mayAsk(caller, operation)) throw notPermitted(operation, whats[operation]);
  const { vm, places } = await seen(deps, caller, named);
  const { datacenter } = vm;
  if (datacenter !== undefined && answer(caller, operation, { datacenter }) !== 'yes') {
    throw notPermitted(operation, whats[operation]);
  }
  const place = places.find((one) => isOn(one, named.node));
  if (place) return { vm, node: place.node };
  throw new ImgapiError('NodeNotManaged', `it is not known on which node machine ${vm.hostname} runs`);
}

/** Where a machine is, as far as the caller may know. */
interface Known {
  vm: Vm;
  places: { node: Node; hostname: string }[];
}

const isOn = ({ node }: Known['places'][number], name: string | undefined) => name === undefined || node.name === name;

/**
 * Who has registered a uuid neither gets at what nodes of other data centers have under it, nor learns of it. What such a
 * node claims to have does not keep the caller from the one of his own.
 */
async function knownOf({ catalog }: Pick<Deps, 'catalog'>, caller: Caller, vm: Vm): Promise<Known> {
  const { datacenter, hostname, node: registered } = vm;
  const found = findings(vm);
  const all = found.length > 0 || registered === undefined ? found : [{ node: registered, hostname }];
  const places: Known['places'] = [];
  for (const { node: name, hostname } of all) {
    const node = await catalog.get(nodes, name);
    const isServed = isOperator(caller) || (datacenter !== undefined && node?.datacenters.includes(datacenter));
    if (node && isServed) places.push({ node, hostname });
  }
  return { vm, places };
}

async function seen(
  deps: Pick<Deps, 'catalog' | 'fleet'>,
  caller: Caller,
  { vm: name, node }: MachineNamed,
): Promise<Known> {
  const byUuid = isUuid(name);
  const named = (one: { hostname: string }) => byUuid || one.hostname === name;
  const all = byUuid
    ? [await deps.catalog.get(vms, name)]
    : deps.fleet.sorted.filter((vm) => [vm, ...findings(vm)].some(named));
  const known = await Promise.all(
    all.filter((vm) => vm !== undefined && seesVm(caller, vm)).map((vm) => knownOf(deps, caller, vm as Vm)),
  );
  const [found, ...others] = known.filter(
    ({ vm, places }) =>
      [vm, ...places].some(named) && (node === undefined || places.some((place) => isOn(place, node))),
  );
  if (!found) throw new ImgapiError('ResourceNotFound', `there is no machine "${name}"`);
  if (others.length === 0) return found;
  const uuids = [found, ...others].map(({ vm }) => vm.uuid).join(', ');
  const message = `vm: several machines are named "${name}": say which by uuid: ${uuids}`;
  throw invalidInput([{ field: 'vm', code: 'Invalid', message }]);
}
