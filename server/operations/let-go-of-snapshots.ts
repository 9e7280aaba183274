import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type Hypervisor, NotOnNode } from '../hypervisors/hypervisor.js';
import { type Node, nodes } from '../model/node.js';
import { type SnapshotHold, snapshotHolds } from '../model/snapshot.js';
import { hasEnded, tasks } from '../model/task.js';

/** In milliseconds, for all that is to be let go of on a node. */
const PATIENCE = 20_000;

/** A task that is not there may still be on its way, for so long, in milliseconds. */
const PLANNING = 120_000;

type Holding = Pick<Deps, 'catalog' | 'hypervisors' | 'log' | 'now'>;

/** What tasks have left on nodes that have ended; of nodes that are away it is tried again. */
export async function letGoOfSnapshots(deps: Holding): Promise<void> {
  const due = new Set<string>();
  for await (const hold of deps.catalog.list(snapshotHolds)) if (await isDue(deps, hold)) due.add(hold.node);
  await Promise.all([...due].map((name) => letGoThere(deps, name)));
}

async function letGoThere(deps: Holding, name: string): Promise<void> {
  const { catalog, hypervisors, log } = deps;
  const node = await catalog.get(nodes, name);
  if (node && !node.connection) return;
  const signal = AbortSignal.timeout(PATIENCE);
  try {
    if (node) await letGoOn(deps, node, await hypervisors.of(node, signal), signal);
    else await forgetAll(deps, name);
  } catch (err) {
    log.info({ err, node: name }, 'snapshots on a node could not be let go of yet; it is tried again');
  }
}

/** All that is due on a node. */
export async function letGoOn(
  deps: Pick<Deps, 'catalog' | 'now'>,
  { name }: Node,
  hypervisor: Hypervisor,
  signal: AbortSignal,
): Promise<void> {
  for await (const { record } of deps.catalog.range(snapshotHolds, 'node', { prefix: name })) {
    if (record.node === name && (await isDue(deps, record))) await letGo(deps, record, hypervisor, signal);
  }
}

/** One whose task has ended, or never began. What is not there any more is no fault. */
async function letGo(
  { catalog }: Pick<Deps, 'catalog'>,
  hold: SnapshotHold,
  hypervisor: Hypervisor,
  signal: AbortSignal,
): Promise<void> {
  const { task, taken, vm, disk, snapshot } = hold;
  const meant = { vm, disk, snapshot };
  await unlessGone(hypervisor.release(meant, task, signal));
  if (taken) await unlessGone(hypervisor.removeSnapshot(meant, signal));
  await forget({ catalog }, hold);
}

/** In the task itself, and before it is said to have ended; a node that is away does not hold it up for long. */
export async function letGoAfter(deps: Holding, task: string): Promise<void> {
  const { catalog, hypervisors, log } = deps;
  const hold = await catalog.get(snapshotHolds, task);
  const node = hold && (await catalog.get(nodes, hold.node));
  if (!hold || !node) return;
  const signal = AbortSignal.timeout(PATIENCE);
  try {
    await letGo(deps, hold, await hypervisors.of(node, signal), signal);
  } catch (err) {
    log.warn({ err, task, node: hold.node }, 'a snapshot could not be let go of; it is tried again');
  }
}

async function unlessGone(done: Promise<void>): Promise<void> {
  await done.catch((error: unknown) => {
    if (!(error instanceof NotOnNode)) throw error;
  });
}

async function isDue({ catalog, now }: Pick<Deps, 'catalog' | 'now'>, { task, created }: SnapshotHold) {
  const found = await catalog.get(tasks, task);
  return found ? hasEnded(found) : now().getTime() - Date.parse(created) > PLANNING;
}

/** Of a node that nobody knows any more. */
async function forgetAll({ catalog }: Pick<Deps, 'catalog'>, node: string): Promise<void> {
  for await (const { record } of catalog.range(snapshotHolds, 'node', { prefix: node })) {
    if (record.node === node) await forget({ catalog }, record);
  }
}

const forget = ({ catalog }: Pick<Deps, 'catalog'>, { task }: Pick<SnapshotHold, 'task'>) =>
  catalog.write(async (tx) => {
    if (await isKept(tx, task)) await tx.delete(snapshotHolds, task);
  });

const isKept = async (reader: Reader, task: string) => (await reader.get(snapshotHolds, task)) !== undefined;
