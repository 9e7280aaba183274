import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import { hasExpired, hashToken, tokens } from '../model/token.js';
import { users } from '../model/user.js';
import type { Credentials } from './credentials.js';

const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;

/**
 * The user whose token an Authorization header carries; none for any other scheme, and for a token that nobody has.
 * Whoever holds one that was good is told why it is not any more.
 */
export async function ofToken(reader: Reader, authorization: string, now: Date): Promise<Credentials | undefined> {
  const secret = BEARER.exec(authorization)?.[1];
  const token = secret === undefined ? undefined : await reader.get(tokens, hashToken(secret));
  const user = token && (await reader.get(users, token.user));
  if (!user || user.inactive || token.revoked) return undefined;
  if (hasExpired(token, now)) {
    throw new ImgapiError('UnauthorizedError', `the token "${token.name}" has expired on ${token.expires}`);
  }
  return { user, scope: token.scope ?? 'full', expires: token.expires, token: token.hash };
}
