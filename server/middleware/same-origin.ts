import { ImgapiError } from '../../imgapi/errors.js';
import type { Middleware } from '../context.js';
import { type KnownAs, originMatcher } from '../model/hosts.js';

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
