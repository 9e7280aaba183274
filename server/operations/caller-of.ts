import { ImgapiError } from '../../imgapi/errors.js';
import type { Caller } from '../model/caller.js';
import { withinDatacenter } from '../model/rights.js';
import { isAdmitted } from '../model/user.js';
import type { Directory } from './directory.js';

/** A user as it is now: rights that were taken since are gone. `within` is where its credentials were good. */
export function callerOf(directory: Directory, uuid: string | undefined, within?: string): Caller {
  const user = uuid === undefined ? undefined : directory.users.get(uuid);
  if (!user || !isAdmitted(user)) throw new ImgapiError('NotPermitted', 'the user who asked for this is gone');
  const rights = directory.rightsOf(user);
  return { kind: 'user', user, rights: within === undefined ? rights : withinDatacenter(rights, within) };
}
