import type { Tx } from '../../storage/catalog.js';
import { sessions } from '../model/session.js';

/** From the next request on nobody gets in with them; with the one that stays, and what stands behind it, one does. */
export async function endSessions(tx: Tx, user: string, except?: string): Promise<number> {
  const ended: string[] = [];
  const behind = except === undefined ? undefined : (await tx.get(sessions, except))?.behind;
  for await (const { record } of tx.range(sessions, 'user', { prefix: user })) {
    if (record.hash !== except && record.hash !== behind) ended.push(record.hash);
  }
  for (const hash of ended) await tx.delete(sessions, hash);
  return ended.length;
}
