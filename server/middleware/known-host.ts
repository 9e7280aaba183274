import { ImgapiError } from '../../imgapi/errors.js';
import type { Middleware } from '../context.js';
import { hostMatcher, type KnownAs } from '../model/hosts.js';

/** Callers whom no credentials prove have to mean this server: a page that was rebound to our address does not. */
export function knownHost(knownAs: KnownAs): Middleware {
  const isKnown = hostMatcher(knownAs);
  return (ctx, next) => {
    const host = ctx.get('host');
    const { caller, byAddress } = ctx.state;
    const isProven = caller.kind === 'user' || (caller.kind === 'node' && !byAddress);
    if (isProven || isKnown(host)) return next();
    throw new ImgapiError(
      'MisdirectedRequest',
      `this server is not known as "${host.slice(0, 100)}": use its address, or add the name to its setting hostNames`,
    );
  };
}
