import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { images } from '../model/image.js';
import { copyId, deleting, type NodeImage, nodeImages, ofImage } from '../model/node-image.js';
import { isManaged, type ManagedImage, type RegisteredImage } from '../model/registration.js';
import { type Task, tasks } from '../model/task.js';
import type { Viewer } from '../model/visibility.js';
import { atOnce } from './at-once.js';
import { checkDependents } from './check-dependents.js';
import { callerNow } from './check-still-manages-nodes.js';
import { checkUnused } from './check-unused.js';
import { copiesAt } from './copies.js';
import { endUploadsTo } from './end-uploads.js';
import { forgetCopy, putBack, takeAway } from './remove-copy.js';
import { saveImage } from './save-image.js';
import { keepTask } from './start-task.js';
import type { Work } from './work.js';

/** What a task that deletes an image has come to. Names of nodes are for those who manage nodes. */
export interface Deletion {
  deleted: boolean;
  /** Nodes that have been cleared. */
  cleared: number;
  /** How many copies are left. */
  waiting: number;
  /** Which, and why. */
  stragglers?: Straggler[];
}

interface Straggler {
  node: string;
  pool: string;
  reason: string;
}

export const DELETE = 'delete image';
export const PENDING = 'delete';

/**
 * Where nodes have the image, in whatever state, it is to leave them first: the image as it is meanwhile, and the task,
 * which is to be queued after the write.
 */
export async function clearNodesFirst(
  deps: Deps,
  tx: Tx,
  caller: Caller,
  image: RegisteredImage,
): Promise<{ task: Task; image: ManagedImage } | undefined> {
  const copies = await copiesAt(tx, ofImage(image.uuid));
  if (copies.length === 0 || !isManaged(image)) return undefined;
  const { boundTo, name } = image.registration;
  const task = await keepTask(deps, tx, caller, {
    what: DELETE,
    ...(!isOperator(caller) && boundTo !== undefined && { datacenter: boundTo }),
    objects: [{ kind: images.name, id: image.uuid, name }],
    params: { image: image.uuid },
  });
  for (const copy of copies)
    if (copy.state === 'ready') await tx.replace(nodeImages, deleting(copy, task.id, deps.now()));
  const pending = { task: task.id, what: PENDING };
  return { task, image: { ...image, registration: { ...image.registration, pending, leaving: true } } };
}

/** Is it only here until no node has it any more? */
export const isLeaving = ({ registration }: RegisteredImage): boolean => registration?.pending?.what === PENDING;

/** What nodes have of it is their own from now on: their next inventories tell of it. */
export async function forgetCopies(tx: Tx, uuid: string): Promise<void> {
  for (const copy of await copiesAt(tx, ofImage(uuid))) await tx.delete(nodeImages, copyId(copy));
}

/** So many nodes are asked side by side. */
const AT_ONCE = 8;

/** Waits for as long as it takes, and then deletes the image: never before it is true that no node has it. */
export async function deleteImageTask(deps: Deps, task: Task, work: Work): Promise<Deletion> {
  const { catalog, nodeWork } = deps;
  const { image: uuid } = task.params as { image: string };
  const stop = [
    catalog.follow(nodeImages, (changes) => {
      if (changes.some(({ id }) => id.includes(uuid))) nodeWork.wake();
    }),
    catalog.follow(images, (changes) => {
      if (changes.some(({ id }) => id === uuid)) nodeWork.wake();
    }),
  ];
  const cleared = new Set<string>();
  try {
    for (;;) {
      const image = await catalog.get(images, uuid);
      // Deleted by force meanwhile, or before the end of the task was known.
      if (!image || image.registration?.pending?.task !== task.id) {
        if (image) throw new ImgapiError('ResourceNotFound', `image ${uuid} is not to be deleted any more`);
        return { deleted: true, cleared: cleared.size, waiting: 0 };
      }
      await checkFree(deps, deps.catalog, task, image);
      const stragglers = await clear(deps, task, work, cleared);
      const told = deletionOf(deps, task, { cleared: cleared.size, stragglers });
      if (stragglers.length === 0 && (await finish(deps, task, work, told))) {
        await endUploadsTo(deps, uuid);
        return { ...told, deleted: true };
      }
      await note(deps, task, work, told);
      await nodeWork.woken(work.signal);
    }
  } finally {
    for (const unfollow of stop) unfollow();
  }
}

