import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { activate } from '../model/image.js';
import type { ManagedImage } from '../model/registration.js';
import type { Named } from './find-managed-image.js';
import { manageImage } from './manage-image.js';

/** From here on nodes get it, and its file stays as it is. */
export function activateManagedImage(deps: Deps, caller: Caller, named: Named): Promise<ManagedImage> {
  return manageImage(deps, { caller, operation: 'update', named }, (image) => ({
    ...activate(image, deps.now()),
    registration: image.registration,
  }));
}
