import { nameOf } from '../../imgapi/channels.js';
import { isRecord } from '../../imgapi/checks.js';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import { openRegistry } from '../../storage/open.js';
import { partials } from '../../storage/partials.js';
import { giveUp, settle } from '../../storage/receive.js';
import type { PulledManifest, Repository } from '../../storage/registry.js';
import type { Deps } from '../deps.js';
import { isOperator } from '../model/caller.js';
import { type DockerLayer, layersOf, tagKey } from '../model/docker-image.js';
import { fileHolder, images } from '../model/image.js';
import { progress, type Say, status, telling } from '../model/pull-line.js';
import type { RegisteredImage } from '../model/registration.js';
import { canRead } from '../model/visibility.js';
import { atOnce } from './at-once.js';
import { bringImage } from './bring-image.js';
import { changeImage } from './change-image.js';
import { checkSpace } from './check-space.js';
import { checkStillImports } from './check-still-imports.js';
import { checkPublishing } from './check-widening.js';
import { type DockerWish, referenceOf, shownImage } from './docker-wish.js';
import type { Target } from './find-image.js';
import { checkTakesFiles } from './image-server.js';
import { alreadyExists, prepareImport } from './import-image.js';
import { checkFileSize, receiveFromRegistry } from './receive-from-registry.js';
import type { Place } from './register-image.js';
import { updateFrom } from './update-image.js';
import { withRoom } from './with-room.js';

/** Who brings images, and where they will stand. */
export interface Importer extends Omit<Target, 'uuid'> {
  place: Place | undefined;
}

/** All that is known before the first layer comes. */
export interface DockerPlan {
  wish: DockerWish;
  repository: Repository;
  manifest: PulledManifest;
  config: Record<string, unknown>;
  /** Base first. */
  layers: DockerLayer[];
}

export interface Course {
  /** Names what comes, for this attempt and those that go on with it. */
  id: string;
  signal: AbortSignal;
  say: Say;
  /** Told of all bytes that have come. */
  report?: (bytes: number) => void;
  /** Goes into each write that makes an image. */
  keep?: (tx: Tx) => Promise<void>;
}

const AT_ONCE = 5;

/** What the registry has, and whether all of it may be brought: nothing is written. */
export async function planDocker(
  deps: Deps,
  importer: Importer,
  wish: DockerWish,
  signal: AbortSignal,
): Promise<DockerPlan> {
  checkTakesFiles(deps.directory);
  const repository = await reachRepository(deps, importer, wish, 'pull');
  const manifest = await repository.manifest(referenceOf(wish), signal);
  const config = readConfig(await repository.text(manifest.config, signal), shownImage(wish));
  const { repo, tag, visible } = wish;
  const layers = layersOf(manifest.layers, config, { repo: repo.local, tag, public: visible });
  for (const { digest, size } of layers) checkFileSize(deps, `layer ${digest}`, size);
  let missing = 0;
  for (const layer of layers) if (await checkLayer(deps, importer, layer)) missing += layer.size;
  await checkSpace(deps, missing);
  return { wish, repository, manifest, config, layers };
}

/** An operator's word opens addresses, of the host that was named only. */
export function reachRepository(
  { outgoing, policy }: Deps,
  { caller }: Pick<Importer, 'caller'>,
  { repo, login, secret }: Pick<DockerWish, 'repo' | 'login' | 'secret'>,
  access: 'pull' | 'push',
  beside?: string,
): Promise<Repository> {
  const { insecure, patience } = policy.registries;
  const reach = (url: string) => outgoing.to(url, { trusted: isOperator(caller), secret });
  return openRegistry(repo, { reach, login, access, insecure, patience, beside });
}

function readConfig(text: string, image: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch (cause) {
    throw new ImgapiError('RemoteSourceError', `the configuration of ${image} is no JSON`, { cause });
  }
  throw new ImgapiError('RemoteSourceError', `the configuration of ${image} is no JSON object`);
}

