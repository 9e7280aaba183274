import { type Caller, isOperator } from './caller.js';
import type { Datacenter } from './datacenter.js';

export const vmStates = ['wanted', 'active', 'paused', 'template'] as const;
export type VmState = (typeof vmStates)[number];

/** A disk that is made of an image. */
export interface VmDisk {
  /** Counted from 1. */
  disk: number;
  image: string;
  /** In MiB; that of the image where it is absent. */
  size?: number;
}

/** A machine that uses images, as its manager has registered it. In every state it keeps them from being deleted. */
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
  created: string;
  changed: string;
}

export const imagesOf = ({ images }: Pick<Vm, 'images'>) => [...new Set(images.map(({ image }) => image))];

export const vms = {
  name: 'vms',
  id: ({ uuid }: Vm) => uuid,
  index: (vm: Vm) => [
    ...imagesOf(vm).map((image) => `image:${image}`),
    ...(vm.datacenter === undefined ? [] : [`datacenter:${vm.datacenter}`]),
    ...(vm.owner === undefined ? [] : [`owner:${vm.owner}`]),
  ],
};

export const HOSTNAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Machines are known to the administrators of their data center. */
export function seesVm(caller: Caller, { datacenter }: Pick<Vm, 'datacenter'>): boolean {
  if (isOperator(caller)) return true;
  return caller.kind === 'user' && datacenter !== undefined && caller.rights.admin.has(datacenter);
}

/** A machine that nobody has given a data center stands in that of its node, where that serves one only. */
export function datacenterOf(
  given: Datacenter['name'] | undefined,
  node: { datacenters: readonly string[] } | undefined,
): string | undefined {
  return given ?? (node?.datacenters.length === 1 ? node.datacenters[0] : undefined);
}
