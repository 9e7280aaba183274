import { ImgapiError } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import type { FoundDisk, FoundImage, FoundVm } from '../hypervisors/hypervisor.js';
import { TAG } from '../model/managed-fields.js';
import type { Node } from '../model/node.js';
import { poolOf } from '../model/node-image.js';
import type { Description, NodePool } from '../model/node-status.js';
import type { FoundHere, VmDisk } from '../model/vm.js';

/** No node has more; one that says so would fill the catalog. */
const most = { machines: 20_000, disks: 256, images: 50_000, listed: 256, text: 200 };

type Told = Omit<FoundHere, 'since'>;

const nonsense = ({ name }: Node, what: string) =>
  new ImgapiError('NodeFailed', `node ${name} has told of ${what}: nothing of its inventory was taken`);

/** What people are shown, and the log holds: no control characters, and no novels. */
const text = (told: string) => [...told.slice(0, most.text)].filter((letter) => !/\p{C}/u.test(letter)).join('');

const count = (told: number) => (Number.isSafeInteger(told) && told > 0 ? told : 0);

/** By uuid. All of it is believed or nothing: what was left out would free what it uses. Of one that is told twice all disks count. */
export function readMachines(node: Node, told: readonly FoundVm[], pools: readonly NodePool[]): Map<string, Told> {
  if (told.length > most.machines) throw nonsense(node, `${told.length} machines`);
  const names = pools.map(({ name }) => name);
  const read = new Map<string, Told>();
  for (const { disks, ...vm } of told) {
    const uuid = vm.uuid.toLowerCase();
    if (!isUuid(uuid)) throw nonsense(node, `a machine whose uuid is none: "${text(vm.uuid)}"`);
    if (disks.length > most.disks) throw nonsense(node, `${disks.length} disks of machine ${uuid}`);
    const twin = read.get(uuid);
    const images = [...(twin?.images ?? []), ...disks.flatMap((disk) => imageOn(disk, names))];
    if (images.length > most.disks) throw nonsense(node, `machine ${uuid} again and again`);
    read.set(uuid, twin ? { ...twin, images } : { ...factsOf(node, uuid, vm), images });
  }
  return read;
}

function factsOf({ name: node }: Node, uuid: string, vm: Omit<FoundVm, 'disks'>): Omit<Told, 'images'> {
  const { state, brand, owner } = vm;
  return {
    node,
    hostname: text(vm.hostname) || uuid,
    state,
    ...(brand !== undefined && { brand: text(brand) }),
    ...(owner !== undefined && { owner: text(owner) }),
    tags: vm.tags.filter((tag) => TAG.test(tag)).slice(0, most.listed),
  };
}

/** What is no uuid can be no image of ours. One that is not here blocks nothing, until it is. */
function imageOn({ disk, size, image, volume }: FoundDisk, pools: readonly string[]): VmDisk[] {
  const uuid = image?.toLowerCase();
  if (uuid === undefined || !isUuid(uuid)) return [];
  const pool = poolOf(volume, pools);
  const hasSize = size !== undefined && Number.isSafeInteger(size) && size > 0;
  return [{ disk, image: uuid, ...(hasSize && { size }), ...(pool !== undefined && { pool }) }];
}

export function readImages(node: Node, told: readonly FoundImage[]): FoundImage[] {
  if (told.length > most.images) throw nonsense(node, `${told.length} images`);
  return told.flatMap((image) => {
    const uuid = image.uuid.toLowerCase();
    return isUuid(uuid) ? [{ ...image, uuid }] : [];
  });
}

export function readDescription(described: Description): Description {
  const list = (all: readonly string[]) => all.slice(0, most.listed).map(text);
  const tools = Object.entries(described.tools).slice(0, most.listed);
  const { platform } = described;
  return {
    platform,
    hostname: text(described.hostname),
    version: text(described.version),
    tools: Object.fromEntries(tools.map((entry) => list(entry))),
    pools: described.pools.slice(0, most.listed).map(({ name, size, free, health }) => ({
      name: text(name),
      size: count(size),
      free: count(free),
      health: text(health),
    })),
    brands: list(described.brands),
    firmware: list(described.firmware),
    drivers: list(described.drivers),
  };
}
