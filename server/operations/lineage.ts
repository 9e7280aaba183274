import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { builtOn } from '../model/reach.js';
import type { ManagedImage } from '../model/registration.js';
import { seesAs } from './find-seen-image.js';
import type { ListedImage } from './listing.js';

/** So many that come from an image are told of. */
const MOST = 1000;

export interface Lineage {
  /** What it comes from, nearest first. One that the caller does not see is no more than its uuid, and the end. */
  origins: { uuid: string; image: ListedImage | undefined }[];
  /** What comes from it and is seen; each stands behind what it is built on. */
  descendants: ListedImage[];
  /** There are more. */
  more: boolean;
}

export function lineageOf(deps: Deps, caller: Caller, { uuid, origin }: ManagedImage): Lineage {
  const sees = seesAs(deps, caller);
  const origins: Lineage['origins'] = [];
  const known = new Set([uuid]);
  for (let next = origin; next !== undefined && !known.has(next); ) {
    known.add(next);
    const found = deps.listing.get(next);
    const image = found && sees(found) ? found : undefined;
    origins.push({ uuid: next, image });
    next = image?.origin;
  }
  const descendants: ListedImage[] = [];
  const parents = [uuid];
  for (const parent of parents) {
    for (const image of deps.listing.within([builtOn(parent)])) {
      // What is built on a hidden one would tell of it.
      if (known.has(image.uuid) || !sees(image)) continue;
      if (descendants.length === MOST) return { origins, descendants, more: true };
      known.add(image.uuid);
      descendants.push(image);
      parents.push(image.uuid);
    }
  }
  return { origins, descendants, more: false };
}
