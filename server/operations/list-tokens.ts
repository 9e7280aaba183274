import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { presentToken, type Token, tokens } from '../model/token.js';
import { type User, users } from '../model/user.js';
import { findUser } from './find-user.js';

/** The tokens that the caller may see, or those of one user; by user, then by name. One for a data center knows its like only. */
export async function listTokens({ catalog, now, uses }: Deps, caller: Caller, userName: string | undefined) {
  const owners = await ownersOf(catalog, caller, userName);
  const found: ReturnType<typeof presentToken>[] = [];
  for await (const token of catalog.list(tokens)) {
    const user = owners.get(token.user);
    if (user && !token.revoked && isWithin(caller, token)) found.push(presentToken(uses.of(token), user, now()));
  }
  return found.sort((a, b) => inOrder(a.user, b.user) || inOrder(a.name, b.name));
}

/** One of them, by its name. */
export async function showToken(deps: Deps, caller: Caller, name: string, userName = caller.user?.name) {
  const token = (await listTokens(deps, caller, userName)).find((one) => one.name === name);
  if (!token) throw new ImgapiError('ResourceNotFound', `there is no token "${name}"`);
  return token;
}

/** Whether credentials reach a token: those for one data center reach only others for the same. */
export const isWithin = (caller: Caller, { dc }: Token): boolean =>
  caller.kind !== 'user' || caller.rights.within === undefined || caller.rights.within === dc;

async function ownersOf(reader: Reader, caller: Caller, name: string | undefined): Promise<Map<string, User>> {
  const owners = new Map<string, User>();
  if (name === undefined && isOperator(caller)) {
    for await (const user of reader.list(users)) owners.set(user.uuid, user);
  } else {
    const user = await findUser(reader, caller, name);
    if (!user) throw new ImgapiError('ResourceNotFound', `there is no user "${name}"`);
    owners.set(user.uuid, user);
  }
  return owners;
}

const inOrder = (a: string, b: string) => (a < b ? -1 : Number(a > b));
