import type { Middleware } from '../context.js';

/**
 * A refusal can be sent while the client is still sending a body that nobody wants. Closing at once may destroy the
 * answer on its way; reading to the end may take hours. So the connection is read for a while longer, then cut.
 */
export function linger(milliseconds: number): Middleware {
  return async (ctx, next) => {
    const { req, res } = ctx;
    const { socket } = req;
    const isLast = !res.shouldKeepAlive;
    res.once('finish', () => {
      // All may have arrived without having been read: it must be, or the next request is never looked at.
      req.resume();
      if (req.complete) return;
      const timer = setTimeout(() => socket.destroy(), milliseconds).unref();
      req.once('close', () => {
        clearTimeout(timer);
        if (isLast) socket.destroySoon();
      });
    });
    await next();
    // With an answer that says "close", Node would close as soon as that has left.
    if (!req.complete && !res.headersSent) res.shouldKeepAlive = true;
  };
}
