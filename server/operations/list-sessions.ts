import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { standing } from '../model/proof.js';
import { presentSession, type Session, sessionId, sessions } from '../model/session.js';
import { type Grant, hasExpired } from '../model/token.js';
import { checkStands } from './check-stands.js';
import { endSessions } from './end-sessions.js';
import { findSubject } from './find-user.js';

export async function listSessions({ catalog, directory, now, uses }: Deps, caller: Caller, own: Grant, name: string) {
  const { uuid } = await findSubject(catalog, caller, name);
  const found: Session[] = [];
  for await (const { record } of catalog.range(sessions, 'user', { prefix: uuid })) {
    if (!hasExpired(record, now()) && standing(directory, record.hash)) found.push(uses.of(record));
  }
  return found.map((session) => presentSession(session, own.token));
}

export async function revokeSessions({ catalog }: Deps, caller: Caller, own: Grant, name: string) {
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const { uuid } = await findSubject(tx, caller, name);
    return { ended: await endSessions(tx, uuid) };
  });
}

/** One of them: what else proves the user stays good. */
export async function revokeSession({ catalog }: Deps, caller: Caller, own: Grant, name: string, id: string) {
  return catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const { uuid } = await findSubject(tx, caller, name);
    for await (const { record } of tx.range(sessions, 'user', { prefix: uuid })) {
      if (sessionId(record) === id) return tx.delete(sessions, record.hash);
    }
    throw new ImgapiError('ResourceNotFound', `"${name}" has no session "${id}"`);
  });
}
