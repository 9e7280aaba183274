import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { type Callback, callbacks } from '../model/callback.js';
import type { Caller } from '../model/caller.js';
import { findDone } from './find-task.js';

/** How whoever wanted to be told of a task was told of it. */
export async function findCallback(deps: Pick<Deps, 'catalog'>, caller: Caller, id: string): Promise<Callback> {
  await findDone(deps, caller, id);
  const callback = await deps.catalog.get(callbacks, id);
  if (!callback) throw new ImgapiError('ResourceNotFound', `task "${id}" has no callback`);
  return callback;
}
