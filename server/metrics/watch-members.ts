import type { Catalog } from '../../storage/catalog.js';
import type { Metrics } from './instruments.js';

/** How many daemons there are, and how this one stands with the others. */
export function watchMembers(metrics: Metrics, catalog: Pick<Catalog, 'members' | 'current' | 'sharing'>): void {
  const { members, member_current, member_unheard_seconds, catalog_behind } = metrics.instruments;
  metrics.atScrape(() => {
    const { behind = 0, unheard = 0 } = catalog.sharing?.() ?? {};
    members.set(catalog.members.all().length);
    member_current.set(catalog.current() ? 1 : 0);
    member_unheard_seconds.set(unheard / 1000);
    catalog_behind.set(behind);
  });
}
