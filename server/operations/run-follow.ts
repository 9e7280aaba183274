import { ImgapiError } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator, itself, nameOfCaller } from '../model/caller.js';
import {
  type Follow,
  type FollowState,
  followedId,
  followedImages,
  follows,
  isFollowDue,
  MISSES,
} from '../model/follow.js';
import type { RegisteredImage } from '../model/registration.js';
import type { Started, Task } from '../model/task.js';
import { callerOf } from './caller-of.js';
import type { Target } from './find-image.js';
import { prepareImport } from './import-image.js';
import { manageImage } from './manage-image.js';
import { type FollowPlan, type FollowRow, manifestDigest, planFollow, spareReason } from './plan-follow.js';
import { planImport } from './plan-import.js';
import { refreshRepository } from './refresh-repository.js';
import { repositoryOf } from './repositories.js';
import type { Repository } from './repository-book.js';
import { followNamed, listFollows } from './save-follow.js';
import { startImport } from './start-import.js';
import { startTask } from './start-task.js';
import type { Work } from './work.js';

/** What became of an image in a run. */
export interface FollowedRow extends FollowRow {
  /** What builds on an image that is still on its way is left for the next run. */
  action: 'import' | 'later' | 'retire' | 'spare';
  status: 'SUCCESS' | 'FAILURE';
  /** Of an import: the task that goes on with it. */
  task?: string;
  detail?: string;
}

export interface FollowResult {
  matched: number;
  stopped: string | null;
  images: FollowedRow[];
}

/** A run as a task. */
export async function startFollow(deps: Deps, caller: Caller, name: string): Promise<Started> {
  repositoryOf(deps, (await followNamed(deps.catalog, name)).repository);
  const wish = { what: 'follow', objects: [{ kind: follows.name, id: name, name }], params: { follow: name } };
  return startTask(deps, caller, wish, async (tx, task) => {
    const follow = await followNamed(tx, name);
    await tx.replace(follows, { ...follow, state: { tried: deps.now().toISOString(), task: task.id } });
  });
}

/** Those that are due by their schedules. */
export async function followDue(deps: Deps): Promise<void> {
  for (const { name } of (await listFollows(deps)).filter((follow) => isFollowDue(follow, deps.now()))) {
    try {
      await startFollow(deps, itself, name);
    } catch (error) {
      if (!(error instanceof ImgapiError)) throw error;
      await note(deps, name, (state) => ({ ...state, tried: deps.now().toISOString(), error: error.message }));
      deps.log.warn({ follow: name, reason: error.message }, 'a follow could not be started');
    }
  }
}

/** Asks for the list, imports what is new, and retires what is gone; one that goes on finds its own imports here already. */
export async function performFollow(deps: Deps, { who, params }: Task, work: Work): Promise<FollowResult> {
  const { follow: name } = params as { follow: string };
  try {
    const caller: Caller =
      who.uuid === undefined ? { kind: 'trusted', name: who.name } : callerOf(deps.directory, who.uuid);
    if (!isOperator(caller)) throw new ImgapiError('NotPermitted', 'only SuperAdmins may follow repositories');
    const result = await run(deps, caller, await followNamed(deps.catalog, name), work);
    const done = (action: FollowedRow['action']) =>
      result.images.filter((row) => row.action === action && row.status === 'SUCCESS').length;
    await note(deps, name, ({ tried, task }) => ({
      tried,
      task,
      lastRun: deps.now().toISOString(),
      imported: done('import'),
      retired: done('retire'),
      ...problemIn(result),
    }));
    return result;
  } catch (error) {
    const reason = error instanceof ImgapiError ? error.message : 'it failed on this side: the log tells why';
    if (!work.signal.aborted) await note(deps, name, (state) => ({ ...state, error: reason }));
    throw error;
  }
}

function problemIn({ stopped, images }: FollowResult): { error?: string } {
  const failed = images.filter(({ status }) => status === 'FAILURE');
  if (failed.length > 0)
    return { error: `${failed.length} images were refused, the first because ${failed[0]?.detail}` };
  return stopped === null ? {} : { error: stopped };
}

async function run(deps: Deps, caller: Caller, follow: Follow, work: Work): Promise<FollowResult> {
  const repository = repositoryOf(deps, follow.repository);
  await refreshRepository(deps, repository).catch(unlessBusy);
  const plan = await planFollow(deps, follow);
  const rows: FollowedRow[] = [];
  const tell = (row: FollowedRow) => {
    rows.push(row);
    work.report({ done: rows.length, total: plan.import.length + plan.retire.length });
    work.signal.throwIfAborted();
  };
  /** Which task brings which image. */
  const under = new Map<string, string>();
  for (const row of plan.import) tell(await importOne(deps, caller, { follow, repository, row, under }));
  for (const row of plan.retire) tell(await retire(deps, caller, follow, row));
  return { matched: plan.matched, stopped: plan.stopped, images: [...rows, ...sparedIn(plan)] };
}

