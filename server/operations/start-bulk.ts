import { invalidInput } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import type { Started, Task } from '../model/task.js';
import type { Grant } from '../model/token.js';
import { type BulkRow, type BulkWish, bulkImages, bulkNeeds } from './bulk-images.js';
import { callerOf } from './caller-of.js';
import { startTask } from './start-task.js';
import type { Work } from './work.js';

interface BulkParams {
  wish: BulkWish;
  /** The one data center in which the credentials were good. */
  within?: string;
}

/** Each image is asked for in its turn; only what can never be is refused at once. */
export async function startBulk(deps: Deps, caller: Caller, own: Grant, wish: BulkWish): Promise<Started> {
  const needed = bulkNeeds[wish.action];
  if (needed !== undefined && wish[needed] === undefined) {
    const message = `${needed} is missing: action ${wish.action} needs it`;
    throw invalidInput([{ field: needed, code: 'MissingParameter', message }]);
  }
  const params: BulkParams = { wish, ...(own.dc !== undefined && { within: own.dc }) };
  return startTask(deps, caller, { what: 'bulk images', objects: [], params });
}

export function performBulk(deps: Deps, { who, params, result }: Task, work: Work): Promise<BulkRow[]> {
  const { wish, within } = params as BulkParams;
  const soFar = Array.isArray(result) ? (result as BulkRow[]) : [];
  return bulkImages(deps, () => callerOf(deps.directory, who.uuid, within), wish, { soFar, work });
}
