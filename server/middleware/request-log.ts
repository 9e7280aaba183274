import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { type Context, type Middleware, whenEnded } from '../context.js';
import { nameOfCaller } from '../model/caller.js';
import { withoutCode } from '../model/openid.js';
import { withoutSecrets } from '../model/token.js';

/** ASCII: Node writes other characters now in one encoding and now in another, so they would not come back as sent. */
const USABLE_ID = /^[\x20-\x7e]{1,256}$/;

/** Gives every request an id, every response the headers that all of them have, and the log a line for each. */
export function requestLog(log: Logger, serverName: string): Middleware {
  const host = hostname();
  return (ctx, next) => {
    const start = performance.now();
    const elapsed = () => Math.round(performance.now() - start);
    ctx.state.requestId = requestIdOf(ctx);
    ctx.res.setHeader('Server', serverName);
    ctx.res.setHeader('x-request-id', ctx.state.requestId);
    ctx.res.setHeader('x-server-name', host);
    stampWhenSent(ctx, elapsed);
    whenEnded(ctx, () => {
      const { method, url } = ctx.req;
      const { statusCode, headersSent, writableEnded } = ctx.res;
      const { caller } = ctx.state;
      log[ctx.state.route?.logLevel ?? 'info'](
        {
          id: ctx.state.requestId,
          method,
          url: withoutCode(withoutSecrets(url ?? '')),
          status: headersSent ? statusCode : undefined,
          ms: elapsed(),
          caller: caller && nameOfCaller(caller),
          address: ctx.state.address,
          cut: !writableEnded,
        },
        'request',
      );
    });
    return next();
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
