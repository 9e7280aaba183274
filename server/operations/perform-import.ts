import { ImgapiError } from '../../imgapi/errors.js';
import type { ImageIcon } from '../../imgapi/image.js';
import { adopt } from '../../storage/adopt.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import { Changed, StorageDown } from '../../storage/errors.js';
import { giveBack } from '../../storage/give-back.js';
import { publishAll } from '../../storage/holdings.js';
import { Inspector, NotTaken } from '../../storage/inspect.js';
import { giveUp, type Received, receive, settle } from '../../storage/receive.js';
import { repacked } from '../../storage/repacked.js';
import type { Source } from '../../storage/sources.js';
import { TransferRefused } from '../../storage/transfer.js';
import { NoUnpacker } from '../../storage/unpack-head.js';
import type { Deps } from '../deps.js';
import { type Caller, trusted } from '../model/caller.js';
import { iconTypeOf } from '../model/icon-type.js';
import { activate, fileHolder, iconHolder, images, isPlaceholder, withFile, withIcon } from '../model/image.js';
import { bytesOfSteps, holderOf, type ImportPlan, type ImportStep } from '../model/import.js';
import { nodeImages } from '../model/node-image.js';
import type { RegisteredImage } from '../model/registration.js';
import { hasEnded, type Progress, type Step, type Task, tasks } from '../model/task.js';
import { callerOf } from './caller-of.js';
import { checkQuota } from './check-quota.js';
import { checkStillImports } from './check-still-imports.js';
import { vmsOf } from './check-unused.js';
import { openSource } from './open-source.js';
import { saveImage } from './save-image.js';
import { storedForm } from './upload.js';
import { withRoom } from './with-room.js';
import type { Work } from './work.js';

/** Progress is told so often, in milliseconds. */
const EVERY = 200;

export const stepsOf = ({ params }: Task): readonly ImportStep[] => (params as ImportPlan).steps;

/** One image after another, each attached and activated in one write, from which a task that was interrupted goes on. */
export async function performImport(deps: Deps, task: Task, work: Work): Promise<unknown> {
  const steps = stepsOf(task);
  try {
    let before = 0;
    for (const step of steps) before += await bring(deps, task, step, { before, work });
    return resultOf(steps, before);
  } catch (error) {
    if (await isOver(deps, task, work)) await clear(deps, task);
    throw refusalOf(error);
  }
}

const resultOf = (steps: readonly ImportStep[], bytes: number) => ({
  uuid: steps.at(-1)?.uuid,
  images: steps.map(({ uuid }) => uuid),
  bytes,
});

/** A server that only stops goes on with it the next time. */
export async function isOver({ catalog }: Deps, { id }: Task, { signal }: Work): Promise<boolean> {
  if (!signal.aborted) return true;
  const now = await catalog.get(tasks, id);
  return !now || hasEnded(now);
}

/** Bytes that have come and are of no use any more. */
async function clear({ catalog, blobs, imports }: Deps, task: Task): Promise<void> {
  for (const { uuid } of stepsOf(task)) {
    for (const holder of [holderOf(task.id, uuid), iconOf(task.id, uuid)]) await giveUp({ catalog, blobs }, holder);
    imports.forget(uuid);
  }
}

const iconOf = (task: string, uuid: string) => `${holderOf(task, uuid)}/icon`;

export function refusalOf(error: unknown): unknown {
  const isRefused = [TransferRefused, NotTaken, NoUnpacker, Changed].some((kind) => error instanceof kind);
  if (error instanceof Error && isRefused) return new ImgapiError('Download', error.message, { cause: error });
  if (!(error instanceof StorageDown)) return error;
  return new ImgapiError('StorageIsDown', `the storage failed: ${error.message}`, { cause: error });
}

interface Course {
  /** Bytes of the steps that are done. */
  before: number;
  work: Work;
}

/** Gives how many bytes the image has. */
async function bring(deps: Deps, task: Task, step: ImportStep, course: Course): Promise<number> {
  const { catalog, blobs, imports, policy, now } = deps;
  const { work, before } = course;
  const found = await catalog.get(images, step.uuid);
  // It came: that somebody has deleted it since, before the task was known to have ended, is no failure.
  if (isKnownDone(task, step)) return found?.files[0]?.size ?? step.file.size ?? 0;
  const image = await expected(catalog, task, step);
  checkStillImports(callerNow(deps, task), image);
  const holder = holderOf(task.id, step.uuid);
  const begun = now();
  const { size, compression, dataset_guid, inside, ...digests } = step.file;
  const source = await openSource(deps, step.from);
  const tell = told(course, stepsOf(task), (bytes) => imports.expect(step.uuid, Math.max(0, (size ?? 0) - bytes)));
  return withRoom(deps, image, size, async ({ through, reservation }) => {
    const lying = source.file(step.uuid);
    const coming = imports.bandwidth.limited(lying);
    const options = {
      limit: policy.maxFileSize,
      expect: { ...digests, ...(size !== undefined && { size }) },
      through: inside ? [...through, new Inspector({ packing: compression, format: inside.format })] : through,
      signal: work.signal,
      report: tell,
      release: giveBack,
      ...imports.patience,
    };
    const sent = inside?.promised ? repacked(coming, inside.promised) : coming;
    const file = (await adopt(blobs, lying, options)) ?? (await receive({ catalog, blobs }, holder, sent, options));
    const icon = step.icon && (await receiveIcon(deps, source, task, step, work));
    const { size: bytes } = file.content;
    await publishAll({ catalog, blobs }, [file, ...(icon ? [icon.received] : [])], async (tx, hold) => {
      const before = await expected(tx, task, step);
      checkStillImports(callerNow(deps, task), before);
      const at = now();
      const stored = { ...storedForm(file.content, at), compression, ...(dataset_guid && { dataset_guid }) };
      const filled = withFile(before, stored);
      const whole = icon ? withIcon(filled, { ...storedForm(icon.received.content, at), ...icon.is }) : filled;
      const after = withoutPending({ ...before, ...activate(whole, at) });
      await checkQuota(deps, tx, before, after, reservation);
      await hold(file, fileHolder(step.uuid, 0));
      if (icon) await hold(icon.received, iconHolder(step.uuid));
      await saveImage(tx, before, after, at);
      await settle(tx, holder);
      await settle(tx, iconOf(task.id, step.uuid));
      await keep(tx, task, step, { course, begun, at, bytes });
    });
    imports.forget(step.uuid);
    work.report(progressOf(stepsOf(task), before + bytes));
    return bytes;
  });
}

