import type { Catalog } from '../../storage/catalog.js';
import { ReadModel } from '../../storage/read-model.js';
import { imagesOf, type Vm, vms } from '../model/vm.js';

/** The machines that use images, in memory: in groups by image, and by data center. */
export type Fleet = ReadModel<Vm>;

export const openFleet = (catalog: Catalog): Promise<Fleet> =>
  ReadModel.open<Vm, Vm>(catalog, vms, {
    project: (vm) => vm,
    compare: (a, b) => inOrder(a.hostname, b.hostname) || inOrder(a.uuid, b.uuid),
    rank: () => 0,
    groups: (vm) => [...imagesOf(vm), ...(vm.datacenter === undefined ? [] : [vm.datacenter])],
  });

const inOrder = (a: string, b: string) => (a < b ? -1 : Number(a > b));
