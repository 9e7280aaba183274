import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import { type Caller, isOperator } from '../model/caller.js';
import { sessions } from '../model/session.js';
import { type Grant, tokens } from '../model/token.js';
import { isAdmitted, users } from '../model/user.js';

/** A body can take as long as its sender likes: whoever has lost a right meanwhile changes nothing by it. */
export async function checkStands(reader: Reader, caller: Caller, { token: hash }: Grant): Promise<void> {
  if (hash !== undefined && !(await stillProves(reader, hash))) {
    throw new ImgapiError('UnauthorizedError', 'the token that asks has been revoked');
  }
  const { user: asking } = caller;
  if (!asking && isOperator(caller)) return;
  const user = asking && (await reader.get(users, asking.uuid));
  if (!user || !isAdmitted(user) || (asking.superAdmin && !user.superAdmin)) {
    throw new ImgapiError('NotPermitted', 'the user that asks has lost the right to');
  }
}

/** Has nobody taken it away? */
export async function stillProves(reader: Reader, hash: string): Promise<boolean> {
  const token = await reader.get(tokens, hash);
  if (token) return !token.revoked;
  const session = await reader.get(sessions, hash);
  return session !== undefined && (session.behind === undefined || stillProves(reader, session.behind));
}