const targetOf = ({ place: _, ...importer }: Importer, { uuid }: DockerLayer): Target => ({ ...importer, uuid });

const optionsOf = ({ place, channel }: Importer) => ({
  place,
  channel: nameOf(channel),
  skipOwnerCheck: false,
  replaceMinPlatform: false,
});

/** As it would be made, before its origin is here; nothing where it is here already. */
async function checkLayer(deps: Deps, importer: Importer, layer: DockerLayer): Promise<RegisteredImage | undefined> {
  if (await isHere(deps, importer, layer)) return undefined;
  const { origin: _, ...draft } = layer.draft;
  const target = targetOf(importer, layer);
  const { image } = await prepareImport(deps, deps.catalog, target, draft, optionsOf(importer));
  checkPublishing(target, undefined, { ...image, activated: true });
  return image;
}

async function isHere({ catalog }: Deps, importer: Importer, layer: DockerLayer): Promise<boolean> {
  const existing = await catalog.get(images, layer.uuid);
  if (!existing?.activated) return false;
  if (!canRead(importer, existing)) throw alreadyExists(importer, existing);
  if (isLayer(existing, layer)) return true;
  const { uuid, digest } = layer;
  throw new ImgapiError('ImageUuidAlreadyExists', `image ${uuid} is here, and is not the layer ${digest}`);
}

/** Everybody can tell the uuid of a layer beforehand, and import something else under it. */
const isLayer = ({ files: [file], origin }: RegisteredImage, { digest, draft }: DockerLayer) =>
  (file?.digest === digest || `sha256:${file?.sha256}` === digest) && origin === draft.origin;

/**
 * One image for each layer, active as soon as it and those below it are whole: what has become active stays, whatever
 * becomes of the rest. What has come of others waits for the next attempt under the same id.
 */
export async function performDocker(deps: Deps, importer: Importer, plan: DockerPlan, course: Course): Promise<string> {
  const { wish, manifest, config, layers } = plan;
  const { say } = course;
  say(status(`${wish.tag ?? wish.digest}: Pulling from ${wish.repo.local}`));
  const head = layers.at(-1);
  if (!head) throw new Error('a plan without layers');
  const wasHere = await isHere(deps, importer, head);
  await bringLayers(deps, importer, plan, course);
  if (wasHere) await addTag(deps, importer, head, wish, say);
  say({
    type: 'create-docker-image',
    config_digest: manifest.config.digest,
    head: true,
    image: config,
    image_uuid: head.uuid,
    manifest_digest: manifest.digest,
    manifest_str: manifest.text,
    size: layers.reduce((bytes, { size }) => bytes + size, 0),
    dockerImageVersion: '2.2',
  });
  say(status(`Digest: ${manifest.digest}`));
  const news = wasHere ? 'Image is up to date for' : 'Downloaded newer image for';
  say(status(`Status: ${news} ${shownImage(wish)}`));
  return head.uuid;
}

async function bringLayers(deps: Deps, importer: Importer, plan: DockerPlan, course: Course): Promise<void> {
  const failing = new AbortController();
  const signal = AbortSignal.any([course.signal, failing.signal]);
  const turn = atOnce(AT_ONCE);
  const came = new Map<string, number>();
  const report = (uuid: string, bytes: number) => {
    came.set(uuid, bytes);
    course.report?.([...came.values()].reduce((sum, one) => sum + one, 0));
  };
  let below: Promise<unknown> = Promise.resolve();
  const all = plan.layers.map((layer) => {
    const onTopOf = below;
    const bringing = bringLayer(deps, importer, plan, layer, {
      ...course,
      signal,
      turn,
      onTopOf,
      report: (bytes) => report(layer.uuid, bytes),
    });
    below = bringing.catch((error: unknown) => failing.abort(error));
    return bringing;
  });
  await Promise.allSettled(all);
  course.signal.throwIfAborted();
  // The one that failed first, not those that it took with it.
  if (failing.signal.aborted) throw failing.signal.reason;
}

