import type { Image } from '../../imgapi/image.js';
import type { Deps } from '../deps.js';
import { images } from '../model/image.js';

/** Images from a time without channels are in none, and nobody sees them: this one takes them. Tells how many. */
export function fillChannel({ catalog }: Pick<Deps, 'catalog'>, channel: string): Promise<number> {
  return catalog.write(async (tx) => {
    const without: Image[] = [];
    for await (const image of tx.list(images)) if (!image.channels) without.push(image);
    for (const image of without) await tx.replace(images, { ...image, channels: [channel] });
    return without.length;
  });
}
