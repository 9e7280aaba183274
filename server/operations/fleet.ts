import type { Catalog } from '../../storage/catalog.js';
import { ReadModel } from '../../storage/read-model.js';
import { findings, imagesOf, type Vm, vms } from '../model/vm.js';

/** The machines that use images, in memory: in groups by image, by data center, and by node. */
export type Fleet = ReadModel<Vm>;

export const openFleet = (catalog: Catalog): Promise<Fleet> =>
  ReadModel.open<Vm, Vm>(catalog, vms, {
    project: (vm) => vm,
    compare: (a, b) => inOrder(a.hostname, b.hostname) || inOrder(a.uuid, b.uuid),
    rank: () => 0,
    groups: (vm) => [
      ...imagesOf(vm),
      ...(vm.datacenter === undefined ? [] : [vm.datacenter]),
      ...nodesOf(vm).map(onNode),
    ],
  });

/** No data center is called so. */
export const onNode = (node: string) => `node:${node}`;

/** Where it was found; where it was registered, until it is found somewhere. */
const nodesOf = (vm: Vm) => (vm.found ? findings(vm).map(({ node }) => node) : vm.node === undefined ? [] : [vm.node]);

const inOrder = (a: string, b: string) => (a < b ? -1 : Number(a > b));
