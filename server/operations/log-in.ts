import { ImgapiError } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { hashPassword, isOutdated, matchesPassword } from '../model/password.js';
import { type Session, sessions } from '../model/session.js';
import { hashToken } from '../model/token.js';
import { checkAdmitted, type User, users } from '../model/user.js';
import { makeSecret } from './token-secret.js';

export interface Login {
  username: string;
  password: string;
  address: string;
  /** Told who it is before anything is written. */
  onProven(user: User): void;
}

/** Of one user; whoever logs in once more ends the oldest. */
const MOST_SESSIONS = 50;

/** A session for whoever knows the password. It takes as long, and says the same, where there is no such user. */
export async function logIn({ catalog, logins, now, policy }: Deps, { username, password, address, onProven }: Login) {
  await logins.admit(username, address);
  const known = await catalog.find(users, `name:${username}`);
  const isRight = await logins.inTurn(() => matchesPassword(password, known?.password));
  if (!known || !isRight) throw wrong();
  checkAdmitted(known);
  onProven(known);
  await logins.forgive(username, address);
  const fresher = isOutdated(known.password ?? '') ? await logins.inTurn(() => hashPassword(password)) : known.password;
  const secret = makeSecret();
  const at = now();
  const session: Session = {
    hash: hashToken(secret),
    user: known.uuid,
    created: at.toISOString(),
    expires: new Date(at.getTime() + policy.sessionLifetime * 1000).toISOString(),
    address,
  };
  await catalog.write(async (tx) => {
    const user = await tx.get(users, known.uuid);
    if (!user || user.password !== known.password) throw wrong();
    checkAdmitted(user);
    if (fresher !== user.password) await tx.replace(users, { ...user, password: fresher });
    await endOldest(tx, user.uuid, at);
    await tx.insert(sessions, session);
  });
  return { token: secret, expires: session.expires };
}

/** The login that asks; any other credentials stay as they are. */
export async function logOut({ catalog }: Deps, hash: string | undefined): Promise<void> {
  if (hash === undefined || !(await catalog.get(sessions, hash))) return;
  await catalog.write(async (tx) => {
    if (await tx.get(sessions, hash)) await tx.delete(sessions, hash);
  });
}

async function endOldest(tx: Tx, user: string, now: Date): Promise<void> {
  const own: Session[] = [];
  for await (const { record } of tx.range(sessions, 'user', { prefix: user })) own.push(record);
  const oldestFirst = own.sort((a, b) => (a.expires < b.expires ? -1 : 1));
  const tooMany = oldestFirst.slice(0, Math.max(0, own.length - MOST_SESSIONS + 1));
  const over = new Set([...tooMany, ...own.filter(({ expires }) => Date.parse(expires) <= now.getTime())]);
  for (const { hash } of over) await tx.delete(sessions, hash);
}

const wrong = () => new ImgapiError('InvalidInput', 'the user name or the password is wrong');
