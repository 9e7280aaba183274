import { type Collected, collect } from '../../storage/holdings.js';
import type { Deps } from '../deps.js';
import { images, isExpired } from '../model/image.js';
import { abandonImports } from './abandon-imports.js';
import { endStaleUploads } from './end-uploads.js';
import { sweepLentTokens } from './lend-token.js';
import { saveImage } from './save-image.js';
import { sealAudit } from './seal-audit.js';

/** Bytes on their way in, or whole but not yet published, are left alone for so long after they were last touched. */
const LEASE = 60 * 60 * 1000;

export interface Swept extends Collected {
  /** Placeholders that ran out. */
  expired: number;
  /** Uploads in parts that nobody goes on with. */
  uploads: number;
  /** What tasks have left that have ended. */
  abandoned: number;
}

/** Removes what nobody will come for: placeholders that ran out, bytes that nobody holds, uploads that were cut off. */
export async function sweep(deps: Deps, { abandonedBefore }: { abandonedBefore?: Date } = {}): Promise<Swept> {
  const { catalog, blobs, policy, log, now } = deps;
  // The moment is taken once: what comes while the first part of this runs is not abandoned.
  const start = now();
  // What is on its way in elsewhere is not abandoned.
  const lease = abandonedBefore && catalog.members.only ? start.getTime() - abandonedBefore.getTime() : LEASE;
  const expired = await removeExpired(deps);
  const uploads = await endStaleUploads(deps);
  const abandoned = await abandonImports(deps);
  await sweepLentTokens(deps);
  await deps.reservations.sweep(catalog);
  const sealed = await sealAudit(deps); // before stores are asked, which may fail
  const collected = await collect({ catalog, blobs }, { now: start, grace: policy.blobGrace * 1000, lease });
  const swept = { expired, uploads, abandoned, ...collected };
  log.info({ ...swept, ...(sealed > 0 && { sealed }) }, 'swept');
  return swept;
}

async function removeExpired({ catalog, listing, now }: Deps): Promise<number> {
  const candidates = listing.sorted.filter(({ state }) => state === 'creating' || state === 'failed');
  let removed = 0;
  for (const { uuid } of candidates) {
    await catalog.write(async (tx) => {
      const image = await tx.get(images, uuid);
      if (!image || !isExpired(image, now())) return;
      await saveImage(tx, image, undefined, now());
      removed += 1;
    });
  }
  return removed;
}
