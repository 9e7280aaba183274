import type { Deps } from '../deps.js';
import { sessions } from '../model/session.js';
import { openSession } from './open-session.js';
import { type Knocking, type Password, provePassword } from './prove-password.js';

/** A session for a program whose user knows the password. */
export async function logIn(deps: Deps, given: Password, knocking: Knocking) {
  const { address, userAgent } = knocking;
  const proven = await provePassword(deps, given, knocking);
  const { secret, session } = await openSession(deps, { ...proven, holder: 'program', address, userAgent });
  return { token: secret, expires: session.expires };
}

/** The login that asks; any other credentials stay as they are. */
export async function logOut({ catalog }: Deps, hash: string | undefined): Promise<void> {
  if (hash === undefined || !(await catalog.get(sessions, hash))) return;
  await catalog.write(async (tx) => {
    if (await tx.get(sessions, hash)) await tx.delete(sessions, hash);
  });
}
