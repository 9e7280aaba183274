import { nameOf } from '../../imgapi/channels.js';
import { ImgapiError, invalidParameter, wrongParameter } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import { openSimplestreams } from '../../storage/open.js';
import { partials } from '../../storage/partials.js';
import { giveUp, type Received, settle } from '../../storage/receive.js';
import type { Simplestreams, StreamImage } from '../../storage/simplestreams.js';
import type { Deps } from '../deps.js';
import { fileHolder, images } from '../model/image.js';
import {
  compressionOfPath,
  type LxdAlias,
  lxdDraft,
  lxdUuidOf,
  parseAlias,
  unknownRegistry,
} from '../model/lxd-image.js';
import { progress, status, telling } from '../model/pull-line.js';
import type { RegisteredImage } from '../model/registration.js';
import { canRead } from '../model/visibility.js';
import { bringImage } from './bring-image.js';
import { checkSpace } from './check-space.js';
import { checkStillImports } from './check-still-imports.js';
import { checkPublishing } from './check-widening.js';
import type { Target } from './find-image.js';
import { checkTakesFiles } from './image-server.js';
import type { Course, Importer } from './import-docker.js';
import { alreadyExists, prepareImport } from './import-image.js';
import { checkFileSize, receiveFromRegistry } from './receive-from-registry.js';
import { withRoom } from './with-room.js';

export interface LxdWish {
  alias: LxdAlias;
  visible: boolean;
}

export interface LxdPlan {
  wish: LxdWish;
  streams: Simplestreams;
  offered: StreamImage;
  uuid: string;
  size: number;
}

export function readLxdAlias(given: string | undefined): LxdAlias {
  if (!given) throw wrongParameter('alias', 'MissingParameter', 'alias is missing');
  const alias = parseAlias(given);
  if (alias) return alias;
  throw invalidParameter('alias', 'InvalidParameter', `alias "${given}" is not of the form registry:image`);
}

/** What the server of images has, and whether it may be brought: nothing is written. */
export async function planLxd(deps: Deps, importer: Importer, wish: LxdWish, signal: AbortSignal): Promise<LxdPlan> {
  checkTakesFiles(deps.directory);
  const { full, registry, image } = wish.alias;
  const { lxd, patience } = deps.policy.registries;
  const url = Object.hasOwn(lxd, registry) ? lxd[registry] : undefined;
  if (url === undefined) throw unknownRegistry(registry, Object.keys(lxd));
  // Only what is configured is asked.
  const reach = (at: string) => deps.outgoing.to(at, { trusted: true });
  const streams = await openSimplestreams({ url, reach, patience });
  const offered = await streams.find(image, signal);
  if (!offered)
    throw new ImgapiError('RemoteSourceError', `registry "${registry}" has no image "${image}" for containers`);
  for (const { path, size } of offered.files) checkFileSize(deps, `${full}, ${path}`, size);
  const uuid = lxdUuidOf(offered);
  const plan = { wish, streams, offered, uuid, size: offered.files.reduce((bytes, { size }) => bytes + size, 0) };
  if (await checkImage(deps, importer, plan)) await checkSpace(deps, plan.size);
  return plan;
}

const targetOf = ({ place: _, ...importer }: Importer, { uuid }: LxdPlan): Target => ({ ...importer, uuid });

const draftOf = ({ wish, offered }: LxdPlan) =>
  lxdDraft(offered, { registry: wish.alias.registry, visible: wish.visible });

const optionsOf = ({ place, channel }: Importer) => ({
  place,
  channel: nameOf(channel),
  skipOwnerCheck: false,
  replaceMinPlatform: false,
});

/** As it would be made; nothing where it is here already. */
async function checkImage(deps: Deps, importer: Importer, plan: LxdPlan) {
  if (await isHere(deps, importer, plan)) return undefined;
  const target = targetOf(importer, plan);
  const { image } = await prepareImport(deps, deps.catalog, target, draftOf(plan), optionsOf(importer));
  checkPublishing(target, undefined, { ...image, activated: true });
  return image;
}

async function isHere({ catalog }: Deps, importer: Importer, { uuid, offered, wish }: LxdPlan): Promise<boolean> {
  const existing = await catalog.get(images, uuid);
  if (!existing?.activated) return false;
  if (!canRead(importer, existing)) throw alreadyExists(importer, existing);
  // Everybody can tell its uuid beforehand, and import something else under it.
  const { files } = existing;
  const isSame =
    files.length === offered.files.length && files.every((file, at) => file.sha256 === offered.files[at]?.sha256);
  if (isSame) return true;
  throw new ImgapiError('ImageUuidAlreadyExists', `image ${uuid} is here, and is not ${wish.alias.full}`);
}

/** The image with its metadata and its root filesystem, whole and active, or not there at all. */
export async function performLxd(deps: Deps, importer: Importer, plan: LxdPlan, course: Course): Promise<string> {
  const { full } = plan.wish.alias;
  const { say, id } = course;
  say(status(`Pulling ${full}`));
  const image = await checkImage(deps, importer, plan);
  if (!image) {
    say(progress(full, 'Already exists'));
    course.report?.(plan.size);
    return plan.uuid;
  }
  await withRoom(deps, image, plan.size, async ({ reservation }) => {
    const files = await receiveFiles(deps, plan, course);
    say(progress(full, 'Download complete'));
    const holders = plan.offered.files.map((_, index) => lxdHolderOf(id, plan, index));
    const options = {
      ...optionsOf(importer),
      ...(reservation && { reservation }),
      along: async (tx: Tx, made: RegisteredImage) => {
        checkStillImports(importer.caller, made);
        for (const holder of holders) await settle(tx, holder);
        await course.keep?.(tx);
      },
    };
    await bringImage(deps, targetOf(importer, plan), draftOf(plan), { files }, options);
  });
  say(progress(full, 'Pull complete'));
  return plan.uuid;
}

async function receiveFiles(deps: Deps, plan: LxdPlan, { id, signal, say, report = () => {} }: Course) {
  const { streams, offered, wish, size: total } = plan;
  const tell = telling(say, wish.alias.full, 'Downloading', total, deps.now());
  const files: { arrived: Received; details: { compression: ReturnType<typeof compressionOfPath> } }[] = [];
  let before = 0;
  for (const [index, file] of offered.files.entries()) {
    say(progress(wish.alias.full, 'Downloading image'));
    const { size, sha256, path } = file;
    const told = (bytes: number) => {
      tell(before + bytes);
      report(before + bytes);
    };
    const course = { holder: lxdHolderOf(id, plan, index), signal, report: told };
    const arrived = await receiveFromRegistry(deps, streams.file(file), { size, sha256 }, course);
    files.push({ arrived, details: { compression: compressionOfPath(path) } });
    before += size;
  }
  return files;
}

export const lxdHolderOf = (id: string, { uuid }: Pick<LxdPlan, 'uuid'>, index: number) =>
  `${id}/${fileHolder(uuid, index)}`;

/** Throws away what has come and belongs to no image. */
export async function giveUpLxd(deps: Deps, { uuid }: Pick<LxdPlan, 'uuid'>, id: string): Promise<void> {
  for (const index of [0, 1]) {
    const holder = lxdHolderOf(id, { uuid }, index);
    if (await deps.catalog.get(partials, holder)) await giveUp(deps, holder);
  }
}
