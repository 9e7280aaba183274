import { ImgapiError } from '../../imgapi/errors.js';
import { offered } from '../auth/offer.js';
import type { Context, Middleware } from '../context.js';
import type { Deps } from '../deps.js';

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

const schemeOf = (ctx: Context): string => offered(ctx)?.scheme ?? 'none';

/** Credentials that prove nobody are ignored where none are needed. */
function outcomeOf(ctx: Context): string {
  const { caller, credentials } = ctx.state;
  if (caller.kind === 'user' || (caller.kind === 'node' && credentials)) return 'accepted';
  return offered(ctx) ? 'ignored' : caller.kind;
}
