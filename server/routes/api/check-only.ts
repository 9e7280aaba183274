import { invalidInput } from '../../../imgapi/errors.js';
import type { Context } from '../../context.js';
import type { Deps } from '../../deps.js';
import { NotWritten, unwrittenCatalog } from '../../operations/unwritten-catalog.js';
import type { Description, Handler } from '../route.js';

const CHECK_ONLY = 'X-Check-Only';

/** What calls that can be checked read, for the document. */
export const takenToCheck = {
  [CHECK_ONLY]: 'true: nothing is done; 204 where nothing would refuse it that can be known before; not needed',
};

/** Does whoever asks only want to know whether it would be refused? */
export function isCheckOnly({ headers }: Pick<Context, 'headers'>): boolean {
  const said = headers[CHECK_ONLY.toLowerCase()];
  if (said === undefined) return false;
  if (said === 'true') return true;
  throw wrong('is not true; leave it out where the call is meant');
}

/** Of a call that can not be checked alone: nobody is to believe that nothing was done. */
export const unchecked =
  ({ name }: Description, handler: Handler): Handler =>
  (ctx, deps) => {
    if (isCheckOnly(ctx)) throw wrong(`has no meaning for ${name}`);
    return handler(ctx, deps);
  };

const wrong = (what: string) =>
  invalidInput([{ field: CHECK_ONLY, code: 'Invalid', message: `${CHECK_ONLY} ${what}` }]);

/** Runs what refuses a call, in a catalog that keeps nothing. */
export async function tried(deps: Deps, check: (deps: Deps) => unknown): Promise<void> {
  try {
    await check({ ...deps, catalog: unwrittenCatalog(deps.catalog) });
  } catch (error) {
    if (!(error instanceof NotWritten)) throw error;
  }
}
