import type { Context } from './context.js';
import { write, writeLast } from './socket-writing.js';

const OPEN = Buffer.from('[');
const COMMA = 1;
const CLOSE = Buffer.from('\n]');
const EMPTY = Buffer.from('[]');

/** What one write takes: large enough to be cheap, small enough that a thousand readers who don't read hold little. */
const PIECE = 128 * 1024;

/**
 * A JSON array of elements that were rendered before, each with the comma in front of it. The elements are shared by all
 * who are sent them; only a piece at a time is copied, and the next to where it was when that has left.
 */
export async function sendElements(ctx: Context, elements: readonly Buffer[]): Promise<void> {
  const parts = partsOf(elements);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  ctx.status = 200;
  ctx.set('Content-Type', 'application/json');
  ctx.set('Content-Length', String(length));
  ctx.respond = false;
  if (ctx.method === 'HEAD') {
    ctx.res.end();
    return;
  }
  const piece = Buffer.allocUnsafe(Math.min(length, PIECE));
  let size = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      if (size === piece.length) {
        await write(ctx.res, piece);
        size = 0;
      }
      const copied = part.copy(piece, size, at);
      size += copied;
      at += copied;
    }
  }
  await writeLast(ctx.res, piece.subarray(0, size));
}

function partsOf([first, ...rest]: readonly Buffer[]): Buffer[] {
  return first ? [OPEN, first.subarray(COMMA), ...rest, CLOSE] : [EMPTY];
}
