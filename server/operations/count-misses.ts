import type { Tx } from '../../storage/catalog.js';
import { type FollowedImage, followedImages, follows } from '../model/follow.js';

/** After a complete list: how many in a row each image that was brought from there is missing in. */
export async function countMisses(
  tx: Tx,
  repository: { name: string; url: string },
  listed: ReadonlySet<string>,
): Promise<void> {
  for await (const { record: follow } of tx.range(follows, 'repository', { prefix: repository.name })) {
    if (follow.repository !== repository.name) continue;
    const changed: FollowedImage[] = [];
    for await (const { record } of tx.range(followedImages, 'id', { prefix: `${follow.name}/` })) {
      if (record.url !== repository.url) continue;
      const misses = listed.has(record.uuid) ? 0 : record.misses + 1;
      if (misses !== record.misses) changed.push({ ...record, misses });
    }
    for (const record of changed) await tx.replace(followedImages, record);
  }
}
