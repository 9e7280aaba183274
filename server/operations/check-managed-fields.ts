import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import { type Caller, isOperator } from '../model/caller.js';
import { groups } from '../model/group.js';
import { images } from '../model/image.js';
import { answer } from '../model/permissions.js';
import { isManaged, type ManagedImage, rivals } from '../model/registration.js';
import { isAdmitted, type User, users } from '../model/user.js';
import type { Directory } from './directory.js';
import { imagesNamed } from './find-managed-image.js';

const wrong = (field: string, message: string) => invalidInput([{ field, code: 'Invalid', message }]);

/** Names of images that the caller does not see refuse nothing: that would tell of them. */
const sees = (caller: Caller, image: ManagedImage) => answer(caller, 'show in a data center', { image }) !== 'hidden';

export async function checkName(
  reader: Reader,
  caller: Caller,
  image: Pick<ManagedImage['registration'], 'name' | 'boundTo'>,
): Promise<void> {
  for (const other of await imagesNamed(reader, image.name)) {
    if (!rivals(other.registration, image) || !sees(caller, other)) continue;
    throw new ImgapiError('ObjectAlreadyExists', `an image named ${image.name} exists already`);
  }
}

/** The case of both makes no difference. */
export async function checkVersion(reader: Reader, caller: Caller, image: ManagedImage): Promise<void> {
  const version = `${image.name}@${image.version}`.toLowerCase();
  for await (const { record } of reader.range(images, 'version', { prefix: version })) {
    if (!isManaged(record) || record.uuid === image.uuid) continue;
    if (`${record.name}@${record.version}`.toLowerCase() !== version) continue;
    if (!rivals(record.registration, image.registration) || !sees(caller, record)) continue;
    throw wrong('alias', `alias: image ${record.registration.name} is ${record.name} ${record.version} already`);
  }
}

/** Whoever is to own an image has to be somebody. */
export async function activeUser(reader: Reader, field: string, name: string): Promise<User> {
  const user = await reader.find(users, `name:${name}`);
  if (user && isAdmitted(user)) return user;
  throw wrong(field, `${field}: there is no active user "${name}"`);
}

/** The groups by these names, which those who are no operators can know by their data center only. */
export async function checkGroups(
  reader: Reader,
  caller: Caller,
  { registration: { boundTo } }: ManagedImage,
  names: readonly string[],
): Promise<void> {
  const unknown: string[] = [];
  for (const name of names) {
    const group = await reader.get(groups, name);
    const isThere = boundTo !== undefined && group?.datacenters.includes(boundTo);
    if (!group || !(isThere || isOperator(caller))) unknown.push(name);
  }
  if (unknown.length > 0) throw wrong('groups', `groups: there is no group ${unknown.join(', ')}`);
}

/** Users that an image is shared with, by uuid. Others than those of the data center are not for its administrators. */
export async function accountsOf(
  reader: Reader,
  directory: Directory,
  caller: Caller,
  image: ManagedImage,
  names: readonly string[],
): Promise<string[]> {
  const { boundTo } = image.registration;
  const accounts: string[] = [];
  for (const name of names) {
    const user = await reader.find(users, `name:${name}`);
    if (!isOperator(caller)) {
      const isThere = user && boundTo !== undefined && directory.rightsOf(user).member.has(boundTo);
      if (!isThere) throw new ImgapiError('NotPermitted', `"${name}" is not a user of data center ${boundTo}`);
    }
    if (!user) throw wrong('users', `users: user "${name}" is not known`);
    accounts.push(user.uuid);
  }
  return [...new Set(accounts)];
}
