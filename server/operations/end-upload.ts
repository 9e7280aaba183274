import { isKnown } from '../../storage/holdings.js';
import { settle } from '../../storage/receive.js';
import type { Deps } from '../deps.js';
import { holderOf, type Upload, uploads } from '../model/upload.js';
import { checkTurn } from './check-turn.js';

/** Nothing of it is left: no record, no bytes, no room. What an image has of it stays. */
export async function endUpload(deps: Pick<Deps, 'catalog' | 'blobs' | 'uploads'>, { id, key }: Upload): Promise<void> {
  const { catalog, blobs } = deps;
  const mayGo = await catalog.write(async (tx) => {
    await checkTurn(tx, catalog.members, { id });
    const found = await tx.get(uploads, id);
    if (found) await tx.delete(uploads, id);
    await settle(tx, holderOf({ id }));
    return !found?.attached && !(await isKnown(tx, key));
  });
  deps.uploads.remove({ id });
  if (mayGo) await blobs.delete(key);
}
