import { type Caller, isOperator } from './caller.js';
import type { MachineState } from './machine-state.js';
import type { Node, VmRule } from './node.js';

export const vmStates = ['wanted', 'active', 'paused', 'template'] as const;
export type VmState = (typeof vmStates)[number];

/** A disk that is made of an image. */
export interface VmDisk {
  /** Counted from 1. */
  disk: number;
  image: string;
  /** In MiB; that of the image where it is absent. */
  size?: number;
  /** The pool of its node on which it lies, where that was found. */
  pool?: string;
}

/** What the inventory of a node says of a machine. It is seen for as long as it is here: a node that is silent keeps it. */
export interface FoundHere {
  node: string;
  /** Since when it is found there. */
  since: string;
  hostname: string;
  state: MachineState;
  brand?: string;
  /** A user, by uuid or name as the node knows it. */
  owner?: string;
  tags: string[];
  images: VmDisk[];
}

/**
 * A machine that uses images, as its manager has registered it, or as it was found on its node, or both. In every state it
 * keeps them from being deleted.
 */
export interface Vm {
  uuid: string;
  hostname: string;
  /** Where it is absent, only SuperAdmins see the machine. */
  datacenter?: string;
  /** The hypervisor that it runs on, by name. */
  node?: string;
  /** A user, by uuid. */
  owner?: string;
  tags: string[];
  images: VmDisk[];
  state: VmState;
  /** Nobody has registered it: it is here for as long as it is found. */
  unregistered?: true;
  found?: FoundHere;
  /** On other nodes that have one of the same uuid, as while it moves: what is used there is in use as well. */
  elsewhere?: FoundHere[];
  created: string;
  changed: string;
}

/** Wherever it was found. */
export const findings = ({ found, elsewhere = [] }: Pick<Vm, 'found' | 'elsewhere'>): FoundHere[] =>
  found ? [found, ...elsewhere] : [];

export const imagesOf = (vm: Pick<Vm, 'images' | 'found' | 'elsewhere'>) => [
  ...new Set([...vm.images, ...findings(vm).flatMap(({ images }) => images)].map(({ image }) => image)),
];

export const vms = {
  name: 'vms',
  id: ({ uuid }: Vm) => uuid,
  index: (vm: Vm) => [
    ...imagesOf(vm).map((image) => `image:${image}`),
    ...(vm.datacenter === undefined ? [] : [`datacenter:${vm.datacenter}`]),
    ...(vm.owner === undefined ? [] : [`owner:${vm.owner}`]),
    ...findings(vm).map(({ node }) => `found:${node}`),
  ],
};

export const HOSTNAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Machines are known to the administrators of their data center. */
export function seesVm(caller: Caller, { datacenter }: Pick<Vm, 'datacenter'>): boolean {
  if (isOperator(caller)) return true;
  return caller.kind === 'user' && datacenter !== undefined && caller.rights.admin.has(datacenter);
}

interface Standing {
  dc: string | undefined;
  /** By name. */
  owner?: string | undefined;
  tags: readonly string[];
}

/**
 * A machine that nobody has given a data center stands in the only one of its node, or where the first of the node's
 * rules says that fits. Rules that lead to where the caller registers nothing do not count: they would tell of it.
 */
export function datacenterOf(
  { dc, owner, tags }: Standing,
  node: Pick<Node, 'datacenters' | 'vmRules'> | undefined,
  caller: Caller,
): string | undefined {
  if (dc !== undefined || !node) return dc;
  if (node.datacenters.length === 1) return node.datacenters[0];
  const fits = ({ by, is }: VmRule) => (by === 'owner' ? owner === is : tags.includes(is));
  return node.vmRules?.find((rule) => fits(rule) && seesVm(caller, rule))?.datacenter;
}
