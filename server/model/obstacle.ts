import { placementOf, type RegisteredImage } from './registration.js';

/** Why nothing can be made of an image at the moment, the first that applies. */
const reasons: readonly [reason: string, applies: (image: RegisteredImage) => boolean][] = [
  ['something works on it', ({ registration }) => registration?.pending !== undefined],
  ['it is still on its way', ({ state, activated }) => !activated && state === 'creating'],
  ['it has failed', ({ state, activated }) => !activated && state === 'failed'],
  ['its file has not arrived', ({ activated, files }) => !activated && files.length === 0],
  ['it is not activated yet', ({ activated }) => !activated],
  ['it is disabled', ({ disabled }) => disabled],
  ['it has been retired', (image) => placementOf(image).access === 'deleted'],
];

/** Of files that others keep, nothing is known here. */
const ofFiles = new Set(['its file has not arrived', 'it is not activated yet']);

export function obstacleToUse(image: RegisteredImage, { recordsOnly }: { recordsOnly: boolean }): string | undefined {
  const found = reasons.find(([reason, applies]) => applies(image) && !(recordsOnly && ofFiles.has(reason)));
  return found?.[0];
}
