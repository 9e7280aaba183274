import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Caller } from '../model/caller.js';
import { nodes } from '../model/node.js';
import { findings, seesVm, type Vm, vms } from '../model/vm.js';

const NAMED = 9;

/** Refuses while machines use the image, in one data center where one is given; only visible ones are named. */
export async function checkUnused(
  reader: Reader,
  caller: Caller,
  { uuid }: { uuid: string },
  datacenter?: string,
): Promise<void> {
  const named: string[] = [];
  let count = 0;
  for await (const vm of vmsOf(reader, uuid)) {
    if (datacenter !== undefined && !(await mayStandIn(reader, vm, datacenter))) continue;
    count += 1;
    if (seesVm(caller, vm) && named.length < NAMED) named.push(vm.hostname);
  }
  if (count === 0) return;
  const others = count - named.length;
  const list = [...named, ...(others > 0 ? [`${others} others`] : [])].join(', ');
  throw new ImgapiError('ImageInUse', `image ${uuid} is used by ${list}`);
}

/** One that was found, and that no rule gives a data center, is in one of those that its node serves. */
async function mayStandIn(reader: Reader, vm: Vm, datacenter: string): Promise<boolean> {
  if (!vm.unregistered || vm.datacenter !== undefined) return vm.datacenter === datacenter;
  for (const { node } of findings(vm)) {
    if ((await reader.get(nodes, node))?.datacenters.includes(datacenter)) return true;
  }
  return false;
}

/** The machines that use an image. */
export async function* vmsOf(reader: Reader, image: string): AsyncGenerator<Vm> {
  for await (const { record } of reader.range(vms, 'image', { prefix: image })) yield record;
}
