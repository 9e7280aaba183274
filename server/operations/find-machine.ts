import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { type Node, nodes } from '../model/node.js';
import { answer, mayAsk } from '../model/permissions.js';
import { seesVm, type Vm, vms } from '../model/vm.js';
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
  const vm = await seen(deps, caller, named);
  const { datacenter } = vm;
  if (datacenter !== undefined && answer(caller, operation, { datacenter }) !== 'yes') {
    throw notPermitted(operation, whats[operation]);
  }
  const name = nodeOf(vm);
  const node = name === undefined ? undefined : await deps.catalog.get(nodes, name);
  // who has registered a uuid does not get at what nodes of other data centers have under it
  const isServed = isOperator(caller) || (datacenter !== undefined && node?.datacenters.includes(datacenter));
  if (node && isServed) return { vm, node };
  throw new ImgapiError('NodeNotManaged', `it is not known on which node machine ${vm.hostname} runs`);
}

const nodeOf = ({ found, node }: Vm) => found?.node ?? node;

const namesOf = ({ hostname, found }: Vm) => [hostname, found?.hostname];

async function seen({ catalog, fleet }: Pick<Deps, 'catalog' | 'fleet'>, caller: Caller, named: MachineNamed) {
  const all = isUuid(named.vm)
    ? [await catalog.get(vms, named.vm)]
    : fleet.sorted.filter((vm) => namesOf(vm).includes(named.vm));
  const found = all.filter((vm) => vm !== undefined && seesVm(caller, vm)) as Vm[];
  const [vm, ...others] = found.filter((vm) => named.node === undefined || nodeOf(vm) === named.node);
  if (!vm) throw new ImgapiError('ResourceNotFound', `there is no machine "${named.vm}"`);
  if (others.length === 0) return vm;
  const uuids = [vm, ...others].map(({ uuid }) => uuid).join(', ');
  const message = `vm: several machines are named "${named.vm}": say which by uuid: ${uuids}`;
  throw invalidInput([{ field: 'vm', code: 'Invalid', message }]);
}
