import { ImgapiError } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type Hypervisor, NotOnNode } from '../hypervisors/hypervisor.js';
import type { Caller } from '../model/caller.js';
import { images } from '../model/image.js';
import { type Node, nodes } from '../model/node.js';
import { type Copy, copyId, deleting, nodeImages, ready, spelledCopy } from '../model/node-image.js';
import type { Started, Task } from '../model/task.js';
import { askNode, askNodeSoon } from './ask-node.js';
import { checkCopyUnused } from './check-copy-unused.js';
import { checkStillManagesNodes } from './check-still-manages-nodes.js';
import { noteImages } from './copies.js';
import { findManagedImage } from './find-managed-image.js';
import { nodeNamed } from './save-node.js';
import { startTask } from './start-task.js';
import { whileLost } from './while-lost.js';
import type { Work } from './work.js';

export interface CopyNamed {
  node: string;
  pool: string;
  /** By name or uuid. */
  image: string;
  dc?: string | undefined;
}

export const REMOVE = 'remove image';

/** The node is asked first: it may have what nobody here knows of, or not have it any more. */
export async function startRemoval(deps: Deps, caller: Caller, named: CopyNamed): Promise<Started> {
  const { catalog, now } = deps;
  const node = await nodeNamed(catalog, named.node);
  const { uuid, name } = await imageOnNodes(deps, caller, named);
  const copy: Copy = { node: node.name, pool: named.pool, image: uuid };
  await lookAtImages(deps, node);
  const objects = [
    { kind: images.name, id: uuid, name },
    { kind: nodes.name, id: node.name, name: node.name },
  ];
  return startTask(deps, caller, { what: REMOVE, objects, params: copy }, async (tx, { id }) => {
    const held = await tx.get(nodeImages, copyId(copy));
    if (!held) throw new ImgapiError('ResourceNotFound', `there is no ${spelledCopy(copy)}`);
    const going = deleting(held, id, now());
    await checkCopyUnused(tx, copy);
    await tx.replace(nodeImages, going);
  });
}

/** What a node has now, kept. */
export async function lookAtImages(deps: Deps, node: Node): Promise<void> {
  const asked = deps.now();
  const found = await askNodeSoon(deps, node, (hypervisor, signal) => hypervisor.images(signal));
  await deps.catalog.write((tx) => noteImages(tx, found, { node: node.name, asked }));
}

/** Nodes have images, too, that came from elsewhere. */
export async function imageOnNodes(
  { catalog, directory }: Pick<Deps, 'catalog' | 'directory'>,
  caller: Caller,
  { image, dc }: Pick<CopyNamed, 'image' | 'dc'>,
): Promise<{ uuid: string; name: string }> {
  if (isUuid(image) && !(await catalog.get(images, image))) return { uuid: image, name: image };
  const { uuid, registration } = await findManagedImage(catalog, directory, caller, 'show', { image, dc });
  return { uuid, name: registration.name };
}

export async function removeImage(deps: Deps, task: Task, work: Work): Promise<Copy> {
  const copy = task.params as Copy;
  checkStillManagesNodes(deps, task);
  await whileLost(deps, work.signal, () => takeAway(deps, copy, work.signal));
  await deps.catalog.write(async (tx) => {
    await forgetCopy(tx, copy, task);
    await work.keep(tx, { progress: { done: 1, total: 1 }, result: copy });
  });
  return copy;
}

/** A node takes no longer to remove an image, in milliseconds. */
const LONGEST = 5 * 60_000;

/** From the node; what is not there any more is gone. */
export async function takeAway(deps: Deps, copy: Copy, signal: AbortSignal): Promise<void> {
  const node = await nodeNamed(deps.catalog, copy.node);
  const limit = AbortSignal.timeout(LONGEST);
  const limited = AbortSignal.any([signal, limit]);
  try {
    await askNode(deps, node, limited, (hypervisor) => removeFrom(hypervisor, copy, limited));
  } catch (cause) {
    if (signal.aborted || !limit.aborted) throw cause;
    const message = `node ${copy.node} did not remove image ${copy.image} within ${LONGEST / 60_000} minutes`;
    throw new ImgapiError('NodeDown', message, { cause });
  }
}

async function removeFrom(hypervisor: Hypervisor, { image, pool }: Copy, signal: AbortSignal): Promise<void> {
  try {
    await hypervisor.remove(image, pool, signal);
  } catch (error) {
    if (!(error instanceof NotOnNode)) throw error;
  }
}

/** As long as nobody else has to do with it. */
export async function forgetCopy(tx: Tx, copy: Copy, task: Pick<Task, 'id'>): Promise<void> {
  if (await isGoing(tx, copy, task)) await tx.delete(nodeImages, copyId(copy));
}

export async function undoRemoval({ now, nodeWork }: Deps, tx: Tx, task: Task): Promise<void> {
  await putBack(tx, task.params as Copy, task, now());
  nodeWork.wakeAll();
}

/** What it was to take away is there, as far as anybody knows. */
export async function putBack(tx: Tx, copy: Copy, task: Pick<Task, 'id'>, now: Date): Promise<void> {
  const held = await tx.get(nodeImages, copyId(copy));
  if (held?.state === 'deleting' && held.task === task.id) await tx.replace(nodeImages, ready(held, now));
}

async function isGoing(reader: Reader, copy: Copy, { id }: Pick<Task, 'id'>): Promise<boolean> {
  const held = await reader.get(nodeImages, copyId(copy));
  return held?.state === 'deleting' && held.task === id;
}
