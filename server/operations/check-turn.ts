import { ImgapiError } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import type { Members } from '../../storage/members.js';
import { isInHandsOf, type Partial, partials } from '../../storage/partials.js';
import { holderOf, type Upload } from '../model/upload.js';

/** Inside a write that changes an upload: nobody else has gone on with it. Absent where its bytes are nobody's any more. */
export async function checkTurn(tx: Tx, members: Members, upload: Pick<Upload, 'id'>): Promise<Partial | undefined> {
  const partial = await tx.get(partials, holderOf(upload));
  if (partial && !isInHandsOf(members, partial)) throw new OutOfHands(upload);
  return partial;
}

/** Another daemon goes on with it. */
export class OutOfHands extends ImgapiError {
  constructor({ id }: Pick<Upload, 'id'>) {
    super('Busy', `upload ${id} is gone on with by another daemon`);
  }
}
