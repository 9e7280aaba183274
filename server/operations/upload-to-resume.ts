import type { Catalog } from '../../storage/catalog.js';
import { type Upload, uploads } from '../model/upload.js';
import { checkTurn } from './check-turn.js';

/**
 * An upload whose bytes are about to be taken up again; undefined where it has ended. Bytes that an image has are lost by
 * that, and where there are several daemons a read may not know of it yet: another has gone on with the upload, or nobody
 * has answered the write that attached it. A write knows.
 */
export async function uploadToResume(catalog: Catalog, id: string): Promise<Upload | undefined> {
  const { members } = catalog;
  const upload = await (members.only
    ? catalog.get(uploads, id)
    : catalog.write(async (tx) => {
        await checkTurn(tx, members, { id });
        return tx.get(uploads, id);
      }));
  return upload?.attached ? undefined : upload;
}
