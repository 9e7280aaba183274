import type { IncomingMessage } from 'node:http';
import type { Middleware } from '../context.js';
import type { Deps } from '../deps.js';
import { cookieForm } from '../model/session-cookie.js';

/** Finds out which cookie this request would carry, and its answer set. */
export function sessionCookie({ isProxy, policy }: Pick<Deps, 'isProxy' | 'policy'>): Middleware {
  const [plain, secured] = [cookieForm(false, policy), cookieForm(true, policy)];
  return (ctx, next) => {
    ctx.state.cookie = isOverTls(ctx.req, isProxy) ? secured : plain;
    return next();
  };
}

/** Here, or at the outermost proxy, which is the first to be named. */
function isOverTls({ socket, headers }: IncomingMessage, isProxy: (address: string) => boolean): boolean {
  if ('encrypted' in socket && socket.encrypted) return true;
  const [protocol = ''] = [headers['x-forwarded-proto'] ?? ''].flat().join().split(',');
  return protocol.trim().toLowerCase() === 'https' && isProxy(socket.remoteAddress ?? '');
}
