import { ImgapiError } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { lifeOf, printable, type Session, sessions, type Way } from '../model/session.js';
import { type Grant, hasExpired, hashToken } from '../model/token.js';
import { checkAdmitted, type User, users } from '../model/user.js';
import { stillProves } from './check-stands.js';
import { makeSecret } from './token-secret.js';

/** Who is signed in, how, and where. */
export interface Opening {
  user: Pick<User, 'uuid'>;
  made: Way;
  /** A browser keeps the secret in a cookie, and its session is prolonged while it is used; a program sends it. */
  holder: 'browser' | 'program';
  address: string;
  userAgent: string;
  /** The token that was the proof. */
  behind?: Pick<Grant, 'token' | 'expires' | 'ends'>;
  /** The hash of a session in whose place this one comes. */
  instead?: string | undefined;
  /** What has to hold still in the write that opens the session; throws where it does not. */
  check?(tx: Tx, user: User): Promise<void>;
}

/** With the secret that is known to nobody else from here on. */
export interface Opened {
  secret: string;
  session: Session;
}

/** Of one user; whoever signs in once more ends the oldest. */
const MOST_SESSIONS = 50;

/** A session for whom the caller of this has proven. */
export async function openSession({ catalog, now, policy }: Deps, opening: Opening): Promise<Opened> {
  const { made, holder, address, userAgent, behind, instead, check } = opening;
  const secret = makeSecret();
  const at = now();
  const { expires, cookie } = lifeOf(at, policy.sessionLifetime, behind?.ends ?? behind?.expires);
  const session: Session = {
    hash: hashToken(secret),
    user: opening.user.uuid,
    created: at.toISOString(),
    expires,
    address,
    made,
    userAgent: printable(userAgent),
    ...(behind?.token !== undefined && { behind: behind.token }),
    ...(holder === 'browser' && { cookie }),
  };
  await catalog.write(async (tx) => {
    const user = await tx.get(users, session.user);
    if (!user) throw new ImgapiError('UnauthorizedError', 'the user who signs in is not there any more');
    checkAdmitted(user);
    if (session.behind !== undefined && !(await stillProves(tx, session.behind))) {
      throw new ImgapiError('UnauthorizedError', 'the token has been revoked');
    }
    await check?.(tx, user);
    if (instead !== undefined && (await tx.get(sessions, instead))?.cookie) await tx.delete(sessions, instead);
    await endOldest(tx, user.uuid, at);
    await tx.insert(sessions, session);
  });
  return { secret, session };
}

async function endOldest(tx: Tx, user: string, now: Date): Promise<void> {
  const own: Session[] = [];
  for await (const { record } of tx.range(sessions, 'user', { prefix: user })) own.push(record);
  const over = new Set<Session>();
  for (const session of own) {
    if (hasExpired(session, now) || !(await stillProves(tx, session.hash))) over.add(session);
  }
  const left = own.filter((session) => !over.has(session)).sort((a, b) => (a.expires < b.expires ? -1 : 1));
  const tooMany = left.slice(0, Math.max(0, left.length - MOST_SESSIONS + 1));
  for (const { hash } of [...over, ...tooMany]) await tx.delete(sessions, hash);
}
