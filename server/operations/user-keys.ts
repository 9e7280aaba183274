import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { checkGives, type Grant, LASTING } from '../model/token.js';
import { MOST_KEYS, presentKey, type UserKey, users } from '../model/user.js';
import { checkStands } from './check-stands.js';
import { findSubject } from './find-user.js';

export async function listUserKeys({ catalog }: Deps, caller: Caller, name: string) {
  const { keys = [] } = await findSubject(catalog, caller, name);
  return keys.map(presentKey);
}

interface Address {
  name: string;
  title: string;
}

/** Whoever has the key can do all that its user can, for as long as it is here. */
export async function addUserKey(
  { catalog, keyring, now }: Deps,
  caller: Caller,
  own: Grant,
  { name, title, key }: Address & { key: string },
) {
  checkGives(own, LASTING);
  await findSubject(catalog, caller, name);
  const { fingerprint, problem } = keyring.look(key);
  if (fingerprint === undefined) throw invalidInput([{ field: 'key', code: 'Invalid', message: `key: ${problem}` }]);
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const user = await findSubject(tx, caller, name);
    const { keys = [] } = user;
    const same = keys.find((other) => other.title === title || other.fingerprint === fingerprint);
    if (same)
      throw new ImgapiError('ObjectAlreadyExists', `"${name}" has the key already, or the title: "${same.title}"`);
    if (keys.length >= MOST_KEYS) {
      throw invalidInput([{ field: 'key', code: 'Invalid', message: `key: a user has ${MOST_KEYS} at most` }]);
    }
    const added: UserKey = { title, key: key.trim(), fingerprint, added: now().toISOString() };
    await tx.replace(users, { ...user, keys: [...keys, added] });
    return presentKey(added);
  });
}

export async function deleteUserKey({ catalog }: Deps, caller: Caller, own: Grant, { name, title }: Address) {
  await catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const user = await findSubject(tx, caller, name);
    const rest = user.keys?.filter((key) => key.title !== title) ?? [];
    if (rest.length === (user.keys?.length ?? 0)) {
      throw new ImgapiError('ResourceNotFound', `"${name}" has no key "${title}"`);
    }
    await tx.replace(users, { ...user, keys: rest });
  });
}
