import { ImgapiError } from '../../imgapi/errors.js';
import { clientCertificate } from '../auth/client-certificate.js';
import type { Credentials } from '../auth/credentials.js';
import { followedCaller } from '../auth/followed-caller.js';
import { ofSignature } from '../auth/http-signature.js';
import { type Offer, offered } from '../auth/offer.js';
import { ofCookieSecret, ofNodeSecret, ofUserSecret } from '../auth/secrets.js';
import type { Context, Middleware } from '../context.js';
import type { Deps } from '../deps.js';
import { anonymous, type Caller, isKnown, trusted } from '../model/caller.js';
import { modeLaw } from '../model/modes.js';
import { type Need, permitsNeed } from '../model/scope.js';
import { clearedCookie } from '../model/session-cookie.js';

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
  const offer = offered(ctx);
  if (!offer) return withoutCredentials(ctx, deps, strictness, need);
  try {
    const credentials = await proven(ctx, deps, offer);
    ctx.state.credentials = credentials;
    if (credentials.token !== undefined && !isUnasked(ctx, offer)) deps.uses.note(credentials.token);
    // Whom a scope keeps from something is known all the same, to the log and the audit.
    ctx.state.caller = followedCaller(deps.directory, credentials);
    checkGood(credentials, strictness, need);
    return ctx.state.caller;
  } catch (error) {
    if (offer.scheme === 'cookie') forget(ctx, error);
    if (forgives(strictness, deps) && error instanceof ImgapiError) {
      return withoutCredentials(ctx, deps, strictness, need);
    }
    throw error;
  }
}

/** A page that looks again by itself, because time has passed, keeps nobody signed in. What a token is used for is told in any case. */
const isUnasked = (ctx: Context, { scheme }: Offer) =>
  ctx.method === 'GET' && scheme === 'cookie' && ctx.get('x-unasked') === 'true';

/** A cookie that proves nobody is of no more use. */
function forget(ctx: Context, error: unknown): void {
  if (!(error instanceof ImgapiError) || error.code !== 'UnauthorizedError') return;
  ctx.append('Set-Cookie', clearedCookie(ctx.state.cookie));
}

/** What a connection, or an address, says of the caller. Nodes that nothing else proves may look, and no more. */
function withoutCredentials(ctx: Context, deps: Deps, strictness: Strictness, need: Need): Caller {
  if (strictness === 'credentials') return anonymous;
  if (deps.trusts(ctx.state.address)) return trusted;
  if (need !== 'read' || !modeLaw[deps.policy.mode].fleet) return anonymous;
  const { directory, isProxy, policy, now } = deps;
  if (directory.nodes.size === 0) return anonymous;
  const fingerprint = clientCertificate(ctx.req, { isProxy, header: policy.certificateHeader, now: now() });
  const certified = fingerprint === undefined ? undefined : directory.nodeWith(fingerprint);
  const node = certified ?? directory.nodeAt(ctx.state.address);
  if (!node) return anonymous;
  if (!certified) ctx.state.byAddress = true;
  return { kind: 'node', node };
}

function checkGood({ scope, node }: Credentials, strictness: Strictness, need: Need): void {
  if (node && strictness === 'credentials') {
    throw new ImgapiError('NotPermitted', 'a token of a node is good for images only');
  }
  if (permitsNeed(scope, need)) return;
  throw new ImgapiError('NotPermitted', `a token of scope ${scope} is not good for this`);
}

async function proven(ctx: Context, deps: Deps, { scheme, secret }: Offer): Promise<Credentials> {
  const credentials =
    scheme === 'signature'
      ? await ofSignature(
          { method: ctx.method, url: ctx.originalUrl, httpVersion: ctx.req.httpVersion, headers: ctx.req.headers },
          deps,
        )
      : secretOf(ctx, deps, scheme, secret);
  if (credentials) return credentials;
  throw new ImgapiError('UnauthorizedError', `the credentials are not valid: ${ADVICE}`);
}

/** In a path, which others may see, only what nodes have is taken. */
function secretOf(ctx: Context, { directory, now, policy }: Deps, scheme: Offer['scheme'], secret = '') {
  if (secret === '') return undefined;
  const asking = { now: now(), address: ctx.state.address };
  if (scheme === 'cookie') return ofCookieSecret(directory, secret, asking);
  const ofUser = scheme === 'path' ? undefined : ofUserSecret(directory, secret, asking);
  if (ofUser || !modeLaw[policy.mode].fleet) return ofUser;
  return ofNodeSecret(directory, secret, asking);
}

function forgives(strictness: Strictness, { policy }: Deps): boolean {
  return strictness === 'lenient' || (policy.authType === 'none' && strictness !== 'credentials');
}
