import type { Context } from '../context.js';
import { write, writeLast } from '../socket-writing.js';

/** Chunks that are lent, as they come, of which so many bytes were promised; what fails then breaks the connection. */
export async function sendLent(ctx: Context, chunks: AsyncIterable<Uint8Array>, size: number): Promise<void> {
  ctx.set('Content-Length', String(size));
  ctx.respond = false;
  ctx.res.strictContentLength = true;
  if (ctx.method === 'HEAD') {
    ctx.res.end();
    return;
  }
  let left = size;
  for await (const chunk of chunks) {
    left -= chunk.length;
    if (left > 0) await write(ctx.res, chunk);
    else await writeLast(ctx.res, chunk);
  }
  if (left > 0) ctx.res.end();
}