/** As when it was asked for: whatever uses it by now stops it. */
async function checkFree(deps: Deps, reader: Reader, task: Task, image: RegisteredImage): Promise<void> {
  const caller = callerNow(deps, task);
  const viewer: Viewer = { caller, mode: deps.policy.mode, open: deps.directory.openDatacenters };
  await checkDependents(reader, { ...viewer, uuid: image.uuid, channel: undefined });
  await checkUnused(reader, caller, image);
}

/** From every node that can be reached now; what is left, and why. */
async function clear(deps: Deps, task: Task, work: Work, cleared: Set<string>): Promise<Straggler[]> {
  const { image } = task.params as { image: string };
  const turn = atOnce(AT_ONCE);
  const stragglers: Straggler[] = [];
  const copies = await copiesAt(deps.catalog, ofImage(image));
  await Promise.all(
    copies.map((copy) =>
      turn(async () => {
        const reason = await clearOne(deps, task, work, copy);
        if (reason === undefined) cleared.add(copy.node);
        else stragglers.push({ node: copy.node, pool: copy.pool, reason });
      }),
    ),
  );
  work.signal.throwIfAborted();
  return stragglers.toSorted((a, b) => (a.node < b.node ? -1 : 1));
}

/** Nothing where it is gone. */
async function clearOne(deps: Deps, task: Task, work: Work, copy: NodeImage): Promise<string | undefined> {
  const { catalog, now } = deps;
  const going = await catalog.write(async (tx) => {
    const held = await tx.get(nodeImages, copyId(copy));
    // whoever has cancelled the task just now has got its copies back
    const isWanted = (await tx.get(tasks, task.id))?.status === 'STARTED';
    if (isWanted && held?.state === 'ready') await tx.replace(nodeImages, deleting(held, task.id, now()));
    return held;
  });
  work.signal.throwIfAborted();
  if (!going) return undefined;
  if (going.state === 'importing') return `it is coming there at the moment, by task ${going.task}`;
  if (going.state === 'deleting' && going.task !== task.id && (await isRunning(deps, going.task))) {
    return `task ${going.task} is removing it`;
  }
  try {
    await takeAway(deps, copy, work.signal);
  } catch (error) {
    work.signal.throwIfAborted();
    if (error instanceof ImgapiError) return error.message;
    deps.log.error({ err: error, task: task.id, node: copy.node }, 'a copy of an image could not be removed');
    return 'it failed on this side: the log tells why';
  }
  await catalog.write((tx) => forgetCopy(tx, copy, going.state === 'deleting' ? { id: going.task ?? '' } : task));
  return undefined;
}

async function isRunning({ catalog }: Deps, id = ''): Promise<boolean> {
  const task = await catalog.get(tasks, id);
  return task?.status === 'STARTED' || task?.status === 'PENDING';
}

function deletionOf(deps: Deps, task: Task, found: { cleared: number; stragglers: Straggler[] }): Deletion {
  const { cleared, stragglers } = found;
  const tells = isOperator(callerNow(deps, task));
  return { deleted: false, cleared, waiting: stragglers.length, ...(tells && { stragglers }) };
}

/** Only where it tells something new. */
async function note(deps: Deps, task: Task, work: Work, told: Deletion): Promise<void> {
  const progress = { done: told.cleared, total: told.cleared + told.waiting };
  await deps.catalog.write(async (tx) => {
    const now = await tx.get(tasks, task.id);
    if (JSON.stringify(now?.result) !== JSON.stringify(told)) await work.keep(tx, { progress, result: told });
  });
}

/** Whether it was done: a node may have got one meanwhile. */
async function finish(deps: Deps, task: Task, work: Work, told: Deletion): Promise<boolean> {
  const { image: uuid } = task.params as { image: string };
  return deps.catalog.write(async (tx) => {
    const image = await tx.get(images, uuid);
    if (image?.registration?.pending?.task !== task.id) return false;
    if ((await copiesAt(tx, ofImage(uuid))).length > 0) return false;
    await checkFree(deps, tx, task, image);
    await saveImage(tx, image, undefined, deps.now());
    const { cleared } = told;
    await work.keep(tx, { progress: { done: cleared, total: cleared }, result: { ...told, deleted: true } });
    return true;
  });
}

/** The image is back, with what nodes still have of it. */
export async function undoDeletion({ now }: Deps, tx: Tx, task: Task): Promise<void> {
  const { image: uuid } = task.params as { image: string };
  const image = await tx.get(images, uuid);
  for (const copy of await copiesAt(tx, ofImage(uuid))) await putBack(tx, copy, task, now());
  if (!isManaged(image) || image.registration.pending?.task !== task.id) return;
  const { pending: _, leaving: __, ...registration } = image.registration;
  await saveImage(tx, image, { ...image, registration }, now());
}
