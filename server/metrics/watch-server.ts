import type { Catalog } from '../../storage/catalog.js';
import type { Listing } from '../operations/listing.js';
import type { Metrics } from './instruments.js';
import { type Expiring, watchCertificate } from './watch-certificate.js';
import { watchDigests } from './watch-digests.js';
import { watchMembers } from './watch-members.js';
import { type KnownNodes, watchNodes } from './watch-nodes.js';
import { type Ready, watchReadiness } from './watch-readiness.js';
import { watchRecords } from './watch-records.js';

interface Watched extends KnownNodes {
  catalog: Catalog;
  listing: Listing;
  readiness: Ready;
  certificate?: Expiring | undefined;
}

/** All that a scrape looks at, beside what is counted as it happens. Returns the way to stop following. */
export function watchServer(
  metrics: Metrics,
  { catalog, listing, readiness, certificate, ...nodes }: Watched,
): () => Promise<void> {
  watchDigests(metrics);
  watchNodes(metrics, nodes);
  watchReadiness(metrics, readiness);
  watchMembers(metrics, catalog);
  if (certificate) watchCertificate(metrics, certificate);
  return watchRecords(metrics, catalog, listing);
}
