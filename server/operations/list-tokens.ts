import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { presentToken, type Token, tokens } from '../model/token.js';
import { type User, users } from '../model/user.js';
import { isWithin } from './find-token.js';
import { findUser } from './find-user.js';

/** The tokens that the caller may see, or those of one user; by user, then by name. One for a data center knows its like only. */
export async function listTokens(
  { catalog, now, uses, recordTag }: Deps,
  caller: Caller,
  userName: string | undefined,
) {
  const owners = await ownersOf(catalog, caller, userName);
  const found: (ReturnType<typeof presentToken> & { etag: string })[] = [];
  for await (const token of catalog.list(tokens)) {
    const user = owners.get(token.user);
    if (!user || token.revoked || !isWithin(caller, token)) continue;
    found.push({ ...presentToken(uses.of(token), user, now()), etag: recordTag(token) });
  }
  return found.sort((a, b) => inOrder(a.user, b.user) || inOrder(a.name, b.name));
}

/** One of them. */
export async function showToken({ catalog, now, uses }: Deps, token: Token) {
  const owner = await catalog.get(users, token.user);
  if (!owner) throw new ImgapiError('ResourceNotFound', `there is no token "${token.name}"`);
  return presentToken(uses.of(token), owner, now());
}

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
