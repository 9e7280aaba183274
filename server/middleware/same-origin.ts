import { ImgapiError } from '../../imgapi/errors.js';
import { offered } from '../auth/offer.js';
import type { Context, Middleware } from '../context.js';
import { type KnownAs, originMatcher, ownOriginMatcher } from '../model/hosts.js';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Refuses changes that a page of another site makes a browser send. Other clients say nothing of where they come from. */
export function sameOrigin(knownAs: KnownAs): Middleware {
  const isOurs = originMatcher(knownAs);
  return (ctx, next) => {
    if (READS.has(ctx.method)) return next();
    const origin = ctx.get('origin');
    if (origin !== '' && !isOurs(origin, ctx.get('host'))) {
      throw new ImgapiError('ForeignOrigin', `a page of ${origin.slice(0, 100)} may not change anything here`);
    }
    if (ctx.get('sec-fetch-site') === 'cross-site') {
      throw new ImgapiError('ForeignOrigin', 'a page of another site may not change anything here');
    }
    return next();
  };
}

interface Asked {
  method: string;
  path: string;
  changes?: true;
  fromElsewhere?: true;
}

/**
 * A browser sends its cookie whichever page makes it ask. Where the cookie is the proof, a change has to come from a page
 * of this very server, and the browser has to say so; what pages of other sites make it read is refused as well.
 */
export function ownPages(knownAs: KnownAs): (route: Asked) => Middleware[] {
  const isOwn = ownOriginMatcher(knownAs);
  return ({ method, path, changes, fromElsewhere }) => {
    if (fromElsewhere || (!path.startsWith('/api/') && !path.startsWith('/console'))) return [];
    const check = changes || !READS.has(method) ? checkChange : checkRead;
    return [
      (ctx, next) => {
        if (offered(ctx)?.scheme === 'cookie') check(ctx, isOwn);
        return next();
      },
    ];
  };
}

function checkChange(ctx: Context, isOwn: ReturnType<typeof ownOriginMatcher>): void {
  const site = ctx.get('sec-fetch-site');
  if (site === 'same-origin') return;
  if (site !== '') throw foreign(`what does not come from a page of it (Sec-Fetch-Site: ${site.slice(0, 20)})`);
  const origin = ctx.get('origin');
  if (origin === '') throw foreign('what does not say which page it comes from: send Origin');
  if (isOwn(origin, ctx.get('host'), ctx.state.cookie.secure)) return;
  throw foreign(`what comes from ${origin.slice(0, 100)}: if that is this server, set publicUrl`);
}

/** Pages themselves may be linked to from anywhere. */
function checkRead(ctx: Context): void {
  if (!ctx.path.startsWith('/api/') || ctx.get('sec-fetch-site') !== 'cross-site') return;
  throw foreign('what a page of another site asks for');
}

const foreign = (what: string) =>
  new ImgapiError('ForeignOrigin', `the cookie of this server does not stand for ${what}`);
