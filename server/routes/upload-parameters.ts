import { invalidParameter } from '../../imgapi/errors.js';
import { type RawQuery, single } from '../../imgapi/query.js';
import type { Context } from '../context.js';
import { isOperatorIn } from '../model/caller.js';
import type { Viewer } from '../model/visibility.js';
import type { Expected } from '../operations/upload.js';

const KINDS = ['local', 'manta'];

/** The kind of storage is an operator's choice. A kind that is known but not configured is served by what there is. */
export function checkStorage(query: RawQuery, { mode, caller, account }: Viewer): void {
  const storage = single(query, 'storage');
  if (storage === undefined || storage === '') return;
  if (!isOperatorIn(mode, caller, account))
    throw invalidParameter('storage', 'NotAllowed', 'storage is for operators to choose');
  if (!KINDS.includes(storage)) {
    throw invalidParameter('storage', 'Invalid', `storage "${storage}" is not one of ${KINDS.join(', ')}`);
  }
}

/** What the client says of the bytes that it is about to send. */
export function expectedOf(ctx: Context): Expected {
  // Not ctx.request.length, which is cut to 32 bits.
  const length = ctx.get('content-length');
  return { size: length === '' ? undefined : Number(length), sha1: single(ctx.query, 'sha1') || undefined };
}
