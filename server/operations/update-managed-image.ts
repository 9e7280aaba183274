import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { type ManagedFields, withFields } from '../model/managed-fields.js';
import { bound, everywhere, narrowed, shared } from '../model/placing.js';
import type { ManagedImage } from '../model/registration.js';
import { accountsOf, activeUser, checkGroups, checkVersion } from './check-managed-fields.js';
import { checkOwnersQuota } from './check-quota.js';
import { checkSettled } from './check-settled.js';
import type { Named } from './find-managed-image.js';
import { manageImage } from './manage-image.js';

/** What is absent stays. */
export interface ImageUpdate extends Omit<ManagedFields, 'owner'> {
  owner?: string | undefined;
  dc_bound?: boolean | undefined;
  groups?: string[] | null | undefined;
  users?: string[] | undefined;
  global?: boolean | undefined;
}

type Along = { along?: ((tx: Tx) => Promise<void>) | undefined };

export function updateManagedImage(
  deps: Deps,
  caller: Caller,
  named: Named,
  update: ImageUpdate,
  { along }: Along = {},
): Promise<ManagedImage> {
  const { owner, dc_bound, groups, users, global, ...fields } = update;
  const settled = owner === undefined ? checkSettled : checkOwnerMayChange;
  return manageImage(deps, { caller, operation: 'update', named, along, settled }, async (before, tx) => {
    const { directory } = deps;
    const newOwner = owner === undefined ? undefined : await activeUser(tx, 'owner', owner);
    let after = withFields(before, { ...fields, owner: newOwner?.uuid });
    if (dc_bound !== undefined) after = rebound(caller, after, dc_bound);
    if (global !== undefined) after = madeGlobal(caller, after, global);
    if (groups) await checkGroups(tx, caller, before, groups);
    if (groups !== undefined) after = narrowed(after, groups);
    if (users) after = { ...after, acl: await accountsOf(tx, directory, caller, before, users) };
    if (after.name !== before.name || after.version !== before.version) await checkVersion(tx, caller, after);
    await checkOwnersQuota(deps, tx, before, after);
    return after;
  });
}

/** Whoever asks for another owner is told by the field, as of an owner that is not known. */
function checkOwnerMayChange({ registration: { pending } }: ManagedImage): void {
  if (!pending) return;
  const message = `owner can not be changed while something works on the image: ${pending.what}, task ${pending.task}`;
  throw invalidInput([{ field: 'owner', code: 'Invalid', message }]);
}

function rebound(caller: Caller, image: ManagedImage, wanted: boolean): ManagedImage {
  const isBound = image.registration.boundTo !== undefined;
  if (!isOperator(caller)) {
    throw invalidInput([{ field: 'dc_bound', code: 'NotAllowed', message: 'dc_bound is for SuperAdmins to change' }]);
  }
  if (wanted === isBound) return image;
  return wanted ? bound(image) : shared(image);
}

function madeGlobal(caller: Caller, image: ManagedImage, wanted: boolean): ManagedImage {
  if (!isOperator(caller)) throw new ImgapiError('NotPermitted', 'global is for SuperAdmins to change');
  return everywhere(image, wanted);
}
