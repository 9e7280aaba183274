import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { ofCookie, ofSecret, type Proven } from '../model/proof.js';
import { permitsNeed } from '../model/scope.js';
import { sessions } from '../model/session.js';
import { hashToken } from '../model/token.js';
import type { User } from '../model/user.js';
import { currentCaller } from './current-caller.js';
import { type Opened, type Opening, openSession } from './open-session.js';
import { type Knocking, type Password, provePassword } from './prove-password.js';

/** What people give who sign in. */
export type Given = Password | { token: string };

export interface SignedIn extends Opened {
  caller: Extract<Caller, { kind: 'user' }>;
  /** What the session is good for. */
  own: Proven;
}

/** A session for a browser. `before` is the secret that it had in its cookie, which nobody has any more then. */
export async function signIn(
  deps: Deps,
  given: Given,
  { before, ...knocking }: Knocking & { before: string | undefined },
): Promise<SignedIn> {
  const { address, userAgent } = knocking;
  const proven =
    'token' in given ? await proveToken(deps, given.token, knocking) : await provePassword(deps, given, knocking);
  const instead = before === undefined ? undefined : hashToken(before);
  const opened = await openSession(deps, { ...proven, holder: 'browser', address, userAgent, instead });
  const own = ofCookie(deps.directory, opened.session.hash, deps.now());
  const caller = own && currentCaller(deps, own.user, own);
  if (caller?.kind !== 'user' || !own) throw new ImgapiError('UnauthorizedError', 'the session was ended at once');
  return { ...opened, caller, own };
}

/** Whose token it is, or login. Guesses are counted by the address alone: there is no name to guess for. */
async function proveToken(
  { directory, logins, now, uses }: Deps,
  token: string,
  { address, onProven }: Knocking,
): Promise<Pick<Opening, 'user' | 'made'> & { behind: Proven }> {
  await logins.admit(undefined, address);
  const hash = hashToken(token);
  const behind = ofSecret(directory, hash, now());
  if (!behind) throw unfit(directory.nodeTokens.has(hash));
  onProven(behind.user);
  await logins.forgive(undefined, address);
  if (!permitsNeed(behind.scope, 'read')) {
    throw new ImgapiError(
      'NotPermitted',
      `a token of scope ${behind.scope} shows nothing here: sign in with another one`,
    );
  }
  uses.note(hash);
  return { user: behind.user, made: 'token', behind };
}

const unfit = (isOfNode: boolean) =>
  isOfNode
    ? new ImgapiError('NotPermitted', 'a token of a node is good for images only: sign in with one of a user')
    : new ImgapiError('UnauthorizedError', 'the token is not valid: make another one, or sign in with a password');

/** Whose session this was; nobody's where it has ended before. */
export async function signOut({ catalog, directory }: Deps, secret: string, onProven: (user: User) => void) {
  const hash = hashToken(secret);
  const session = directory.sessions.get(hash);
  if (!session?.cookie) return undefined;
  const user = directory.users.get(session.user);
  if (user) onProven(user);
  await catalog.write(async (tx) => {
    if (await tx.get(sessions, hash)) await tx.delete(sessions, hash);
  });
  return session;
}
