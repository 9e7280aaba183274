import type { Reader } from '../../storage/catalog.js';
import { partials } from '../../storage/partials.js';
import { giveUp } from '../../storage/receive.js';
import type { Deps } from '../deps.js';
import { images, isPlaceholder } from '../model/image.js';
import { taskOfHolder } from '../model/import.js';
import { hasEnded, tasks } from '../model/task.js';
import { saveImage } from './save-image.js';

/** Throws away what tasks have left that will not go on with it: bytes, and images that were announced. */
export async function abandonImports(deps: Pick<Deps, 'catalog' | 'blobs' | 'listing' | 'now'>): Promise<number> {
  const { catalog, blobs, listing, now } = deps;
  let abandoned = 0;
  for await (const { holder } of catalog.list(partials)) {
    const task = taskOfHolder(holder);
    if (task === undefined || !(await isOver(catalog, task))) continue;
    await giveUp({ catalog, blobs }, holder);
    abandoned += 1;
  }
  for (const { uuid } of listing.sorted.filter(({ state }) => state === 'creating')) {
    await catalog.write(async (tx) => {
      const image = await tx.get(images, uuid);
      const task = image?.registration?.pending?.task;
      if (!image || !isPlaceholder(image) || task === undefined || !(await isOver(tx, task))) return;
      await saveImage(tx, image, undefined, now());
      abandoned += 1;
    });
  }
  return abandoned;
}

async function isOver(reader: Reader, id: string): Promise<boolean> {
  const task = await reader.get(tasks, id);
  return !task || hasEnded(task);
}
