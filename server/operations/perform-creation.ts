import { setTimeout as sleep } from 'node:timers/promises';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import { giveBack } from '../../storage/give-back.js';
import { publish } from '../../storage/holdings.js';
import { GivenReadable } from '../../storage/lent-readable.js';
import { NotPacked, packed } from '../../storage/packed.js';
import { giveUp, receive, settle } from '../../storage/receive.js';
import type { RemoteFile } from '../../storage/sources.js';
import { TransferRefused } from '../../storage/transfer.js';
import type { Deps } from '../deps.js';
import { HostUnreachable } from '../hypervisors/host.js';
import type { Hypervisor } from '../hypervisors/hypervisor.js';
import { type Caller, isOperator, trusted } from '../model/caller.js';
import { type CreationPlan, packedAs } from '../model/creation.js';
import { activate, fileHolder, images, isPlaceholder, withFile } from '../model/image.js';
import { holderOf } from '../model/import.js';
import { type Node, nodes } from '../model/node.js';
import { answer } from '../model/permissions.js';
import type { ManagedImage, RegisteredImage } from '../model/registration.js';
import { snapshotId, snapshotUses } from '../model/snapshot.js';
import { type Progress, type Task, tasks } from '../model/task.js';
import { askNode } from './ask-node.js';
import { callerOf } from './caller-of.js';
import { checkQuota } from './check-quota.js';
import { vmsOf } from './check-unused.js';
import { letGoAfter } from './let-go-of-snapshots.js';
import { isOver, refusalOf as refusalOfBytes } from './perform-import.js';
import { saveImage } from './save-image.js';
import { packedThere, planOfTask } from './start-creation.js';
import { storedForm } from './upload.js';
import { withRoom } from './with-room.js';
import type { Work } from './work.js';

/** What packers make of no bytes at all is no longer. */
const MOST_OF_NOTHING = 32;

/** Progress is told so often, in milliseconds. */
const EVERY = 200;

/**
 * From the node into the store, and published in one write. A stream is never gone on with: after a cut, and after a
 * restart, it is sent from its beginning. The snapshot is free again when it has ended, however it has.
 */
