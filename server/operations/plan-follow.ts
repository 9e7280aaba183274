import { createHash } from 'node:crypto';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import {
  checkPart,
  type Follow,
  type FollowedImage,
  followedImages,
  MISSES,
  matching,
  reasonToSpare,
} from '../model/follow.js';
import { images } from '../model/image.js';
import type { RegisteredImage } from '../model/registration.js';
import { imagesOf } from './browse-repository.js';
import { vmsOf } from './check-unused.js';
import { repositoryOf } from './repositories.js';

/** An image, and why it is imported, retired or left alone. */
export interface FollowRow {
  uuid: string;
  name: string;
  version: string;
  why: string;
}

export interface FollowPlan {
  /** How many images of the list match. */
  matched: number;
  /** The newest first: what they build on comes along with them. */
  import: FollowRow[];
  retire: FollowRow[];
  /** Gone from the repository, and left alone nevertheless. */
  spared: FollowRow[];
  /** Why nothing is retired though something is gone. */
  stopped: string | null;
}

/** What a run would do, by the last list of the repository. */
export async function planFollow(deps: Deps, follow: Follow): Promise<FollowPlan> {
  const { catalog, listing, repositories } = deps;
  const matched = matching(imagesOf(repositories, repositoryOf(deps, follow.repository)), follow.filter);
  const missing = matched
    .filter(({ uuid }) => !listing.get(uuid))
    .map(({ uuid, name, version }) => ({ uuid, name, version, why: 'it matches, and is not here' }));
  const bare = { matched: matched.length, import: missing, retire: [], spared: [], stopped: null };
  return follow.retire ? { ...bare, ...(await planRetiring(catalog, follow)) } : bare;
}

async function planRetiring(
  reader: Reader,
  follow: Follow,
): Promise<Pick<FollowPlan, 'retire' | 'spared' | 'stopped'>> {
  const [retire, spared]: [FollowRow[], FollowRow[]] = [[], []];
  let standing = 0;
  for await (const { record } of reader.range(followedImages, 'id', { prefix: `${follow.name}/` })) {
    const image = await reader.get(images, record.uuid);
    if (!image || image.registration?.access === 'deleted') continue;
    standing += 1;
    if (record.misses < MISSES) continue;
    const { uuid, name, version } = image;
    const reason = await spareReason(reader, record, image);
    if (reason !== undefined) spared.push({ uuid, name, version, why: reason });
    else retire.push({ uuid, name, version, why: `${record.misses} lists in a row were without it` });
  }
  try {
    checkPart(retire.length, standing);
    return { retire, spared, stopped: null };
  } catch (error) {
    if (!(error instanceof ImgapiError)) throw error;
    return { retire: [], spared: [...spared, ...retire], stopped: error.message };
  }
}

/** Why an image that is gone has to stay, as it is found now. */
export async function spareReason(
  reader: Reader,
  followed: FollowedImage,
  image: RegisteredImage | undefined,
): Promise<string | undefined> {
  const isUsed = image !== undefined && (await isInUse(reader, image.uuid));
  return reasonToSpare({ followed, image, digest: image && manifestDigest(image), isUsed });
}

async function isInUse(reader: Reader, uuid: string): Promise<boolean> {
  for await (const _ of vmsOf(reader, uuid)) return true;
  for await (const _ of reader.range(images, 'origin', { prefix: uuid, limit: 1 })) return true;
  return false;
}

/** Of all that somebody can change of an image, and not of what its arrival changes. */
export function manifestDigest(image: RegisteredImage): string {
  const { state, activated, files, icon, published_at, error, registration, ...manifest } = image;
  const fields = Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha1').update(JSON.stringify(fields)).digest('base64');
}
