import type { Deps } from '../deps.js';
import { MAIN } from '../model/datacenter.js';
import { images } from '../model/image.js';
import { register } from './register-image.js';
import { saveImage } from './save-image.js';

const AT_ONCE = 500;

/** Of very many images, people who wait for the server shall see how far it is. */
const TELL_EACH = 10_000;

/** Images from before there were data centers, and those that were taken over, come to main. */
export async function registerImages(
  { catalog, listing, log }: Pick<Deps, 'catalog' | 'listing' | 'log'>,
  now: Date,
): Promise<void> {
  const unregistered = listing.sorted.filter(({ managedAs }) => managedAs === undefined).map(({ uuid }) => uuid);
  const of = unregistered.length;
  for (let from = 0; from < of; from += AT_ONCE) {
    await catalog.write(async (tx) => {
      for (const uuid of unregistered.slice(from, from + AT_ONCE)) {
        const image = await tx.get(images, uuid);
        if (image && !image.registration) {
          await saveImage(tx, image, await register(tx, image, { datacenters: [MAIN] }, now), now);
        }
      }
    });
    const done = Math.min(from + AT_ONCE, of);
    if (done === of || done % TELL_EACH === 0)
      log.info({ images: done, of }, 'put images without a data center into main');
  }
}
