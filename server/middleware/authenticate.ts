import { ImgapiError } from '../../imgapi/errors.js';
import { ofToken } from '../auth/bearer.js';
import type { Context, Middleware } from '../context.js';
import type { Deps } from '../deps.js';
import { anonymous, type Caller, isKnown, trusted } from '../model/caller.js';
import { type Need, permitsNeed } from '../model/scope.js';

/**
 * strict: credentials are needed. passive: without any the caller is anonymous, wrong ones are refused.
 * lenient: wrong ones count as none.
 */
export type Strictness = 'strict' | 'passive' | 'lenient';

export function authenticate(deps: Deps, strictness: Strictness, need: Need): Middleware {
  return async (ctx, next) => {
    ctx.state.caller = await callerOf(ctx, deps, strictness, need);
    if (strictness === 'strict' && !isKnown(ctx.state.caller)) {
      throw new ImgapiError('UnauthorizedError', 'credentials are required: send "Authorization: Bearer <token>"');
    }
    await next();
  };
}

async function callerOf(
  ctx: Context,
  { catalog, policy, trusts }: Deps,
  strictness: Strictness,
  need: Need,
): Promise<Caller> {
  const withoutCredentials = trusts(ctx.state.address) ? trusted : anonymous;
  const authorization = ctx.get('authorization');
  if (!authorization) return withoutCredentials;
  const credentials = await ofToken(catalog, authorization);
  if (!credentials) {
    if (strictness === 'lenient' || policy.authType === 'none') return withoutCredentials;
    throw new ImgapiError('UnauthorizedError', 'the credentials are not valid');
  }
  const { user, scope } = credentials;
  if (!permitsNeed(scope, need))
    throw new ImgapiError('NotPermitted', `a token of scope ${scope} is not good for this`);
  return { kind: 'user', user };
}
