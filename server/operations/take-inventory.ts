import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { FoundImage, Hypervisor } from '../hypervisors/hypervisor.js';
import { withFinding, withoutFinding } from '../model/finding.js';
import { type Node, nodes } from '../model/node.js';
import { copyId, nodeImages, ofNode } from '../model/node-image.js';
import { nodeStatuses } from '../model/node-status.js';
import { type FoundHere, vms } from '../model/vm.js';
import { copiesAt, noteImages } from './copies.js';
import { inTheNameOfAll, isSameMachine, saveStatus, tellTurn } from './note-node.js';
import { foundOn, saveFound } from './place-found.js';
import { readDescription, readImages, readMachines } from './read-inventory.js';

/** What an inventory has found, and how much of it was not known, or is there no longer. */
export interface Inventoried {
  machines: number;
  came: number;
  went: number;
  images: number;
}

/** Asks a node for all that is on it, and keeps that in one write. What fails changes nothing. */
export async function takeInventory(
  deps: Deps,
  node: Node,
  hypervisor: Hypervisor,
  signal: AbortSignal,
): Promise<Inventoried> {
  const asked = deps.now();
  const known = new Set((await copiesAt(deps.catalog, ofNode(node.name))).map(copyId));
  const described = readDescription(await hypervisor.describe(signal));
  const machines = readMachines(node, await hypervisor.inventory(signal), described.pools);
  const images = readImages(node, await hypervisor.images(signal));
  const { counts, turn } = await inTheNameOfAll(deps).write(async (tx) => {
    await checkStill(tx, node);
    const now = deps.now().toISOString();
    const moved = await saveMachines(tx, node, machines, now);
    await noteImages(tx, await stillThere(tx, node.name, images, known), { node: node.name, asked });
    const turn = await saveStatus(tx, node, { online: true, described, inventoried: asked.toISOString() }, now);
    return { turn, counts: { machines: machines.size, ...moved, images: images.length } };
  });
  tellTurn(deps, turn);
  return counts;
}

/** What was read is of a machine that has another name by now, or none. */
async function checkStill(reader: Reader, node: Node): Promise<void> {
  if (isSameMachine(await reader.get(nodes, node.name), node)) return;
  throw new ImgapiError('Busy', `node ${node.name} was changed while its inventory was taken: ask again`);
}

async function saveMachines(
  tx: Tx,
  { name }: Node,
  machines: ReadonlyMap<string, Omit<FoundHere, 'since'>>,
  now: string,
): Promise<Pick<Inventoried, 'came' | 'went'>> {
  const before = new Map((await foundOn(tx, name)).map((vm) => [vm.uuid, vm]));
  let came = 0;
  let went = 0;
  for (const [uuid, told] of machines) {
    const vm = before.get(uuid) ?? (await tx.get(vms, uuid));
    if (!before.has(uuid)) came += 1;
    await saveFound(tx, vm, uuid, withFinding(vm, { ...told, since: now }), now);
  }
  for (const vm of before.values()) {
    if (machines.has(vm.uuid)) continue;
    went += 1;
    await saveFound(tx, vm, vm.uuid, withoutFinding(vm, name), now);
  }
  return { came, went };
}

/** What was taken away while the node was telling is not there because it told of it. */
async function stillThere(tx: Tx, node: string, images: readonly FoundImage[], known: ReadonlySet<string>) {
  const now = new Set((await copiesAt(tx, ofNode(node))).map(copyId));
  return images.filter(({ uuid: image, pool }) => {
    const id = copyId({ node, pool, image });
    return now.has(id) || !known.has(id);
  });
}

/** What is known of a node that is no more goes with it. What tasks bring there is not to come into nothing. */
export async function forgetFound(tx: Tx, name: string, now: string): Promise<void> {
  const images = await copiesAt(tx, ofNode(name));
  const coming = images.find(({ state, task }) => state === 'importing' && task !== undefined);
  if (coming) {
    const message = `image ${coming.image} is on its way to node ${name}: cancel task ${coming.task} first`;
    throw new ImgapiError('Busy', message);
  }
  for (const image of images) await tx.delete(nodeImages, copyId(image));
  for (const vm of await foundOn(tx, name)) await saveFound(tx, vm, vm.uuid, withoutFinding(vm, name), now);
  if (await tx.get(nodeStatuses, name)) await tx.delete(nodeStatuses, name);
}
