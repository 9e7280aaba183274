import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import { type Caller, isOperator } from '../model/caller.js';
import { type User, users } from '../model/user.js';

/** The user of that name, or else the caller. To whoever is no operator there are no others. */
export async function findUser(reader: Reader, caller: Caller, name = caller.user?.name): Promise<User | undefined> {
  if (name === undefined || (name !== caller.user?.name && !isOperator(caller))) return undefined;
  return reader.find(users, `name:${name}`);
}

/** The user that a path names. Others than the caller are for operators, whether they exist or not. */
export async function findSubject(reader: Reader, caller: Caller, name: string): Promise<User> {
  if (name !== caller.user?.name && !isOperator(caller)) {
    throw new ImgapiError('NotPermitted', 'other users are managed by SuperAdmins');
  }
  const user = await reader.find(users, `name:${name}`);
  if (!user) throw new ImgapiError('ResourceNotFound', `there is no user "${name}"`);
  return user;
}

/** The user that a field of a body names, to whom something is to belong. */
export async function userIn(reader: Reader, field: string, name: string): Promise<User> {
  const user = await reader.find(users, `name:${name}`);
  if (user && !user.inactive) return user;
  const what = user ? 'is not active' : 'is not known';
  throw invalidInput([{ field, code: 'Invalid', message: `${field}: user "${name}" ${what}` }]);
}
