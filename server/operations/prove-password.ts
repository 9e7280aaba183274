import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { hashPassword, isOutdated, matchesPassword } from '../model/password.js';
import { checkAdmitted, type User, users } from '../model/user.js';
import type { Opening } from './open-session.js';

/** Who wants to be let in, and from where. */
export interface Knocking {
  address: string;
  userAgent: string;
  /** Told who it is before anything is written. */
  onProven(user: User): void;
}

export interface Password {
  username: string;
  password: string;
}

/** Whose password it is. It takes as long, and says the same, where there is no such user. */
export async function provePassword(
  { catalog, logins }: Deps,
  { username, password }: Password,
  { address, onProven }: Knocking,
): Promise<Pick<Opening, 'user' | 'made'> & Required<Pick<Opening, 'check'>>> {
  await logins.admit(username, address);
  const known = await catalog.find(users, `name:${username}`);
  const isRight = await logins.inTurn(() => matchesPassword(password, known?.password));
  if (!known || !isRight) throw wrong();
  checkAdmitted(known);
  onProven(known);
  await logins.forgive(username, address);
  const fresher = isOutdated(known.password ?? '') ? await logins.inTurn(() => hashPassword(password)) : known.password;
  return {
    user: known,
    made: 'password',
    check: async (tx, user) => {
      if (user.password !== known.password) throw wrong();
      if (fresher !== user.password) await tx.replace(users, { ...user, password: fresher });
    },
  };
}

const wrong = () => new ImgapiError('InvalidInput', 'the user name or the password is wrong');
