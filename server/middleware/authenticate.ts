import { ImgapiError } from '../../imgapi/errors.js';
import { userOfToken } from '../auth/bearer.js';
import type { Context, Middleware } from '../context.js';
import type { Deps } from '../deps.js';
import { anonymous, type Caller, isKnown, trusted } from '../model/caller.js';

/**
 * strict: credentials are needed. passive: without any the caller is anonymous, wrong ones are refused.
 * lenient: wrong ones count as none.
 */
export type Strictness = 'strict' | 'passive' | 'lenient';

export function authenticate(deps: Deps, strictness: Strictness): Middleware {
  return async (ctx, next) => {
    ctx.state.caller = await callerOf(ctx, deps, strictness);
    if (strictness === 'strict' && !isKnown(ctx.state.caller)) {
      throw new ImgapiError('UnauthorizedError', 'credentials are required: send "Authorization: Bearer <token>"');
    }
    await next();
  };
}

async function callerOf(ctx: Context, { catalog, policy, trusts }: Deps, strictness: Strictness): Promise<Caller> {
  const withoutCredentials = trusts(ctx.req.socket.remoteAddress ?? '') ? trusted : anonymous;
  const authorization = ctx.get('authorization');
  if (!authorization) return withoutCredentials;
  const user = await userOfToken(catalog, authorization);
  if (user) return { kind: 'user', user };
  if (strictness === 'lenient' || policy.authType === 'none') return withoutCredentials;
  throw new ImgapiError('UnauthorizedError', 'the credentials are not valid');
}
