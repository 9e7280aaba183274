import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type CallbackWish, callbacks } from '../model/callback.js';
import type { Caller } from '../model/caller.js';

/** In the write that makes the task: whatever becomes of it then, its end is told. */
export async function keepCallback(tx: Tx, wish: CallbackWish, caller: Caller, task: string, now: Date, atOnce?: true) {
  if (caller.kind !== 'user') return;
  const { within } = caller.rights;
  await tx.insert(callbacks, {
    ...wish,
    task,
    user: caller.user.uuid,
    ...(within !== undefined && { within }),
    ...(atOnce && { atOnce }),
    created: now.toISOString(),
    state: 'waiting',
    attempts: [],
  });
}

/** Of what was done when it was answered. */
export async function callBack({ catalog, now }: Deps, wish: CallbackWish, caller: Caller, id: string): Promise<void> {
  await catalog.write((tx) => keepCallback(tx, wish, caller, id, now(), true));
}