export async function performCreation(deps: Deps, task: Task, work: Work): Promise<unknown> {
  const plan = planOfTask(task);
  try {
    const bytes = (await doneBefore(deps, task)) ?? (await inAttempts(deps, task, work));
    await letGoAfter(deps, task.id);
    return { uuid: plan.image, images: [plan.image], bytes, warnings: plan.warnings };
  } catch (error) {
    if (await isOver(deps, task, work)) {
      await giveUp(deps, holderOf(task.id, plan.image));
      deps.imports.forget(plan.image);
      await letGoAfter(deps, task.id);
    }
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): unknown {
  if (!(error instanceof NotPacked)) return refusalOfBytes(error);
  return new ImgapiError('NotAvailable', error.message, { cause: error });
}

/** What was published before the end of the task was written. */
async function doneBefore({ catalog }: Deps, task: Task): Promise<number | undefined> {
  if (!task.steps?.length) return undefined;
  return (await catalog.get(images, planOfTask(task).image))?.files[0]?.size ?? 0;
}

const passing: ReadonlySet<string> = new Set(['unreachable', 'timeout', 'lost']);

/** Would it help to ask the node once more? What it has said itself is not changed by waiting. */
function isPassing(error: unknown): boolean {
  const { cause } = error instanceof ImgapiError ? error : { cause: error };
  return cause instanceof HostUnreachable && passing.has(cause.reason);
}

async function inAttempts(deps: Deps, task: Task, work: Work): Promise<number> {
  const { pauses } = deps.policy.snapshots;
  for (let failed = 0; ; failed += 1) {
    try {
      return await attempt(deps, task, work);
    } catch (error) {
      const pause = pauses[failed];
      if (work.signal.aborted || !isPassing(error)) throw error;
      if (pause === undefined) throw failed === 0 ? error : after(failed + 1, error);
      const told = { err: error, task: task.id, attempt: failed + 1, of: pauses.length + 1, pause };
      deps.log.info(told, 'a snapshot did not come whole; it is asked for again');
      await giveUp(deps, holderOf(task.id, planOfTask(task).image));
      await sleep(pause, undefined, { signal: work.signal });
    }
  }
}

function after(attempts: number, error: unknown): unknown {
  if (!(error instanceof ImgapiError)) return error;
  return new ImgapiError(error.code, `${error.message} (${attempts} attempts)`, { cause: error });
}

/** Once from beginning to end; gives how many bytes the image has. */
async function attempt(deps: Deps, task: Task, work: Work): Promise<number> {
  const plan = planOfTask(task);
  const node = await deps.catalog.get(nodes, plan.node);
  if (!node) throw new ImgapiError('NodeNotManaged', `node ${plan.node} is not known any more`);
  // Whatever stops this, stops what runs on the node.
  const ending = new AbortController();
  const signal = AbortSignal.any([work.signal, ending.signal]);
  try {
    return await askNode(deps, node, work.signal, async (hypervisor) => {
      await hypervisor.hold(plan, task.id, signal);
      await checkSame(hypervisor, plan, signal);
      return await bring(deps, task, { work, node, hypervisor, signal });
    });
  } finally {
    ending.abort();
  }
}

/** By its name it may be another one by now: after a restart, or because it was replaced before it was held. */
async function checkSame(hypervisor: Hypervisor, plan: CreationPlan, signal: AbortSignal): Promise<void> {
  const { guid } = await hypervisor.facts(plan, signal);
  if (guid === plan.guid) return;
  throw new ImgapiError('ResourceNotFound', `snapshot "${plan.snapshot}" is another one by now: it was replaced`);
}

interface Course {
  work: Work;
  node: Node;
  hypervisor: Hypervisor;
  signal: AbortSignal;
}

async function bring(deps: Deps, task: Task, { work, node, hypervisor, signal }: Course): Promise<number> {
  const { catalog, blobs, policy, imports, now } = deps;
  const plan = planOfTask(task);
  const begun = now();
  const image = await expected(catalog, task);
  checkStillCreates(callerNow(deps, task), plan);
  const holder = holderOf(task.id, plan.image);
  const tell = told(plan, work, (bytes) => imports.expect(plan.image, Math.max(0, plan.needed - bytes)));
  const packing = packedThere(plan);
  const { incremental, format } = plan;
  const sent = hypervisor.openSnapshot(plan, {
    job: task.id,
    incremental,
    signal,
    ...(packing && { packing }),
    ...(format && { format }),
  });
  const heard = tell.source(listening(sent, node, policy.snapshots.silence));
  const chunks = packing ? heard : packed(heard, plan.packing, signal);
  const file: RemoteFile = {
    what: `snapshot "${plan.snapshot}" on ${node.name}`,
    open: async () => ({ from: 0, body: new GivenReadable(chunks) }),
  };
  return withRoom(deps, image, undefined, async ({ through, reservation }) => {
    const received = await receive({ catalog, blobs }, holder, file, {
      limit: policy.maxFileSize,
      through,
      signal,
      report: tell.stored,
      release: giveBack,
      pauses: [],
      // How long a node may be silent is known better above: what packs well comes in drops.
      crawl: { bytes: 0, within: Number.POSITIVE_INFINITY },
    });
    const { size } = received.content;
    if (packing && size <= MOST_OF_NOTHING) throw new TransferRefused('empty', MOST_OF_NOTHING + 1, size);
    await publish({ catalog, blobs }, received, async (tx, hold) => {
      const before = await expected(tx, task);
      checkStillCreates(callerNow(deps, task), plan);
      const at = now();
      const stored = storedForm(received.content, at);
      const guid = plan.guid !== undefined && { dataset_guid: plan.guid };
      const filled = withFile(before, { ...stored, compression: packedAs(plan.packing.kind), ...guid });
      const whole = withoutPending({ ...before, ...activate(filled, at) });
      await checkQuota(deps, tx, before, whole, reservation);
      await hold(fileHolder(plan.image, 0));
      await saveImage(tx, before, whole, at);
      await settle(tx, holder);
      await free(tx, task);
      const step = { name: `create image ${plan.image}`, started: begun.toISOString(), finished: at.toISOString() };
      await work.keep(tx, { progress: tell.end(size), result: null, steps: [step] });
    });
    imports.forget(plan.image);
    return size;
  });
}

/** Throws where nothing comes for so long, in milliseconds; only time that is spent waiting counts. */
async function* listening(
  sent: AsyncIterable<Uint8Array>,
  { name }: Node,
  silence: number,
): AsyncGenerator<Uint8Array> {
  const chunks = sent[Symbol.asyncIterator]();
  let isLate = false;
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(resolve, silence, 'late');
      });
      const next = chunks.next();
      next.catch(() => {}); // of one that is late nobody hears the end
      const came = await Promise.race([next, late]).finally(() => clearTimeout(timer));
      isLate = came === 'late';
      if (came === 'late') {
        const seconds = silence / 1000;
        throw new ImgapiError('NodeFailed', `node ${name} has sent nothing of the snapshot for ${seconds} s`);
      }
      if (came.done) return;
      yield came.value;
    }
  } finally {
    // One that hangs would not come back from this: it is aborted.
    if (!isLate) await chunks.return?.();
  }
}

