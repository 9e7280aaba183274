import type { Deps } from '../deps.js';
import { MAIN } from '../model/datacenter.js';
import { images } from '../model/image.js';
import { register } from './register-image.js';
import { saveImage } from './save-image.js';

const AT_ONCE = 500;

/** Images from before there were data centers, and those that were taken over, come to main. Tells how many. */
export async function registerImages(
  { catalog, listing }: Pick<Deps, 'catalog' | 'listing'>,
  now: Date,
): Promise<number> {
  const unregistered = listing.sorted.filter(({ registered }) => !registered).map(({ uuid }) => uuid);
  for (let from = 0; from < unregistered.length; from += AT_ONCE) {
    await catalog.write(async (tx) => {
      for (const uuid of unregistered.slice(from, from + AT_ONCE)) {
        const image = await tx.get(images, uuid);
        if (image && !image.registration) {
          await saveImage(tx, image, await register(tx, image, { datacenters: [MAIN] }, now), now);
        }
      }
    });
  }
  return unregistered.length;
}
