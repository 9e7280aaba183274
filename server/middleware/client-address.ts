import type { IncomingMessage } from 'node:http';
import type { Middleware } from '../context.js';

/** Where it comes from can not be told. */
const UNKNOWN = 'unknown';

/**
 * Where a request comes from: the rightmost of the addresses it has passed that is not one of our proxies. What stands
 * left of that one was written by whoever asked. A proxy that we do not know of must not lend its own address: what
 * stands for it then is told apart from others, but no network holds it.
 */
function addressOf(req: IncomingMessage, isProxy: (address: string) => boolean): string {
  const forwarded = [req.headers['x-forwarded-for'] ?? []].flat().flatMap((header) => header.split(','));
  const peer = req.socket.remoteAddress ?? UNKNOWN;
  if (!isProxy(peer)) return forwarded.length === 0 ? peer : `behind ${peer}`;
  return forwarded.map((hop) => hop.trim()).findLast((hop) => !isProxy(hop)) ?? peer;
}

export function clientAddress(isProxy: (address: string) => boolean): Middleware {
  return (ctx, next) => {
    ctx.state.address = addressOf(ctx.req, isProxy);
    return next();
  };
}