/** How far it is: in bytes of the stream where they are counted here, else of what it was packed to on the node, which are fewer. */
function told(plan: CreationPlan, work: Work, count: (stored: number) => void) {
  const isCountedHere = packedThere(plan) === undefined;
  let last = 0;
  let sent = 0;
  const progress = (done: number): Progress => ({
    done,
    ...(plan.bytes !== undefined && { total: Math.max(plan.bytes, done), ...(!isCountedHere && { ceiling: true }) }),
    unit: 'bytes',
  });
  return {
    async *source(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        sent += chunk.length;
        yield chunk;
      }
      // Packed, nothing would look like something.
      if (sent === 0) throw new TransferRefused('empty', 1, 0);
    },
    stored: (bytes: number) => {
      const at = performance.now();
      if (at - last < EVERY) return;
      last = at;
      count(bytes);
      work.report(progress(sent));
    },
    end: (stored: number): Progress => {
      const done = isCountedHere ? sent : stored;
      return { done, total: done, unit: 'bytes' };
    },
  };
}

/** By whose rights it is made; nobody's in particular where nobody is named. */
const callerNow = ({ directory }: Deps, { who, within }: Task): Caller =>
  who.uuid === undefined ? trusted : callerOf(directory, who.uuid, within);

/** Rights may have gone while it came. */
function checkStillCreates(caller: Caller, { datacenter }: CreationPlan): void {
  if (isOperator(caller) || answer(caller, 'create from snapshots', { datacenter }) === 'yes') return;
  throw new ImgapiError('NotPermitted', 'the right to make images of snapshots was taken away while the image came');
}

function withoutPending({ registration: { pending: _, ...registration }, ...image }: ManagedImage): RegisteredImage {
  return { ...image, registration };
}

/** What was announced, as long as nobody has taken it away. */
async function expected(reader: Reader, task: Task): Promise<ManagedImage> {
  const { image: uuid } = planOfTask(task);
  const image = await reader.get(images, uuid);
  if (image && isOnItsWay(image, task)) return image;
  throw new ImgapiError('ResourceNotFound', `image ${uuid} was removed while it was made`);
}

const isOnItsWay = (image: RegisteredImage, { id }: Pick<Task, 'id'>): image is ManagedImage =>
  isPlaceholder(image) && image.registration?.pending?.task === id;

/** The snapshot may be used by others. */
async function free(tx: Tx, task: Pick<Task, 'id' | 'params'>): Promise<void> {
  const use = await tx.get(snapshotUses, snapshotId(planOfTask(task)));
  if (use?.task === task.id) await tx.delete(snapshotUses, snapshotId(use));
}

/** In the write that says that it has failed, or was cancelled: nothing of it stays but what others need by now. */
export async function undoCreation({ imports, now }: Deps, tx: Tx, task: Task): Promise<void> {
  const { image: uuid } = planOfTask(task);
  imports.forget(uuid);
  await free(tx, task);
  const image = await tx.get(images, uuid);
  if (!image || !(isOnItsWay(image, task) || (await isMadeBy(tx, task, image)))) return;
  if (await isNeeded(tx, image)) return;
  await saveImage(tx, image, undefined, now());
}

/** It was published, and the task has not been told its end. */
async function isMadeBy(tx: Tx, { id }: Task, { files }: RegisteredImage): Promise<boolean> {
  const { steps = [] } = (await tx.get(tasks, id)) ?? {};
  return steps.some(({ finished }) => finished === files[0]?.mtime);
}

async function isNeeded(reader: Reader, { uuid }: RegisteredImage): Promise<boolean> {
  for await (const _ of reader.range(images, 'origin', { prefix: uuid, limit: 1 })) return true;
  for await (const _ of vmsOf(reader, uuid)) return true;
  return false;
}
