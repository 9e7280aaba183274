import { ImgapiError } from '../../imgapi/errors.js';
import type { Middleware } from '../context.js';
import type { Deps } from '../deps.js';

/** For whoever tries again: within this many seconds it is mostly good again. */
const SOON = '2';

/** A daemon that others can not reach does not know what they have written: it says nothing rather than something old. */
export function current({ catalog }: Deps): Middleware {
  return (_, next) => {
    if (catalog.current()) return next();
    const message = 'this daemon has lost touch with the database: ask another one, or try again later';
    throw new ImgapiError('ServiceUnavailableError', message, { headers: { 'Retry-After': SOON } });
  };
}
