import { selectChannel } from '../../imgapi/channels.js';
import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import { settle } from '../../storage/receive.js';
import { DIGEST, parseRepository, registryUrl, splitReference, TAG } from '../../storage/registry.js';
import type { Deps } from '../deps.js';
import { type Caller, nameOfCaller } from '../model/caller.js';
import { images } from '../model/image.js';
import { keptUnder } from '../model/import.js';
import { type LxdAlias, parseAlias } from '../model/lxd-image.js';
import { hasEnded, type Progress, type Started, type Task, tasks } from '../model/task.js';
import { callerOf } from './caller-of.js';
import { checkUnderWay } from './check-under-way.js';
import { placeFor } from './create-managed-image.js';
import { type DockerWish, shownImage } from './docker-wish.js';
import { usableSecret } from './find-secret.js';
import {
  type Course,
  dockerHolderOf,
  giveUpDocker,
  type Importer,
  performDocker,
  planDocker,
} from './import-docker.js';
import { giveUpLxd, lxdHolderOf, performLxd, planLxd } from './import-lxd.js';
import type { Place } from './register-image.js';
import { startTask } from './start-task.js';
import type { Work } from './work.js';

export const DOCKER = 'import docker image';
export const LXD = 'import lxd image';

/** Where images stand, and who sees them there. */
export interface Standing {
  dc?: string | undefined;
  dc_bound: boolean;
  visible: boolean;
}

interface DockerParams {
  wish: Pick<DockerWish, 'repo' | 'tag' | 'secret' | 'visible'>;
  /** What the tag meant when it was asked for. */
  digest: string;
  layers: { uuid: string }[];
  place: Place;
  bytes: number;
}

interface LxdParams {
  alias: LxdAlias;
  visible: boolean;
  uuid: string;
  place: Place;
  bytes: number;
}

interface DockerOrder extends Standing {
  image: string;
  secret?: string | undefined;
}

/** What is meant, and where it would stand; refuses what can be refused without asking the registry. */
export async function meantOfDocker(deps: Deps, caller: Caller, { image, secret, ...standing }: DockerOrder) {
  const { repo: name, reference } = splitReference(image);
  const repo = parseRepository(name);
  const isDigest = DIGEST.test(reference);
  if (!repo || !(isDigest || TAG.test(reference))) {
    throw wrong('image', `image "${image}" is not of the form REPO:TAG or REPO@sha256:DIGEST`);
  }
  const place = placeOf(deps, caller, standing);
  const { dc, visible } = standing;
  const url = registryUrl(repo, deps.policy.registries.insecure);
  const kept = secret === undefined ? undefined : await usableSecret(deps.catalog, caller, { name: secret, dc, url });
  const wish = {
    repo,
    visible,
    ...(isDigest ? { digest: reference } : { tag: reference }),
    ...(kept !== undefined && { secret: kept }),
  };
  return { place, wish };
}

/** An image of a container, as a task: all that can be refused is refused at once. */
export async function startDocker(deps: Deps, caller: Caller, order: DockerOrder): Promise<Started> {
  const { place, wish } = await meantOfDocker(deps, caller, order);
  const { layers, manifest } = await planDocker(deps, importerOf(deps, caller, place), wish, patience());
  const params: DockerParams = {
    wish,
    digest: manifest.digest,
    layers: layers.map(({ uuid }) => ({ uuid })),
    place,
    bytes: layers.reduce((bytes, { size }) => bytes + size, 0),
  };
  return begin(deps, caller, { what: DOCKER, uuid: layers.at(-1)?.uuid ?? '', name: shownImage(wish), place, params });
}

interface LxdOrder extends Standing {
  image: string;
}

/** Likewise. */
export function meantOfLxd(deps: Deps, caller: Caller, { image, ...standing }: LxdOrder) {
  const alias = parseAlias(image);
  if (!alias) throw wrong('image', `image "${image}" is not of the form REGISTRY:ALIAS`);
  return { alias, place: placeOf(deps, caller, standing) };
}

/** An image of LXD or Incus, as a task. */
export async function startLxd(deps: Deps, caller: Caller, order: LxdOrder): Promise<Started> {
  const { alias, place } = meantOfLxd(deps, caller, order);
  const { visible } = order;
  const { uuid, size: bytes } = await planLxd(deps, importerOf(deps, caller, place), { alias, visible }, patience());
  const params: LxdParams = { alias, visible, uuid, place, bytes };
  return begin(deps, caller, { what: LXD, uuid, name: alias.full, place, params });
}

/** How long a registry may take to say what it has, in milliseconds. */
const PATIENCE = 60_000;

