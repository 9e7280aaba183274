import { ImgapiError } from '../../imgapi/errors.js';
import type { Stored } from '../../imgapi/image.js';
import { single } from '../../imgapi/query.js';
import type { Context } from '../context.js';
import type { Deps } from '../deps.js';
import { findContent } from '../operations/find-content.js';
import { answeredByConditions, quoted } from './reply.js';

/** For so long the address holds: somebody follows it at once. */
const SECONDS = 60;

const answers: Readonly<Record<string, boolean>> = { 1: true, true: true, 0: false, false: false, '': false };

/** Whether whoever asks would rather be sent to the store that has the bytes: nobody is who did not say so. */
export function asksForRedirect({ query, method }: Context): boolean {
  const given = single(query, 'redirect');
  const asks = given === undefined ? false : answers[given];
  if (asks === undefined) throw new ImgapiError('InvalidParameter', `redirect is neither 1 nor 0: "${given}"`);
  return asks && method === 'GET';
}

/** To an address of the store at which the file can be read for a moment. False where the store has none. */
export async function redirectedToStore(
  ctx: Context,
  deps: Pick<Deps, 'catalog' | 'blobs'>,
  stored: Stored,
  filename: string,
): Promise<boolean> {
  if (!deps.blobs.presign) return false;
  const etag = stored.sha1;
  ctx.set({ Etag: quoted(etag), 'Cache-Control': 'no-store' });
  if (answeredByConditions(ctx, { etag, modified: new Date(stored.mtime) })) return true;
  const { key } = await findContent(deps, stored);
  ctx.status = 302;
  ctx.set('Location', await deps.blobs.presign(key, { filename, seconds: SECONDS }));
  ctx.set('Content-Length', '0');
  ctx.res.setHeader('Content-Type', 'application/octet-stream');
  ctx.body = '';
  return true;
}
