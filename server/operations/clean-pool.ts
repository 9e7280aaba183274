import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { images } from '../model/image.js';
import { nodes } from '../model/node.js';
import { type Copy, copyId, deleting, type NodeImage, nodeImages, ofPool } from '../model/node-image.js';
import type { Started, Task } from '../model/task.js';
import { checkCopyUnused } from './check-copy-unused.js';
import { checkStillManagesNodes } from './check-still-manages-nodes.js';
import { copiesAt } from './copies.js';
import { checkPool } from './list-copies.js';
import { originsOf } from './origins.js';
import { forgetCopy, lookAtImages, putBack, takeAway } from './remove-copy.js';
import { nodeNamed } from './save-node.js';
import { startTask } from './start-task.js';
import { whileLost } from './while-lost.js';
import type { Work } from './work.js';

export interface Pool {
  node: string;
  pool: string;
}

/** What has become of one image; one that is in use stays. */
export interface CleanedRow {
  image: string;
  name: string | null;
  status: 'SUCCESS' | 'SKIPPED' | 'FAILURE';
  code: string | null;
  detail: string | null;
}

export const CLEAN = 'remove unused images';

export async function startCleaning(deps: Deps, caller: Caller, { node: name, pool }: Pool): Promise<Started> {
  const node = await nodeNamed(deps.catalog, name);
  await lookAtImages(deps, node);
  checkPool(deps, node, pool);
  const objects = [{ kind: nodes.name, id: node.name, name: node.name }];
  return startTask(deps, caller, { what: CLEAN, objects, params: { node: name, pool } });
}

/** One after another, each decided upon when it is its turn: what builds on others goes before them. */
export async function cleanPool(deps: Deps, task: Task, work: Work): Promise<CleanedRow[]> {
  const { catalog } = deps;
  const { node, pool } = task.params as Pool;
  checkStillManagesNodes(deps, task);
  const rows = Array.isArray(task.result) ? [...(task.result as CleanedRow[])] : [];
  const done = new Set(rows.map(({ image }) => image));
  const left = (await inOrder(catalog, await copiesAt(catalog, ofPool(node, pool)))).filter(
    ({ image }) => !done.has(image),
  );
  const total = rows.length + left.length;
  for (const copy of left) {
    work.signal.throwIfAborted();
    const row = await cleanOne(deps, task, work, copy);
    rows.push(row);
    await catalog.write(async (tx) => {
      if (row.status === 'SUCCESS') await forgetCopy(tx, copy, task);
      else await putBack(tx, copy, task, deps.now());
      await work.keep(tx, { progress: { done: rows.length, total }, result: rows });
    });
  }
  return rows;
}

async function cleanOne(deps: Deps, task: Task, work: Work, copy: NodeImage): Promise<CleanedRow> {
  const { catalog, now } = deps;
  const image = await catalog.get(images, copy.image);
  const row = { image: copy.image, name: image?.registration?.name ?? null, code: null, detail: null };
  try {
    await catalog.write(async (tx) => {
      const held = await tx.get(nodeImages, copyId(copy));
      if (!held || (held.state === 'deleting' && held.task === task.id)) return;
      const going = deleting(held, task.id, now());
      await checkCopyUnused(tx, copy);
      await tx.replace(nodeImages, going);
    });
  } catch (error) {
    return { ...row, status: 'SKIPPED', ...reasonIn(error) };
  }
  try {
    await whileLost(deps, work.signal, () => takeAway(deps, copy, work.signal));
    return { ...row, status: 'SUCCESS' };
  } catch (error) {
    work.signal.throwIfAborted();
    return { ...row, status: 'FAILURE', ...reasonIn(error) };
  }
}

function reasonIn(error: unknown): Pick<CleanedRow, 'code' | 'detail'> {
  if (!(error instanceof ImgapiError)) throw error;
  return { code: error.code, detail: error.message };
}

async function inOrder(reader: Reader, copies: readonly NodeImage[]): Promise<NodeImage[]> {
  const deep: { copy: NodeImage; depth: number }[] = [];
  for (const copy of copies) {
    const image = await reader.get(images, copy.image);
    let depth = 0;
    if (image) for await (const _ of originsOf(reader, image)) depth += 1;
    deep.push({ copy, depth });
  }
  return deep.toSorted((a, b) => b.depth - a.depth).map(({ copy }) => copy);
}

/** What it was about to take away when it ended. */
export async function undoCleaning({ now, nodeWork }: Deps, tx: Tx, task: Task): Promise<void> {
  const { node, pool } = task.params as Pool;
  for (const copy of await copiesAt(tx, ofPool(node, pool))) await putBack(tx, copy as Copy, task, now());
  nodeWork.wakeAll();
}
