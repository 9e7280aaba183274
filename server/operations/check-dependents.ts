import { inSelection } from '../../imgapi/channels.js';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import { images } from '../model/image.js';
import { canRead } from '../model/visibility.js';
import type { Target } from './find-image.js';

const NAMED = 9;
const NAMED_WHEN_MORE = 5;

/** Refuses while other images of the selected channel have this one as their origin; only visible ones are named. */
export async function checkDependents(reader: Reader, target: Target): Promise<void> {
  const named: string[] = [];
  let count = 0;
  for await (const { record } of reader.range(images, 'origin', { prefix: target.uuid })) {
    if (!inSelection(record.channels, target.channel)) continue;
    count += 1;
    if (canRead(target, record)) named.push(record.uuid);
  }
  if (count === 0) return;
  const shown = count <= NAMED ? named : named.slice(0, NAMED_WHEN_MORE);
  const others = count - shown.length;
  const list = [...shown, ...(others > 0 ? [`${others} others`] : [])].join(', ');
  throw new ImgapiError('ImageHasDependentImages', `image ${target.uuid} is the origin of ${list}`);
}
