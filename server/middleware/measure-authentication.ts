import { ImgapiError } from '../../imgapi/errors.js';
import type { Context, Middleware } from '../context.js';
import type { Deps } from '../deps.js';

const SCHEMES = new Set(['bearer', 'signature']);

/** Looking for who asks, and what came of it. */
export function measureAuthentication({ instruments }: Deps['metrics'], authenticate: Middleware): Middleware {
  const { authentications_total } = instruments;
  return async (ctx, next) => {
    const scheme = schemeOf(ctx);
    let found = false;
    try {
      await authenticate(ctx, () => {
        found = true;
        authentications_total.inc({ scheme, outcome: outcomeOf(ctx) });
        return next();
      });
    } catch (error) {
      const outcome = error instanceof ImgapiError ? 'refused' : 'failed';
      if (!found) authentications_total.inc({ scheme, outcome });
      throw error;
    }
  };
}

function schemeOf(ctx: Context): string {
  const authorization = ctx.get('authorization');
  if (authorization === '') return 'none';
  const scheme = authorization.split(' ', 1)[0]!.toLowerCase();
  return SCHEMES.has(scheme) ? scheme : 'other';
}

/** Credentials that prove nobody are ignored where none are needed. */
function outcomeOf(ctx: Context): string {
  const { kind } = ctx.state.caller;
  if (kind === 'user') return 'accepted';
  return ctx.get('authorization') === '' ? kind : 'ignored';
}
