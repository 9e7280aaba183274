import { ImgapiError } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { answer } from '../model/permissions.js';
import type { RegisteredImage } from '../model/registration.js';
import { callerOf } from './bulk-images.js';

/** By whose rights an image comes; by those of nobody in particular where there is no uuid. */
export interface Importing {
  uuid?: string | undefined;
  within?: string | undefined;
}

export const importingFor = (caller: Caller): Importing =>
  caller.kind === 'user' ? { uuid: caller.user.uuid, within: caller.rights.within } : {};

/** A source takes as long as it likes: whoever has lost the right to import meanwhile brings nothing more. */
export function checkStillImports(
  { directory }: Pick<Deps, 'directory'>,
  { uuid, within }: Importing,
  { registration }: Pick<RegisteredImage, 'registration'>,
): void {
  if (uuid === undefined) return;
  const caller = callerOf(directory, uuid, within);
  if (!registration || isOperator(caller)) return;
  const { boundTo } = registration;
  if (boundTo !== undefined && answer(caller, 'import', { datacenter: boundTo }) === 'yes') return;
  throw new ImgapiError('NotPermitted', 'the right to import was taken away while the image came');
}
