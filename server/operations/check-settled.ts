import { ImgapiError } from '../../imgapi/errors.js';
import type { RegisteredImage } from '../model/registration.js';

/** Nothing may change an image on which something works. */
export function checkSettled({ uuid, registration }: RegisteredImage): void {
  if (!registration?.pending) return;
  const { what, task } = registration.pending;
  throw new ImgapiError('ImagePending', `image ${uuid} is being changed: ${what}, task ${task}`);
}
