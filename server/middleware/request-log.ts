import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Context, Middleware } from '../context.js';

/** ASCII: Node writes other characters now in one encoding and now in another, so they would not come back as sent. */
const USABLE_ID = /^[\x20-\x7e]{1,256}$/;

/** Gives every request an id, every response the headers that all of them have, and the log a line for each. */
export function requestLog(log: Logger, serverName: string): Middleware {
  const host = hostname();
  return async (ctx, next) => {
    const start = performance.now();
    const elapsed = () => Math.round(performance.now() - start);
    ctx.state.requestId = requestIdOf(ctx);
    ctx.set({ Server: serverName, 'x-request-id': ctx.state.requestId, 'x-server-name': host });
    stampWhenSent(ctx, elapsed);
    const { socket } = ctx.req;
    const onEnd = () => {
      // Whichever comes first: a response that waits behind another does not hear that its connection has died.
      ctx.res.off('close', onEnd);
      socket.off('close', onEnd);
      const { method, url } = ctx.req;
      const { statusCode, headersSent, writableEnded } = ctx.res;
      const caller = ctx.state.caller?.user?.name ?? ctx.state.caller?.kind;
      log.info(
        {
          id: ctx.state.requestId,
          method,
          url,
          status: headersSent ? statusCode : undefined,
          ms: elapsed(),
          caller,
          cut: !writableEnded,
        },
        'request',
      );
    };
    ctx.res.once('close', onEnd);
    socket.once('close', onEnd);
    await next();
  };
}

function requestIdOf(ctx: Context): string {
  const given = ctx.get('request-id') || ctx.get('x-request-id');
  return USABLE_ID.test(given) ? given : randomUUID();
}

/** The time is known only when the headers leave, which for a file is long before the handler returns. */
function stampWhenSent({ res }: Context, elapsed: () => number): void {
  const writeHead = res.writeHead;
  res.writeHead = function stamped(this: typeof res, ...args: Parameters<typeof writeHead>) {
    if (!res.headersSent) res.setHeader('x-response-time', elapsed());
    return writeHead.apply(this, args);
  } as typeof writeHead;
}
