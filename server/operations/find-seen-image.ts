import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { answer } from '../model/permissions.js';
import { type ManagedImage, placementOf } from '../model/registration.js';
import { canRead, isIn, type Visible } from '../model/visibility.js';
import { ambiguous, checkDatacenter, imagesNamed, type Named, noSuchImage } from './find-managed-image.js';

type Knowing = Pick<Deps, 'policy' | 'directory'>;
type Sees = (image: Visible) => boolean;

/** Whose manifest and file this one gets over IMGAPI, whatever role that takes. */
export const readsAs =
  ({ policy, directory }: Knowing, caller: Caller): Sees =>
  (image) =>
    canRead({ caller, mode: policy.mode, open: directory.openDatacenters }, image);

/** What administrators see of their data centers, and what everybody gets over IMGAPI. */
export function seesAs(deps: Knowing, caller: Caller): Sees {
  const reads = readsAs(deps, caller);
  return (image) =>
    placementOf(image).leaving !== true &&
    (reads(image) || answer(caller, 'show in a data center', { image }) === 'yes');
}

/** An image for those who only look at it: plain members, too. What is hidden is answered like what is absent. */
export async function findSeenImage(
  { catalog, directory }: Pick<Deps, 'catalog' | 'directory'>,
  caller: Caller,
  { image: name, dc }: Named,
  sees: Sees,
): Promise<ManagedImage> {
  if (dc !== undefined) checkDatacenter(directory, caller, dc);
  const found = (await imagesNamed(catalog, name)).filter(
    (image) => sees(image) && (dc === undefined || isIn(placementOf(image), new Set([dc]))),
  );
  const own = found.filter(({ registration }) => dc !== undefined && registration.boundTo === dc);
  const [image, ...others] = own.length > 0 ? own : found;
  if (!image) throw noSuchImage(name);
  if (others.length > 0) throw ambiguous(caller, name, [image, ...others]);
  return image;
}
