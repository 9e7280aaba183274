import { createHash } from 'node:crypto';

/** By what users prove themselves when they sign in. */
export const ways = ['password', 'token', 'openid'] as const;
export type Way = (typeof ways)[number];

/** What signing in gives: good for a while, and, where a password was the proof, for nothing less than its user. */
export interface Session {
  /** Of its secret, as of tokens. */
  hash: string;
  user: string;
  created: string;
  expires: string;
  /** Where the login came from. */
  address: string;
  lastUsed?: string;
  /** A password where nothing is said: in records from before there was anything else. */
  made?: Way;
  userAgent?: string;
  /** The hash of the token, or login, that was the proof: without it the session is none, and it is good for no more. */
  behind?: string;
  /** Its secret is in the cookie of a browser, and counts nowhere else. Use prolongs it by `window`, in seconds. */
  cookie?: { window: number; until: string };
}

export const sessions = {
  name: 'sessions',
  id: ({ hash }: Session) => hash,
  index: ({ user, expires }: Session) => [`user:${user}`, `expires:${expires}`],
};

/** So many times as long as without use it lasts at most. */
const MOST_PROLONGED = 14;

/** When a session in a cookie ends by itself: without use, and at last. Nothing is good for longer than what proves it. */
export function lifeOf(made: Date, window: number, end?: string): Required<Pick<Session, 'cookie' | 'expires'>> {
  const last = end === undefined ? Number.POSITIVE_INFINITY : Date.parse(end);
  const until = Math.min(made.getTime() + MOST_PROLONGED * window * 1000, last);
  const expires = Math.min(made.getTime() + window * 1000, until);
  return { expires: new Date(expires).toISOString(), cookie: { window, until: new Date(until).toISOString() } };
}

/** A session that was used then. It is never good for less long than it was. */
export function prolonged(session: Session, used: Date): Session {
  const { cookie, expires } = session;
  if (!cookie) return session;
  const end = Math.min(used.getTime() + cookie.window * 1000, Date.parse(cookie.until));
  return end > Date.parse(expires) ? { ...session, expires: new Date(end).toISOString() } : session;
}

const LONGEST_AGENT = 200;

/** What a program says that it is, as far as it can be shown. */
export const printable = (userAgent: string) => userAgent.replace(/[^\x20-\x7e]/g, '').slice(0, LONGEST_AGENT);

/** What a session is called: nobody gets from there to its secret, nor to the hash of it. */
export const sessionId = ({ hash }: Pick<Session, 'hash'>) =>
  createHash('sha256').update(`session ${hash}`).digest('hex').slice(0, 24);

/** A session as its user sees it; `current` is the one that asks. */
export const presentSession = (
  { created, expires, address, lastUsed, hash, made = 'password', userAgent = '' }: Session,
  current: string | undefined,
) => ({
  id: sessionId({ hash }),
  made,
  created,
  expires,
  address,
  user_agent: userAgent,
  last_used: lastUsed ?? null,
  current: hash === current,
});
