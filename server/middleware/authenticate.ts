import { ImgapiError } from '../../imgapi/errors.js';
import { ofToken } from '../auth/bearer.js';
import type { Credentials } from '../auth/credentials.js';
import { ofSignature } from '../auth/http-signature.js';
import type { Context, Middleware } from '../context.js';
import type { Deps } from '../deps.js';
import { anonymous, type Caller, isKnown, trusted } from '../model/caller.js';
import { type Need, permitsNeed } from '../model/scope.js';

/**
 * credentials: nothing else will do, wherever the caller asks from. strict: credentials, or an address that needs none.
 * passive: without any the caller is anonymous, wrong ones are refused. lenient: wrong ones count as none.
 */
export type Strictness = 'credentials' | 'strict' | 'passive' | 'lenient';

const ADVICE = 'sign with a key that the server knows, or send "Authorization: Bearer <token>"';

export const needsToBeKnown = (strictness: Strictness) => strictness === 'credentials' || strictness === 'strict';

export function authenticate(deps: Deps, strictness: Strictness, need: Need): Middleware {
  return async (ctx, next) => {
    ctx.state.caller = await callerOf(ctx, deps, strictness, need);
    if (needsToBeKnown(strictness) && !isKnown(ctx.state.caller)) {
      throw new ImgapiError('UnauthorizedError', `credentials are required: ${ADVICE}`);
    }
    await next();
  };
}

async function callerOf(ctx: Context, deps: Deps, strictness: Strictness, need: Need): Promise<Caller> {
  const withoutCredentials = strictness !== 'credentials' && deps.trusts(ctx.state.address) ? trusted : anonymous;
  if (!ctx.get('authorization')) return withoutCredentials;
  try {
    ctx.state.credentials = await proven(ctx, deps);
    checkScope(ctx.state.credentials, need);
  } catch (error) {
    if (forgives(strictness, deps) && error instanceof ImgapiError) return withoutCredentials;
    throw error;
  }
  const { user } = ctx.state.credentials;
  return { kind: 'user', user, rights: deps.directory.rightsOf(user) };
}

function checkScope({ scope }: Credentials, need: Need): void {
  if (permitsNeed(scope, need)) return;
  throw new ImgapiError('NotPermitted', `a token of scope ${scope} is not good for this`);
}

/** The schemes of the Authorization header. None gives anything for that of another. */
const schemes: ((ctx: Context, deps: Deps) => Promise<Credentials | undefined>)[] = [
  (ctx, { catalog, now }) => ofToken(catalog, ctx.get('authorization'), now()),
  ({ req, method, originalUrl: url }, deps) =>
    ofSignature({ method, url, httpVersion: req.httpVersion, headers: req.headers }, deps),
];

async function proven(ctx: Context, deps: Deps): Promise<Credentials> {
  for (const credentialsOf of schemes) {
    const credentials = await credentialsOf(ctx, deps);
    if (credentials) return credentials;
  }
  throw new ImgapiError('UnauthorizedError', `the credentials are not valid: ${ADVICE}`);
}

function forgives(strictness: Strictness, { policy }: Deps): boolean {
  return strictness === 'lenient' || (policy.authType === 'none' && strictness !== 'credentials');
}
