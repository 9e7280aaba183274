import type { Reader } from '../../storage/catalog.js';
import { hashToken, tokens, type User, users } from '../model/user.js';

const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;

/** The user whose token an Authorization header carries; none for any other scheme. */
export async function userOfToken(reader: Reader, authorization: string): Promise<User | undefined> {
  const secret = BEARER.exec(authorization)?.[1];
  const token = secret === undefined ? undefined : await reader.get(tokens, hashToken(secret));
  return token && reader.get(users, token.user);
}
