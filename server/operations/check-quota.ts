import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { datacenters, MAIN } from '../model/datacenter.js';
import { settingsOf } from '../model/datacenter-settings.js';
import { bytesLeft, checkFits, isLimited, type Limits } from '../model/quota.js';
import type { RegisteredImage, Registration } from '../model/registration.js';
import { type Growth, growthOf, ofDatacenter, ofOwner, type Usage, usage } from '../model/usage.js';
import { users } from '../model/user.js';
import type { Reservation } from './reservations.js';

type Counting = Pick<Deps, 'reservations'>;

/** What keeps room for the file itself: a reservation, or an upload in parts. */
type Own = Reservation | { id: string };

/**
 * Refuses what the image's data center, or its owner, may not have more than before. Inside the write that saves it, and
 * in which its own reservation is used up.
 */
export async function checkQuota(
  { reservations }: Counting,
  tx: Tx,
  before: RegisteredImage | undefined,
  after: RegisteredImage,
  own?: Own,
): Promise<void> {
  const limited = await limitsOf(tx, after);
  for (const growth of growthOf(before, after)) {
    const limit = limited.get(growth.of);
    if (!limit) continue;
    const reserved = await reservations.bytesBeside(tx, growth.of, own?.id);
    checkFits(limit.whose, limit, await usedBy(tx, growth.of), reserved, growth);
  }
  if (own && 'isKept' in own) await reservations.settle(tx, own);
}

/** Where images change owners; which data center an image is bound to is for SuperAdmins to say, limits or not. */
export function checkOwnersQuota(
  counting: Counting,
  tx: Tx,
  before: RegisteredImage & { registration: Registration },
  after: RegisteredImage,
): Promise<void> {
  return checkQuota(counting, tx, before, { ...after, registration: before.registration });
}

/** How many bytes more there is room for, beside what others have reserved; throws where `needed` are too many. */
export async function roomFor(
  { reservations }: Counting,
  reader: Reader,
  image: RegisteredImage,
  own: Own | undefined,
  needed: number,
): Promise<number> {
  let room = Number.POSITIVE_INFINITY;
  for (const [of, limit] of await limitsOf(reader, image)) {
    const used = await usedBy(reader, of);
    const reserved = await reservations.bytesBeside(reader, of, own?.id);
    const more: Growth = { of, images: 0, bytes: needed };
    checkFits(limit.whose, limit, used, reserved, more);
    room = Math.min(room, bytesLeft(limit, used, reserved));
  }
  return room;
}

const usedBy = async (reader: Reader, of: string): Promise<Usage> =>
  (await reader.get(usage, of)) ?? { of, images: 0, bytes: 0 };

/** Whose limits an image counts against, where there are any. */
export async function limitsOf(
  reader: Reader,
  { registration, owner }: RegisteredImage,
): Promise<Map<string, Limits & { whose: string }>> {
  const found = new Map<string, Limits & { whose: string }>();
  if (!registration) return found;
  const { boundTo } = registration;
  const datacenter = boundTo === undefined ? undefined : await reader.get(datacenters, boundTo);
  if (datacenter) {
    const settings = settingsOf(datacenter, await reader.get(datacenters, MAIN));
    const limits = { images: settings.VMS_IMAGE_LIMIT, bytes: settings.imageBytesLimit };
    found.set(ofDatacenter(datacenter.name), { whose: `data center ${datacenter.name}`, ...limits });
  }
  const user = await reader.get(users, owner);
  if (user)
    found.set(ofOwner(owner), { whose: `owner ${user.name}`, images: null, bytes: user.imageBytesLimit ?? null });
  for (const [of, limits] of found) if (!isLimited(limits)) found.delete(of);
  return found;
}
