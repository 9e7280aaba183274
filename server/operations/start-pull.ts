import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { FoundImage } from '../hypervisors/hypervisor.js';
import type { Caller } from '../model/caller.js';
import { images } from '../model/image.js';
import { type Node, nodes } from '../model/node.js';
import { type Copy, copyId, importing, type NodeImage, nodeImages, ofPool } from '../model/node-image.js';
import { checkSuits } from '../model/node-requirements.js';
import type { Description } from '../model/node-status.js';
import { isManaged, type ManagedImage, placementOf } from '../model/registration.js';
import { Started } from '../model/task.js';
import { isIn } from '../model/visibility.js';
import { askNodeSoon } from './ask-node.js';
import { checkSettled } from './check-settled.js';
import { copiesAt, noteImages } from './copies.js';
import { findManagedImage } from './find-managed-image.js';
import { bytesOf, chainOf, type PullParams } from './pull-image.js';
import { nodeNamed } from './save-node.js';
import { startTask } from './start-task.js';
import { urlOfPull } from './url-of-node.js';

export interface PullWish {
  node: string;
  pool: string;
  /** By name or uuid. */
  image: string;
  dc?: string | undefined;
  /** Bytes a second. */
  bandwidth?: number | undefined;
  /** Of the task, where somebody has to know it before. */
  id?: string | undefined;
}

export const PULL = 'pull image';

/** The node is asked first: what is there, what it is, and how much room it has is told by nobody else. */
export async function startPull(deps: Deps, caller: Caller, wish: PullWish): Promise<Started> {
  const { catalog, directory, now } = deps;
  const { pool, dc, bandwidth } = wish;
  const node = await nodeNamed(catalog, wish.node);
  const { uuid, registration } = await findManagedImage(catalog, directory, caller, 'show', { image: wish.image, dc });
  const copy: Copy = { node: node.name, pool, image: uuid };
  urlOfPull(deps, node, await checkSends(catalog, node, uuid));
  const known = await catalog.get(nodeImages, copyId(copy));
  if (known && known.state !== 'ready') importing(known, { ...copy, task: '', size: 0 }, now());

  const asked = now();
  const { described, found } = await askNodeSoon(deps, node, async (hypervisor, signal) => ({
    described: await hypervisor.describe(signal),
    found: await hypervisor.images(signal),
  }));
  const { free } = poolNamed(described, node, pool);
  if (!known && isThere(found, copy)) await catalog.write((tx) => noteImages(tx, found, { node: node.name, asked }));
  const chain = await chainOf(catalog, uuid);
  for (const image of chain) checkSuits(image, node.name, described);
  const size = bytesOf(chain.filter((image) => !isThere(found, { ...copy, image: image.uuid })));

  const params: PullParams = { node: node.name, pool, image: uuid, ...(bandwidth !== undefined && { bandwidth }) };
  const objects = [
    { kind: images.name, id: uuid, name: registration.name },
    { kind: nodes.name, id: node.name, name: node.name },
  ];
  const meant = { what: PULL, objects, params, ...(wish.id !== undefined && { id: wish.id }) };
  const { task } = await startTask(deps, caller, meant, async (tx, { id }) => {
    await checkSends(tx, await nodeNamed(tx, node.name), uuid);
    const held = await tx.get(nodeImages, copyId(copy));
    // What is said to be there, and is not, is no reason to leave it so.
    const isStale = held?.state === 'ready' && !isThere(found, copy) && held.changed <= asked.toISOString();
    const coming = importing(isStale ? undefined : held, { ...copy, task: id, size }, now());
    checkRoom(coming, free, await copiesAt(tx, ofPool(node.name, pool)));
    await (held ? tx.replace(nodeImages, coming) : tx.insert(nodeImages, coming));
  });
  return new Started(task, null, 424);
}

const isThere = (found: readonly FoundImage[], { pool, image }: Copy) =>
  found.some((one) => one.uuid === image && one.pool === pool);

function poolNamed({ pools }: Description, { name }: Node, pool: string) {
  const found = pools.find((one) => one.name === pool);
  if (found) return found;
  const there = pools.map((one) => one.name).join(', ') || 'none';
  throw new ImgapiError('ResourceNotFound', `node ${name} has no pool "${pool}", but ${there}`);
}

/** Is it an image that the node may be sent now? */
async function checkSends(reader: Reader, node: Node, uuid: string): Promise<ManagedImage> {
  const image = await reader.get(images, uuid);
  if (!isManaged(image)) throw new ImgapiError('ResourceNotFound', `there is no image "${uuid}"`);
  checkSettled(image);
  if (image.state !== 'active') {
    throw new ImgapiError('ImagePending', `image ${uuid} is ${image.state}: only active images are sent to nodes`);
  }
  if (isIn(placementOf(image), new Set(node.datacenters))) return image;
  const serves = node.datacenters.join(', ') || 'none';
  const stands = image.registration.datacenters.join(', ') || 'none';
  const message = `node ${node.name} serves no data center to which image ${uuid} is attached: it serves ${serves}, the image is in ${stands}`;
  throw new ImgapiError('NodeUnsuitable', message);
}

/** Of what comes there already, nobody knows how much has come. */
function checkRoom(coming: NodeImage, free: number, others: readonly NodeImage[]): void {
  const taken = others.reduce((sum, { state, size = 0 }) => sum + (state === 'importing' ? size : 0), 0);
  const needed = coming.size ?? 0;
  const available = Math.max(0, free - taken);
  if (needed <= available) return;
  const message = `pool ${coming.pool} of node ${coming.node} has too little room: ${needed} bytes are needed, ${available} are available`;
  throw new ImgapiError('InsufficientSpace', message);
}
