import type { Tx } from '../../storage/catalog.js';
import { hold, locate, release } from '../../storage/holdings.js';
import { holdingsOf, images } from '../model/image.js';
import { agreeing, type RegisteredImage } from '../model/registration.js';
import { countImage } from './count-image.js';

/**
 * Brings the catalog from `before` to `after` (absent: not there), and with it the image's hold on its bytes and the
 * counts of its data center and owner. Bytes that lose their last holder are counted as unheld from `now` on.
 */
export async function saveImage(
  tx: Tx,
  before: RegisteredImage | undefined,
  wanted: RegisteredImage | undefined,
  now: Date,
): Promise<void> {
  const after = wanted && agreeing(before, wanted);
  const held = holdingsOf(before);
  const holding = holdingsOf(after);
  for (const [holder, content] of holding) {
    if (held.get(holder)?.sha256 === content.sha256) continue;
    const stored = await locate(tx, content.sha256);
    if (!stored) throw new Error(`${holder} wants content ${content.sha256}, which is not stored`);
    await hold(tx, content, stored.key, holder);
  }
  for (const [holder, { sha256 }] of held) {
    if (holding.get(holder)?.sha256 !== sha256) await release(tx, sha256, holder, now);
  }
  await countImage(tx, before, after);
  if (before && before.uuid !== after?.uuid) await tx.delete(images, before.uuid);
  if (!after) return;
  if (before?.uuid === after.uuid) await tx.replace(images, after);
  else await tx.insert(images, after);
}
