import { inSelection, type Selection } from '../../imgapi/channels.js';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Image } from '../../imgapi/image.js';
import type { Tx } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import { images, withoutChannel } from '../model/image.js';
import { canRead } from '../model/visibility.js';
import { findOwnImage, type Target } from './find-image.js';
import { saveImage } from './save-image.js';

/** Removes the image, or only from the selected channel where it is in others too. Its bytes go with the last holder. */
export async function deleteImage(
  { catalog, now }: Deps,
  target: Target,
  { fromAllChannels }: { fromAllChannels: boolean },
): Promise<void> {
  await catalog.write(async (tx) => {
    const image = await findOwnImage(tx, target);
    await checkDependents(tx, target);
    const rest = fromAllChannels ? undefined : remainder(image, target.channel);
    await saveImage(tx, image, rest, now());
  });
}

function remainder(image: Image, channel: Selection): Image | undefined {
  if (!channel || channel.any) return undefined;
  const rest = withoutChannel(image, channel.name);
  return rest.channels?.length ? rest : undefined;
}

const NAMED = 9;
const NAMED_WHEN_MORE = 5;

async function checkDependents(tx: Tx, target: Target): Promise<void> {
  const named: string[] = [];
  let count = 0;
  for await (const { record } of tx.range(images, 'origin', { prefix: target.uuid })) {
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
