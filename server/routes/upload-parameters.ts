import { PassThrough, type Readable } from 'node:stream';
import { invalidParameter } from '../../imgapi/errors.js';
import type { RawQuery } from '../../imgapi/query.js';
import { ClientLeft, type Context } from '../context.js';
import type { Viewer } from '../model/visibility.js';
import type { Expected } from '../operations/upload.js';
import { single } from './address.js';

const KINDS = ['local', 'manta'];

/** The kind of storage is an operator's choice. A kind that is known but not configured is served by what there is. */
export function checkStorage(query: RawQuery, { account }: Viewer): void {
  const storage = single(query, 'storage');
  if (storage === undefined || storage === '') return;
  if (account !== undefined) throw invalidParameter('storage', 'NotAllowed', 'storage is for operators to choose');
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

/** The body as a stream of its own: a refusal may end it, while the request stays open for the answer. */
export async function withBody<R>({ req }: Context, use: (body: Readable) => Promise<R>): Promise<R> {
  const body = new PassThrough();
  // Told to whoever reads the body, who may not have begun when the client hangs up.
  body.on('error', () => {});
  const onClose = () => body.destroy(new ClientLeft('the connection was closed before the body had arrived'));
  if (req.destroyed) onClose();
  req.once('close', onClose);
  req.once('end', () => req.off('close', onClose));
  try {
    return await use(req.pipe(body));
  } finally {
    body.destroy();
  }
}
