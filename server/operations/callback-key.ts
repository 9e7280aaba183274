import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { callbackKeys, purposeOfCallbackKey } from '../model/callback.js';
import type { Caller } from '../model/caller.js';
import type { Grant } from '../model/token.js';
import { checkStands } from './check-stands.js';
import { makeSecret } from './token-secret.js';

/** A new one, which is told once; what is on its way is signed with it from now on. */
export async function makeCallbackKey({ catalog, seals, now }: Deps, caller: Caller, own: Grant): Promise<string> {
  const { user } = caller;
  if (!user) throw new ImgapiError('NotPermitted', 'callbacks are signed for users');
  const key = makeSecret();
  const made = { user: user.uuid, sealed: await seals.seal(key, purposeOfCallbackKey(user.uuid)) };
  const record = { ...made, created: now().toISOString() };
  await catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    if (await tx.get(callbackKeys, user.uuid)) await tx.replace(callbackKeys, record);
    else await tx.insert(callbackKeys, record);
  });
  return key;
}

/** That of a user who never asked for one is known to nobody: so no callback goes unsigned. */
export async function callbackKeyOf(
  { catalog, seals, now }: Pick<Deps, 'catalog' | 'seals' | 'now'>,
  user: string,
): Promise<string> {
  const purpose = purposeOfCallbackKey(user);
  const known = await catalog.get(callbackKeys, user);
  if (known) return seals.open(known.sealed, purpose);
  const record = { user, sealed: await seals.seal(makeSecret(), purpose), created: now().toISOString() };
  const { sealed } = await catalog.write(async (tx) => {
    const other = await tx.get(callbackKeys, user);
    if (!other) await tx.insert(callbackKeys, record);
    return other ?? record;
  });
  return seals.open(sealed, purpose);
}