interface LayerCourse extends Course {
  turn: ReturnType<typeof atOnce>;
  onTopOf: Promise<unknown>;
  report(bytes: number): void;
}

async function bringLayer(
  deps: Deps,
  importer: Importer,
  { repository }: DockerPlan,
  layer: DockerLayer,
  { id, signal, say, report, keep, turn, onTopOf }: LayerCourse,
): Promise<void> {
  const { shortId, size, digest, compression, repack, uncompressedDigest } = layer;
  say(progress(shortId, 'Pulling fs layer'));
  const image = await checkLayer(deps, importer, layer);
  if (!image) {
    say(progress(shortId, 'Already exists'));
    report(size);
    return;
  }
  const holder = dockerHolderOf(id, layer);
  await withRoom(deps, image, repack ? undefined : size, async ({ reservation, through }) => {
    const tell = telling(say, shortId, 'Downloading', size, deps.now());
    const arrived = await turn(async () => {
      signal.throwIfAborted();
      const promised = { size, sha256: digest.replace('sha256:', '') };
      const told = (bytes: number) => {
        tell(bytes);
        report(Math.min(bytes, size));
      };
      const course = { holder, signal, report: told, through, repack };
      return receiveFromRegistry(deps, repository.blob(layer), promised, course);
    });
    say(progress(shortId, 'Download complete'));
    await onTopOf;
    signal.throwIfAborted();
    say(progress(shortId, 'Activating image'));
    const details = { compression, digest, ...(uncompressedDigest !== undefined && { uncompressedDigest }) };
    const brought = { files: [{ arrived, details }] };
    const options = {
      ...optionsOf(importer),
      ...(reservation && { reservation }),
      along: async (tx: Tx, made: RegisteredImage) => {
        checkStillImports(importer.caller, made);
        await settle(tx, holder);
        await keep?.(tx);
      },
    };
    try {
      await bringImage(deps, targetOf(importer, layer), layer.draft, brought, options);
      say(progress(shortId, 'Pull complete'));
    } catch (error) {
      const isThere = error instanceof ImgapiError && error.code === 'ImageUuidAlreadyExists';
      // Another import was faster.
      if (!isThere || !(await isHere(deps, importer, layer))) throw error;
      await giveUp(deps, holder);
      say(progress(shortId, 'Already exists'));
    }
  });
}

export const dockerHolderOf = (id: string, { uuid }: Pick<DockerLayer, 'uuid'>) => `${id}/${fileHolder(uuid, 0)}`;

/** Throws away what has come and belongs to no image. */
export async function giveUpDocker(
  deps: Deps,
  { layers }: { layers: readonly Pick<DockerLayer, 'uuid'>[] },
  id: string,
): Promise<void> {
  for (const layer of layers) {
    const holder = dockerHolderOf(id, layer);
    if (await deps.catalog.get(partials, holder)) await giveUp(deps, holder);
  }
}

/** Another name for what is here already, where the caller may say so. */
async function addTag(
  deps: Deps,
  importer: Importer,
  layer: DockerLayer,
  { tag }: DockerWish,
  say: Say,
): Promise<void> {
  const known = await deps.catalog.get(images, layer.uuid);
  if (tag === undefined || known?.tags?.[tagKey(tag)] === true) return;
  const target: Target = { ...targetOf(importer, layer), operation: 'update' };
  try {
    await changeImage(
      deps,
      target,
      () => {},
      (image, tx) => updateFrom(deps, target, { tags: { ...image.tags, [tagKey(tag)]: true } })(image, tx),
    );
  } catch (error) {
    if (!(error instanceof ImgapiError)) throw error;
    say(progress(layer.shortId, `Not tagged ${tag}: ${error.message}`));
  }
}
