import type { Reader } from '../../storage/catalog.js';
import { type Caller, isOperator } from '../model/caller.js';
import { type User, users } from '../model/user.js';

/** The user of that name, or else the caller. To whoever is no operator there are no others. */
export async function findUser(reader: Reader, caller: Caller, name = caller.user?.name): Promise<User | undefined> {
  if (name === undefined || (name !== caller.user?.name && !isOperator(caller))) return undefined;
  return reader.find(users, `name:${name}`);
}