/** What somebody else refreshes at the moment was, or will be, seen whole as well: the last list will do. */
function unlessBusy(error: unknown): void {
  if (!(error instanceof ImgapiError) || error.code !== 'Busy') throw error;
}

const sparedIn = ({ spared }: FollowPlan): FollowedRow[] =>
  spared.map((row) => ({ ...row, action: 'spare', status: 'SUCCESS' }));

interface Importing {
  follow: Follow;
  repository: Repository;
  row: FollowRow;
  under: Map<string, string>;
}

async function importOne(deps: Deps, caller: Caller, importing: Importing): Promise<FollowedRow> {
  const { row, under } = importing;
  try {
    if (!under.has(row.uuid)) await bring(deps, caller, importing);
    return { ...row, action: 'import', status: 'SUCCESS', ...taskIn(under, row) };
  } catch (error) {
    if (!(error instanceof ImgapiError)) throw error;
    const later = error.code === 'OriginIsNotActive' && ({ action: 'later', status: 'SUCCESS' } as const);
    return { ...row, ...(later || { action: 'import', status: 'FAILURE' }), detail: error.message };
  }
}

function taskIn(under: ReadonlyMap<string, string>, { uuid }: FollowRow): { task?: string } {
  const task = under.get(uuid);
  return task === undefined ? {} : { task };
}

/** Starts the import, with what the image builds on; nobody waits for its end. */
async function bring(deps: Deps, caller: Caller, { follow, repository, row, under }: Importing): Promise<void> {
  const { uuid } = row;
  const target: Target = {
    caller,
    mode: deps.policy.mode,
    uuid,
    channel: { any: true },
    open: deps.directory.openDatacenters,
  };
  const from = { kind: 'repository', name: repository.name } as const;
  const steps = await planImport(deps, target, { from, uuid, origins: from });
  const bound = !follow.shared && { boundTo: follow.datacenter };
  const place = { datacenters: [follow.datacenter], ...bound, by: nameOfCaller(caller) };
  const options = { place, skipOwnerCheck: false, replaceMinPlatform: false };
  const make = async (tx: Tx, step: (typeof steps)[number]) => {
    const made = await prepareImport(deps, tx, { ...target, uuid: step.uuid }, step.draft, options);
    const image = withAccess(made.image, follow.access);
    await remember(tx, follow, repository, image);
    return { ...made, image };
  };
  const datacenter = follow.shared ? undefined : follow.datacenter;
  const { task } = await startImport(deps, { viewer: target, steps, datacenter, wanted: make, origin: make });
  for (const step of steps) under.set(step.uuid, task.id);
}

function withAccess(image: RegisteredImage, access: Follow['access']): RegisteredImage {
  const { registration } = image;
  return { ...image, public: access === 'public', ...(registration && { registration: { ...registration, access } }) };
}

/** In the write that announces it. One that was brought before, and deleted here, is another one now. */
async function remember(tx: Tx, { name }: Follow, { url }: Repository, image: RegisteredImage): Promise<void> {
  const { uuid, registration } = image;
  const registered = registration?.created ?? '';
  const followed = { follow: name, uuid, url, registered, digest: manifestDigest(image), misses: 0 };
  const isKnown = (await tx.get(followedImages, followedId(name, uuid))) !== undefined;
  await (isKnown ? tx.replace(followedImages, followed) : tx.insert(followedImages, followed));
}

/** What speaks against it is looked at again in the write that does it. */
async function retire(deps: Deps, caller: Caller, { name }: Follow, row: FollowRow): Promise<FollowedRow> {
  const { uuid } = row;
  try {
    await manageImage(deps, { caller, operation: 'update', named: { image: uuid } }, async (image, tx) => {
      const followed = await tx.get(followedImages, followedId(name, uuid));
      const isGone = followed !== undefined && followed.misses >= MISSES;
      const reason = isGone ? await spareReason(tx, followed, image) : 'it is listed again';
      if (reason !== undefined) throw new ImgapiError('PreconditionFailed', `image ${uuid} is not retired: ${reason}`);
      return { ...image, registration: { ...image.registration, access: 'deleted' as const } };
    });
    return { ...row, action: 'retire', status: 'SUCCESS' };
  } catch (error) {
    if (!(error instanceof ImgapiError)) throw error;
    return { ...row, action: 'retire', status: 'FAILURE', detail: error.message };
  }
}

async function note({ catalog }: Deps, name: string, after: (state: FollowState) => FollowState): Promise<void> {
  await catalog.write(async (tx) => {
    const follow = await tx.get(follows, name);
    if (!follow) return;
    await tx.replace(follows, { ...follow, state: after(follow.state ?? { tried: follow.created, task: '' }) });
  });
}
