import { PassThrough } from 'node:stream';
import { ClientLeft, type Context } from '../../context.js';
import type { SentPart } from '../../operations/continue-upload.js';
import { checksumOf, lengthOfBody } from './tus.js';

/**
 * The body of a request as a part of an upload. It ends where the connection does, as if it had been meant to: whatever
 * has come is worth keeping.
 */
export async function withPart<R>(ctx: Context, offset: number, use: (part: SentPart) => Promise<R>): Promise<R> {
  const { req } = ctx;
  const body = new PassThrough();
  body.on('error', () => {});
  let cut = false;
  const end = () => {
    if (body.writableEnded || body.destroyed) return;
    cut = true;
    req.unpipe(body);
    body.end();
  };
  if (req.destroyed) end();
  else req.pipe(body);
  req.once('close', end);
  const part = { offset, size: lengthOfBody(ctx), checksum: checksumOf(ctx), body, end, isCut: () => cut };
  try {
    const result = await use(part);
    if (cut && req.destroyed) throw new ClientLeft('the connection was closed in the middle of a part');
    return result;
  } finally {
    req.off('close', end);
    req.unpipe(body);
    body.destroy();
  }
}
