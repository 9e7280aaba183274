import type { Reader } from '../../storage/catalog.js';
import { hashToken, tokens, users } from '../model/user.js';
import type { Credentials } from './credentials.js';

const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;

/** The user whose token an Authorization header carries; none for any other scheme. */
export async function ofToken(reader: Reader, authorization: string): Promise<Credentials | undefined> {
  const secret = BEARER.exec(authorization)?.[1];
  const token = secret === undefined ? undefined : await reader.get(tokens, hashToken(secret));
  const user = token && (await reader.get(users, token.user));
  return user && { user, scope: token.scope ?? 'full' };
}
