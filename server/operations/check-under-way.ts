import { ImgapiError } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import { type Caller, isOperator } from '../model/caller.js';
import { tasks } from '../model/task.js';

/** So many tasks may run, or wait, for a user. */
const MOST = 100;

/** Whoever is no operator does not fill the queue for all. */
export async function checkUnderWay(tx: Tx, caller: Caller): Promise<void> {
  if (caller.kind !== 'user' || isOperator(caller)) return;
  const { uuid, name } = caller.user;
  let count = 0;
  for (const status of ['PENDING', 'STARTED']) {
    for await (const { record } of tx.range(tasks, 'status', { prefix: `${status}/` })) {
      if (record.who.uuid === uuid) count += 1;
    }
  }
  if (count < MOST) return;
  throw new ImgapiError('QuotaExceeded', `${name} has ${count} tasks under way: wait for one of them, or cancel it`);
}
