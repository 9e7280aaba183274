import { type Draft, finishDraft, readDraft, requireOwner } from '../../imgapi/draft.js';
import { ImgapiError, invalidParameter } from '../../imgapi/errors.js';
import { UNSET_OWNER } from '../../imgapi/image.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps, Policy } from '../deps.js';
import { isOperator } from '../model/caller.js';
import { images, isPlaceholder } from '../model/image.js';
import { modeLaw } from '../model/modes.js';
import { answer } from '../model/permissions.js';
import type { RegisteredImage } from '../model/registration.js';
import { hasEnded, tasks } from '../model/task.js';
import { ADMIN } from '../model/user.js';
import { canRead, type Viewer } from '../model/visibility.js';
import { checkAuthorityOf } from './check-authority.js';
import { checkQuota } from './check-quota.js';
import { checkAncestry, checkOrigin, checkOwner, isOwnerKnown } from './check-relations.js';
import { checkWidening } from './check-widening.js';
import type { Target } from './find-image.js';
import { type Place, register } from './register-image.js';
import { rulesOf } from './rules.js';
import { saveImage } from './save-image.js';

export interface ImportOptions {
  channel?: string | undefined;
  /** Nowhere on a server without data centers. */
  place: Place | undefined;
  skipOwnerCheck: boolean;
  /** imgadm before 3.7.4 writes a min_platform of its own host into what it publishes. */
  replaceMinPlatform: boolean;
}

export function readImport({ uuid }: Target, body: unknown): Draft {
  const draft = readDraft('import', body);
  if (draft.uuid === uuid) return draft;
  throw invalidParameter('uuid', 'Invalid', `the manifest's uuid is not that of the url, ${uuid}`);
}

/** Of a manifest that somebody sends, and no source vouches for. */
export async function importByHand(
  deps: Deps,
  target: Target,
  draft: Draft,
  options: ImportOptions,
): Promise<RegisteredImage> {
  checkAuthorityOf(deps, target.caller, target.uuid);
  return importImage(deps, target, draft, options);
}

/** An image that keeps the uuid and dates of its manifest; its file follows. */
export async function importImage(
  deps: Deps,
  target: Target,
  draft: Draft,
  options: ImportOptions,
): Promise<RegisteredImage> {
  const { catalog, now } = deps;
  return catalog.write(async (tx) => {
    const { existing, image } = await prepareImport(deps, tx, target, draft, options);
    await checkWidening(tx, target, existing, image);
    await checkQuota(deps, tx, existing, image);
    await saveImage(tx, existing, image, now());
    return image;
  });
}

/** What an import would make of a manifest, and what is there that it would fill. Nothing is written. */
export async function prepareImport(
  { policy, now }: Pick<Deps, 'policy' | 'now'>,
  reader: Reader,
  target: Target,
  draft: Draft,
  { channel, place, skipOwnerCheck, replaceMinPlatform }: ImportOptions,
): Promise<{ existing: RegisteredImage | undefined; image: RegisteredImage }> {
  const existing = await refuseExisting(reader, target);
  await checkOrigin(reader, target, draft.origin);
  const image = finishDraft('import', replaceMinPlatform ? await withOriginsPlatform(reader, draft) : draft, {
    uuid: target.uuid,
    owner: await ownerOf(reader, policy, target, draft.owner, skipOwnerCheck),
    rules: rulesOf(policy),
    ...(channel !== undefined && { channel }),
  });
  await checkAncestry(reader, image);
  return { existing, image: place ? await register(reader, image, place, now()) : image };
}

/** Refuses a uuid that is taken. A placeholder takes none from those who may change it: the import will fill it. */
export async function refuseExisting(reader: Reader, target: Target): Promise<RegisteredImage | undefined> {
  const existing = await reader.get(images, target.uuid);
  if (!existing) return undefined;
  const isFree = isPlaceholder(existing) && mayFill(target, existing) && !(await isOnItsWay(reader, existing));
  if (!isFree) throw alreadyExists(target, existing);
  return existing;
}

/** Does a task bring it at the moment? */
async function isOnItsWay(reader: Reader, { uuid }: RegisteredImage): Promise<boolean> {
  for await (const { record } of reader.range(tasks, 'image', { prefix: `${uuid}/` })) {
    if (!hasEnded(record)) return true;
  }
  return false;
}

const mayFill = ({ mode, caller }: Target, image: RegisteredImage) =>
  !modeLaw[mode].fleet || answer(caller, 'update', { image }) === 'yes';

/** uuids are global: that one is taken has to be said, but not to everybody by what. */
export function alreadyExists(viewer: Viewer, image: RegisteredImage): ImgapiError {
  const { uuid, name, version } = image;
  const what = canRead(viewer, image)
    ? `an image with uuid ${uuid} exists already: ${name} ${version}`
    : `uuid ${uuid} is already registered; a SuperAdmin can attach its image`;
  return new ImgapiError('ImageUuidAlreadyExists', what);
}

async function ownerOf(
  reader: Reader,
  { mode }: Policy,
  { caller }: Target,
  given: unknown,
  skipCheck: boolean,
): Promise<string> {
  if (modeLaw[mode].importsUnowned) return UNSET_OWNER;
  if (given === UNSET_OWNER) return caller.user && !isOperator(caller) ? caller.user.uuid : ADMIN.uuid;
  const owner = requireOwner(given === undefined ? caller.user?.uuid : given);
  if (skipCheck || (await isOwnerKnown(reader, mode, owner))) return owner;
  if (!caller.user) await checkOwner(reader, mode, owner);
  return caller.user?.uuid ?? owner;
}

async function withOriginsPlatform(reader: Reader, draft: Draft): Promise<Draft> {
  const { requirements } = draft;
  if (draft.type !== 'lx-dataset' || typeof requirements !== 'object' || !requirements) return draft;
  if (!('min_platform' in requirements)) return draft;
  const { min_platform: _, ...others } = requirements;
  const origin = typeof draft.origin === 'string' ? await reader.get(images, draft.origin) : undefined;
  const platform = origin?.requirements?.min_platform;
  return { ...draft, requirements: { ...others, ...(platform !== undefined && { min_platform: platform }) } };
}
