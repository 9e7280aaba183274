import { nameOf, type Selection } from '../../imgapi/channels.js';
import type { Image } from '../../imgapi/image.js';
import type { Deps } from '../deps.js';
import { withoutChannel } from '../model/image.js';
import { checkDependents } from './check-dependents.js';
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
  const name = nameOf(channel);
  if (name === undefined) return undefined;
  const rest = withoutChannel(image, name);
  return rest.channels?.length ? rest : undefined;
}
