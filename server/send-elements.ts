import type { Context } from './context.js';
import { write, writeLast } from './socket-writing.js';

const OPEN = Buffer.from('[\n  ');
const NEXT = Buffer.from(',\n  ');
const CLOSE = Buffer.from('\n]');

/** What one write takes: large enough to be cheap, small enough that a thousand readers who don't read hold little. */
const PIECE = 128 * 1024;

/**
 * A JSON array of elements that were rendered before. The elements are shared by all who are sent them; only a piece at
 * a time is copied, and the next when that has left.
 */
export async function sendElements(ctx: Context, elements: readonly Buffer[]): Promise<void> {
  const parts = elements.length === 0 ? [Buffer.from('[]')] : [...between(elements), CLOSE];
  ctx.status = 200;
  ctx.set('Content-Type', 'application/json');
  ctx.set('Content-Length', String(parts.reduce((sum, part) => sum + part.length, 0)));
  ctx.respond = false;
  if (ctx.method === 'HEAD') {
    ctx.res.end();
    return;
  }
  let piece: Buffer[] = [];
  let size = 0;
  for (const part of parts) {
    if (size + part.length > PIECE && size > 0) {
      await write(ctx.res, Buffer.concat(piece));
      piece = [];
      size = 0;
    }
    piece.push(part);
    size += part.length;
  }
  await writeLast(ctx.res, Buffer.concat(piece));
}

function* between(elements: readonly Buffer[]): Generator<Buffer> {
  for (const [index, element] of elements.entries()) {
    yield index === 0 ? OPEN : NEXT;
    yield element;
  }
}