function patience(): AbortSignal {
  const ending = new AbortController();
  const late = new ImgapiError(
    'RemoteSourceError',
    `the registry took longer than ${PATIENCE / 1000} s to say what it has`,
  );
  setTimeout(() => ending.abort(late), PATIENCE).unref();
  return ending.signal;
}

const wrong = (field: string, message: string) => invalidInput([{ field, code: 'Invalid', message }]);

const placeOf = (deps: Deps, caller: Caller, { dc, dc_bound }: Standing): Place => ({
  ...placeFor(deps, caller, 'import', { dc, dc_bound }),
  by: nameOfCaller(caller),
});

function importerOf({ policy, directory }: Deps, caller: Caller, place: Place): Importer {
  const channel = selectChannel(policy.channels, undefined, { star: false });
  return { caller, mode: policy.mode, open: directory.openDatacenters, channel, operation: 'import', place };
}

interface Begun {
  what: string;
  uuid: string;
  name: string;
  place: Place;
  params: DockerParams | LxdParams;
}

function begin(deps: Deps, caller: Caller, { what, uuid, name, place, params }: Begun): Promise<Started> {
  const datacenter = place.boundTo ?? place.datacenters[0];
  const objects = [{ kind: images.name, id: uuid, name }];
  const wish = { what, ...(datacenter !== undefined && { datacenter }), objects, params };
  return startTask(deps, caller, wish, (tx) => checkUnderWay(tx, caller));
}

const importerIn = (deps: Deps, { who, within }: Task, place: Place) =>
  importerOf(deps, callerOf(deps.directory, who.uuid, within), place);

export async function performDockerTask(deps: Deps, task: Task, work: Work): Promise<unknown> {
  const { wish, digest, layers, place, bytes } = task.params as DockerParams;
  const course = courseOf(task, work, bytes);
  const clear = () => giveUpDocker(deps, { layers }, keptUnder(task.id));
  await cleared(deps, task, work, clear, async () => {
    const importer = importerIn(deps, task, place);
    const plan = await planDocker(deps, importer, { ...wish, digest }, work.signal);
    await performDocker(deps, importer, plan, course);
  });
  return { uuid: layers.at(-1)?.uuid, images: layers.map(({ uuid }) => uuid), bytes };
}

export async function performLxdTask(deps: Deps, task: Task, work: Work): Promise<unknown> {
  const { alias, visible, uuid, place, bytes } = task.params as LxdParams;
  const course = courseOf(task, work, bytes);
  const clear = () => giveUpLxd(deps, { uuid }, keptUnder(task.id));
  const brought = await cleared(deps, task, work, clear, async () => {
    const importer = importerIn(deps, task, place);
    const plan = await planLxd(deps, importer, { alias, visible }, work.signal);
    return performLxd(deps, importer, plan, course);
  });
  return { uuid: brought, images: [brought], bytes };
}

/** What waited for its turn again, and will not get it: nobody else throws away what had come. */
export async function undoDocker(_: Deps, tx: Tx, { id, started, params }: Task): Promise<void> {
  if (started !== undefined) return;
  for (const layer of (params as DockerParams).layers) await settle(tx, dockerHolderOf(keptUnder(id), layer));
}

export async function undoLxd(_: Deps, tx: Tx, { id, started, params }: Task): Promise<void> {
  if (started !== undefined) return;
  for (const index of [0, 1]) await settle(tx, lxdHolderOf(keptUnder(id), params as LxdParams, index));
}

/** A server that only stops goes on with it the next time; else nothing stays of what is not whole. */
async function cleared<R>(
  deps: Deps,
  { id }: Task,
  { signal }: Work,
  clear: () => Promise<void>,
  work: () => Promise<R>,
): Promise<R> {
  try {
    return await work();
  } catch (error) {
    const now = signal.aborted ? await deps.catalog.get(tasks, id) : undefined;
    if (!now || hasEnded(now)) await clear();
    throw error;
  }
}

/** Progress is told so often, in milliseconds. */
const EVERY = 200;

/** Nobody hears the lines of a task; how far it is, all who see it. */
function courseOf({ id }: Task, { signal, report, keep }: Work, total: number): Course {
  let done = 0;
  let told = 0;
  const progress = (): Progress => ({ done, total, unit: 'bytes' });
  return {
    id: keptUnder(id),
    signal,
    say: () => {},
    report: (bytes) => {
      done = bytes;
      const now = performance.now();
      if (done < total && now - told < EVERY) return;
      told = now;
      report(progress());
    },
    keep: (tx) => keep(tx, { progress: progress(), result: null }),
  };
}
