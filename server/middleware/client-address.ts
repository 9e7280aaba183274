import type { IncomingMessage } from 'node:http';
import type { Middleware } from '../context.js';

/**
 * Where a request comes from: the rightmost of the addresses it has passed that is not one of our proxies. What stands
 * left of that one was written by whoever asked.
 */
export function addressOf(req: IncomingMessage, isProxy: (address: string) => boolean): string {
  const forwarded = [req.headers['x-forwarded-for'] ?? []].flat().flatMap((header) => header.split(','));
  const hops = [...forwarded.map((hop) => hop.trim()), req.socket.remoteAddress ?? ''];
  return hops.findLast((hop) => !isProxy(hop)) ?? hops[0] ?? '';
}

export function clientAddress(isProxy: (address: string) => boolean): Middleware {
  return (ctx, next) => {
    ctx.state.address = addressOf(ctx.req, isProxy);
    return next();
  };
}
