import { randomUUID } from 'node:crypto';
import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Reader, Tx } from '../../storage/catalog.js';
import type { Deps, Policy } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { bindingKey } from '../model/openid-binding.js';
import { hashPassword } from '../model/password.js';
import { checkGives, type Grant, LASTING } from '../model/token.js';
import { isAdmitted, presentUser, type User, users } from '../model/user.js';
import { checkStands } from './check-stands.js';
import { endSessions } from './end-sessions.js';
import { findSubject } from './find-user.js';

export interface UserWish {
  display_name?: string | undefined;
  email?: string | undefined;
  password?: string | undefined;
  active?: boolean | undefined;
  api_access?: boolean | undefined;
  super_admin?: boolean | undefined;
  image_bytes_limit?: number | null | undefined;
  /** Who it is where people sign in; nobody with null, or nothing. */
  openid_subject?: string | null | undefined;
}

export async function createUser(
  { catalog, logins, now, policy }: Deps,
  caller: Caller,
  own: Grant,
  { name, uuid = randomUUID(), ...wish }: UserWish & { name: string; uuid?: string | undefined },
) {
  const password = await newPassword(logins, own, wish);
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    if (await tx.find(users, `name:${name}`)) {
      throw new ImgapiError('ObjectAlreadyExists', `user "${name}" exists already`);
    }
    const holder = await tx.get(users, uuid);
    if (holder) throw invalidInput([{ field: 'uuid', code: 'Invalid', message: `uuid is that of "${holder.name}"` }]);
    const made = changed({ uuid, name, superAdmin: false, created: now().toISOString() }, wish, password);
    const user = await bound(tx, made, wish, policy);
    await tx.insert(users, user);
    return presentUser(user);
  });
}

/** What is not said stays. Users change how they are called and what proves them; all else is for operators. */
export async function updateUser(
  { catalog, logins, policy }: Deps,
  caller: Caller,
  own: Grant,
  name: string,
  wish: UserWish,
) {
  const rights = ['active', 'api_access', 'super_admin', 'image_bytes_limit', 'openid_subject'] as const;
  const asked = rights.filter((field) => wish[field] !== undefined);
  if (asked.length > 0 && !isOperator(caller)) {
    throw new ImgapiError('NotPermitted', `${asked.join(', ')} can only be changed by SuperAdmins`);
  }
  await findSubject(catalog, caller, name);
  const password = await newPassword(logins, own, wish);
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const before = await findSubject(tx, caller, name);
    const after = await bound(tx, changed(before, wish, password), wish, policy);
    if (!isAdministrator(after)) await checkNotLast(tx, before);
    await tx.replace(users, after);
    if (password !== undefined || after.openid !== before.openid) await endSessions(tx, after.uuid, own.token);
    return presentUser(after);
  });
}

/** Whatever proves a user outlives the token that brings it, and can do more than one that is limited. */
async function newPassword(
  logins: Deps['logins'],
  own: Grant,
  { password, super_admin, openid_subject }: UserWish,
): Promise<string | undefined> {
  if (password !== undefined || super_admin || openid_subject) checkGives(own, LASTING);
  return password === undefined ? undefined : logins.inTurn(() => hashPassword(password));
}

function changed(before: User, wish: UserWish, password: string | undefined): User {
  const { inactive, withoutApi, imageBytesLimit = null, ...user } = before;
  const { image_bytes_limit: limit = imageBytesLimit } = wish;
  const { display_name, email, active = !inactive, api_access = !withoutApi, super_admin = user.superAdmin } = wish;
  return {
    ...user,
    superAdmin: super_admin,
    ...(display_name !== undefined && { displayName: display_name }),
    ...(email !== undefined && { email }),
    ...(password !== undefined && { password }),
    ...(limit !== null && { imageBytesLimit: limit }),
    ...(!active && { inactive: true }),
    ...(!api_access && { withoutApi: true }),
  };
}

/** Whom the issuer calls so is this user from now on, whatever rights the user has: a SuperAdmin says it. */
async function bound(
  tx: Tx,
  user: User,
  { openid_subject: subject }: UserWish,
  { openid: rules }: Pick<Policy, 'openid'>,
): Promise<User> {
  if (subject === undefined) return user;
  const { openid: before, ...others } = user;
  if (!subject) return others;
  const refused = (message: string) => invalidInput([{ field: 'openid_subject', code: 'Invalid', message }]);
  if (!rules) throw refused('openid_subject is of no use: no openidIssuer is configured');
  const openid = { issuer: rules.issuer, subject };
  if (before && bindingKey(before) === bindingKey(openid)) return user;
  const holder = await tx.find(users, bindingKey(openid));
  if (holder) throw refused(`openid_subject is that of "${holder.name}"`);
  return { ...others, openid };
}

const isAdministrator = (user: User) => user.superAdmin && isAdmitted(user);

/** Somebody has to be left who can undo what was done. */
export async function checkNotLast(reader: Reader | Tx, user: User): Promise<void> {
  if (!isAdministrator(user)) return;
  for await (const other of reader.list(users)) if (other.uuid !== user.uuid && isAdministrator(other)) return;
  throw new ImgapiError('LastSuperAdmin', `"${user.name}" is the last active SuperAdmin: make another one first`);
}
