import { ImgapiError } from '../../imgapi/errors.js';
import { type Caller, isOperator } from '../model/caller.js';
import { answer } from '../model/permissions.js';
import type { RegisteredImage } from '../model/registration.js';

/** A source takes as long as it likes: whoever has lost the right to import meanwhile brings nothing more. */
export function checkStillImports(caller: Caller, { registration }: Pick<RegisteredImage, 'registration'>): void {
  if (caller.kind !== 'user' || !registration || isOperator(caller)) return;
  const { boundTo } = registration;
  if (boundTo !== undefined && answer(caller, 'import', { datacenter: boundTo }) === 'yes') return;
  throw new ImgapiError('NotPermitted', 'the right to import was taken away while the image came');
}
