import { ImgapiError } from '../../imgapi/errors.js';
import { prolonged, type Session } from './session.js';
import { type Grant, hasExpired, type Token } from './token.js';
import { checkAdmitted, type User } from './user.js';

/** What proves users, by the hash of its secret, and the users. */
export interface Proofs {
  tokens: ReadonlyMap<string, Token>;
  sessions: ReadonlyMap<string, Session>;
  users: ReadonlyMap<string, User>;
}

export type Proven = Grant & { user: User };

/** What a program sends. Whoever holds one that was good is told why it is not any more; to all others it is nobody's. */
export const ofSecret = (known: Proofs, hash: string, now: Date): Proven | undefined =>
  ofToken(known, hash, now) ?? ofLogin(known, hash, now);

function ofToken({ tokens, users }: Proofs, hash: string, now: Date): Proven | undefined {
  const token = tokens.get(hash);
  const user = token && users.get(token.user);
  if (!user || token.revoked) return undefined;
  if (hasExpired(token, now)) throw expired(`the token "${token.name}" has expired on ${token.expires}`);
  checkAdmitted(user);
  return { user, scope: token.scope ?? 'full', expires: token.expires, dc: token.dc, token: hash };
}

function ofLogin(known: Proofs, hash: string, now: Date): Proven | undefined {
  const session = known.sessions.get(hash);
  return session && !session.cookie ? ofSession(known, session, now) : undefined;
}

/** What the cookie of a browser holds. */
export function ofCookie(known: Proofs, hash: string, now: Date): Proven | undefined {
  const session = known.sessions.get(hash);
  return session?.cookie && ofSession(known, session, now);
}

/** Whoever has signed in can do so again at any time, but for a limited token: what a session gives may outlive it. */
function ofSession(known: Proofs, session: Session, now: Date): Proven | undefined {
  const { hash, behind } = session;
  const user = known.users.get(session.user);
  if (!user) return undefined;
  if (hasExpired(session, now)) throw expired(`the login has expired on ${session.expires}: log in again`);
  checkAdmitted(user);
  const own: Proven = { user, scope: 'full', token: hash, ends: prolonged(session, now).expires };
  if (behind === undefined) return own;
  const proof = ofSecret(known, behind, now);
  return proof && { ...proof, token: hash, ends: own.ends };
}

/** What stands for a hash while nobody has taken it away; whether its time is over is another question. */
export function standing(known: Pick<Proofs, 'tokens' | 'sessions'>, hash: string): Pick<Grant, 'expires'> | undefined {
  const token = known.tokens.get(hash);
  if (token) return token.revoked ? undefined : token;
  const session = known.sessions.get(hash);
  return session?.behind === undefined || standing(known, session.behind) ? session : undefined;
}

const expired = (message: string) => new ImgapiError('UnauthorizedError', message);
