import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { datacenters } from '../model/datacenter.js';
import { groups } from '../model/group.js';
import { images } from '../model/image.js';
import type { RegisteredImage } from '../model/registration.js';
import { type Grant, tokens } from '../model/token.js';
import { ADMIN, type User, users } from '../model/user.js';
import { checkStands } from './check-stands.js';
import { endSessions } from './end-sessions.js';
import { findSubject, userIn } from './find-user.js';
import { saveImage } from './save-image.js';
import { checkNotLast } from './save-user.js';
import { forgetWebhooks } from './save-webhook.js';

/** As many as a refusal names. */
const MOST_NAMED = 20;

/** Whoever owns images or data centers stays, unless somebody is named to whom they go. */
export async function deleteUser(
  { catalog, keyring, now }: Deps,
  caller: Caller,
  grant: Grant,
  { name, reassign }: { name: string; reassign?: string | undefined },
): Promise<void> {
  await catalog.write(async (tx) => {
    await checkStands(tx, caller, grant);
    const user = await findSubject(tx, caller, name);
    if (user.uuid === ADMIN.uuid) {
      throw new ImgapiError('NotPermitted', `"${name}" stands in for owners that are not set: lock it out instead`);
    }
    if (keyring.keysOf(user.name).length > 0) {
      const why = 'its keys in authkeys or the configuration would bring it back: remove them first, or lock it out';
      throw new ImgapiError('NotPermitted', `"${name}" is not deleted: ${why}`);
    }
    await checkNotLast(tx, user);
    const heir = reassign === undefined ? undefined : await heirOf(tx, user, reassign);
    await leaveImages(tx, user, heir, now());
    await leaveDatacenters(tx, user, heir);
    await leaveGroups(tx, user);
    await endSessions(tx, user.uuid);
    await forgetWebhooks(tx, user.uuid);
    const own = (await all(tx.list(tokens))).filter((token) => token.user === user.uuid);
    for (const { hash } of own) await tx.delete(tokens, hash);
    await tx.delete(users, user.uuid);
  });
}

async function heirOf(tx: Tx, user: User, name: string): Promise<User> {
  const heir = await userIn(tx, 'reassign', name);
  if (heir.uuid !== user.uuid) return heir;
  throw invalidInput([
    { field: 'reassign', code: 'Invalid', message: 'reassign names the user that is to be deleted' },
  ]);
}

async function leaveImages(tx: Tx, user: User, heir: User | undefined, now: Date): Promise<void> {
  const owned = (await all<RegisteredImage>(tx.list(images))).filter(({ owner }) => owner === user.uuid);
  if (owned.length > 0 && !heir) {
    throw inTheWay(
      user,
      'images',
      owned.map(({ uuid, registration }) => registration?.name ?? uuid),
    );
  }
  for (const image of owned) {
    if (image.registration?.pending) {
      throw new ImgapiError('ImagePending', `image ${image.uuid} can not change its owner while something works on it`);
    }
    if (heir) await saveImage(tx, image, { ...image, owner: heir.uuid }, now);
  }
}

async function leaveDatacenters(tx: Tx, user: User, heir: User | undefined): Promise<void> {
  const owned = (await all(tx.range(datacenters, 'owner', { prefix: user.uuid }))).map(({ record }) => record);
  if (owned.length > 0 && !heir) {
    throw inTheWay(
      user,
      'data centers',
      owned.map(({ name }) => name),
    );
  }
  for (const datacenter of owned) if (heir) await tx.replace(datacenters, { ...datacenter, owner: heir.uuid });
}

async function leaveGroups(tx: Tx, { uuid }: User): Promise<void> {
  for (const { record } of await all(tx.range(groups, 'member', { prefix: uuid }))) {
    await tx.replace(groups, { ...record, members: record.members.filter((member) => member !== uuid) });
  }
}

function inTheWay({ name }: User, what: string, names: readonly string[]): ImgapiError {
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} others` : '';
  const listed = names.slice(0, MOST_NAMED).join(', ');
  return new ImgapiError(
    'UserOwnsImages',
    `"${name}" owns the ${what} ${listed}${more}: name who gets them (reassign)`,
  );
}

async function all<T>(records: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const record of records) found.push(record);
  return found;
}
