import { type Draft, finishDraft, readDraft, requireOwner } from '../../imgapi/draft.js';
import { ImgapiError, invalidParameter } from '../../imgapi/errors.js';
import { type Image, UNSET_OWNER } from '../../imgapi/image.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps, Policy } from '../deps.js';
import { images, isPlaceholder } from '../model/image.js';
import { modeLaw } from '../model/modes.js';
import { ADMIN } from '../model/user.js';
import { checkAncestry, checkOrigin, checkOwner, isOwnerKnown } from './check-relations.js';
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

/** An image that keeps the uuid and dates of its manifest; its file follows. */
export async function importImage(
  { catalog, policy, now }: Deps,
  target: Target,
  draft: Draft,
  { channel, place, skipOwnerCheck, replaceMinPlatform }: ImportOptions,
): Promise<Image> {
  return catalog.write(async (tx) => {
    const existing = await refuseExisting(tx, target.uuid);
    await checkOrigin(tx, target, draft.origin);
    const image = finishDraft('import', replaceMinPlatform ? await withOriginsPlatform(tx, draft) : draft, {
      uuid: target.uuid,
      owner: await ownerOf(tx, policy, target, draft.owner, skipOwnerCheck),
      rules: rulesOf(policy),
      ...(channel !== undefined && { channel }),
    });
    await checkAncestry(tx, image);
    await saveImage(tx, existing, place ? await register(tx, image, place, now()) : image, now());
    return image;
  });
}

/** Refuses a uuid that is taken. A placeholder takes none: it is what the import will fill. */
export async function refuseExisting(reader: Reader, uuid: string): Promise<Image | undefined> {
  const existing = await reader.get(images, uuid);
  if (existing && !isPlaceholder(existing)) throw alreadyExists(uuid);
  return existing;
}

export const alreadyExists = (uuid: string) =>
  new ImgapiError('ImageUuidAlreadyExists', `an image with uuid ${uuid} exists already`);

async function ownerOf(
  reader: Reader,
  { mode }: Policy,
  { caller }: Target,
  given: unknown,
  skipCheck: boolean,
): Promise<string> {
  if (modeLaw[mode].importsUnowned) return UNSET_OWNER;
  if (given === UNSET_OWNER) return ADMIN.uuid;
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
