import type { Context } from '../context.js';
import type { Deps } from '../deps.js';
import { clearedCookie, cookieLine, secretIn } from '../model/session-cookie.js';
import type { Opened } from '../operations/open-session.js';

/** The browser keeps it until the last end of its session; whether that has ended before, the server knows. */
export function setSessionCookie(ctx: Context, { now }: Pick<Deps, 'now'>, { secret, session }: Opened): void {
  const until = Date.parse(session.cookie?.until ?? session.expires);
  const seconds = Math.max(0, Math.ceil((until - now().getTime()) / 1000));
  ctx.append('Set-Cookie', cookieLine(ctx.state.cookie, secret, seconds));
}

export const clearSessionCookie = (ctx: Context) => ctx.append('Set-Cookie', clearedCookie(ctx.state.cookie));

/** Whatever else proves who asks. */
export const sessionSecretOf = (ctx: Context) => secretIn(ctx.get('cookie'), ctx.state.cookie);