/** By whose rights it comes; nobody's in particular where nobody is named. */
const callerNow = ({ directory }: Deps, { who, within }: Task): Caller =>
  who.uuid === undefined ? trusted : callerOf(directory, who.uuid, within);

function withoutPending(image: RegisteredImage): RegisteredImage {
  if (!image.registration) return image;
  const { pending: _, ...registration } = image.registration;
  return { ...image, registration };
}

/** What was announced for the step, as long as nobody has taken it away. */
async function expected(reader: Reader, task: Task, { uuid }: ImportStep): Promise<RegisteredImage> {
  const image = await reader.get(images, uuid);
  if (image && isOnItsWay(image, task)) return image;
  throw new ImgapiError('ResourceNotFound', `image ${uuid} was removed while it was imported`);
}

/** Servers without data centers keep nothing of an image beside its manifest. */
const isOnItsWay = (image: RegisteredImage, { id }: Task) =>
  isPlaceholder(image) && (image.registration === undefined || image.registration.pending?.task === id);

/** Was it this task that has brought the file? */
const doneBy = ({ steps = [] }: Task, { uuid, files }: RegisteredImage): Step | undefined =>
  steps.find(({ name, finished }) => name === nameOf({ uuid }) && finished === files[0]?.mtime);

const isKnownDone = ({ steps = [] }: Task, step: ImportStep) => steps.some(({ name }) => name === nameOf(step));

const nameOf = ({ uuid }: Pick<ImportStep, 'uuid'>) => `import image ${uuid}`;

async function keep(
  tx: Tx,
  { id }: Task,
  step: ImportStep,
  { course, begun, at, bytes }: { course: Course; begun: Date; at: Date; bytes: number },
): Promise<void> {
  const running = await tx.get(tasks, id);
  const { steps = [] } = running ?? {};
  const done = { name: nameOf(step), started: begun.toISOString(), finished: at.toISOString() };
  const progress = progressOf(running ? stepsOf(running) : [], course.before + bytes);
  await course.work.keep(tx, { progress, result: null, steps: [...steps, done] });
}

function progressOf(steps: readonly ImportStep[], done: number): Progress {
  const total = bytesOfSteps(steps);
  return { done, ...(total !== undefined && { total }), unit: 'bytes' };
}

/** Tells how far it is, now and then. */
function told({ before, work }: Course, steps: readonly ImportStep[], count: (bytes: number) => void) {
  let last = 0;
  return (bytes: number) => {
    const at = performance.now();
    if (at - last < EVERY) return;
    last = at;
    count(bytes);
    work.report(progressOf(steps, before + bytes));
  };
}

/** One that can not be had, or is none, does not cost the image. */
async function receiveIcon(
  { catalog, blobs, policy, log }: Deps,
  source: Source,
  task: Task,
  { uuid }: ImportStep,
  { signal }: Work,
): Promise<{ received: Received; is: Pick<ImageIcon, 'contentType'> } | undefined> {
  if (!source.icon) return undefined;
  const holder = iconOf(task.id, uuid);
  try {
    const options = { limit: policy.maxIconSize, signal, pauses: [] };
    const received = await receive({ catalog, blobs }, holder, source.icon(uuid), options);
    const contentType = await iconTypeAt(blobs, received.key);
    if (contentType !== undefined) return { received, is: { contentType } };
  } catch (error) {
    if (signal.aborted || error instanceof StorageDown) throw error;
    log.info({ err: error, image: uuid }, 'an image comes without its icon');
  }
  await giveUp({ catalog, blobs }, holder);
  return undefined;
}

async function iconTypeAt(blobs: Deps['blobs'], key: string): Promise<string | undefined> {
  for await (const head of (await blobs.read(key)) ?? []) return iconTypeOf(head);
  return undefined;
}

/**
 * What a task has announced or brought goes when it fails or is cancelled, the newest first, but for what others need by
 * now: in the write that says so.
 */
export async function undoImport({ imports, now }: Deps, tx: Tx, task: Task): Promise<void> {
  for (const step of [...stepsOf(task)].reverse()) {
    imports.forget(step.uuid);
    const image = await tx.get(images, step.uuid);
    if (!image || !(isOnItsWay(image, task) || doneBy(task, image))) continue;
    if (await isNeeded(tx, image)) continue;
    await saveImage(tx, image, undefined, now());
  }
}

async function isNeeded(reader: Reader, { uuid }: RegisteredImage): Promise<boolean> {
  for await (const _ of reader.range(images, 'origin', { prefix: uuid, limit: 1 })) return true;
  for await (const _ of vmsOf(reader, uuid)) return true;
  for await (const _ of reader.range(nodeImages, 'image', { prefix: uuid, limit: 1 })) return true;
  return false;
}
