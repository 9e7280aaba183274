import { type Context, type Middleware, whenEnded } from '../context.js';
import type { Deps } from '../deps.js';
import { NOWHERE, placeOf } from '../model/sample.js';

const MANAGEMENT = '/api/';

/** Counts a request among the files that are on their way, for as long as it takes. */
export const countTransfer =
  (deps: Pick<Deps, 'transfers' | 'listing'>, direction: 'upload' | 'download'): Middleware =>
  (ctx, next) => {
    if (ctx.method === 'HEAD') return next();
    const end = deps.transfers.begin(() => ({ direction, place: placeIn(ctx, deps) }));
    whenEnded(ctx, end);
    return next();
  };

/** Of the image that is meant; the paths of the management API call images by names, and uploads by ids of their own. */
function placeIn({ params, path, state }: Context, { listing }: Pick<Deps, 'listing'>) {
  const uuid = state.pulls ?? (path.startsWith(MANAGEMENT) ? undefined : params.uuid);
  const image = uuid === undefined ? undefined : listing.get(uuid);
  return image ? placeOf(image) : NOWHERE;
}
