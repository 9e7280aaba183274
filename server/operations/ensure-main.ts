import type { Catalog } from '../../storage/catalog.js';
import { datacenters, MAIN } from '../model/datacenter.js';
import { ADMIN } from '../model/user.js';

/** Every installation has a data center. */
export async function ensureMain(catalog: Catalog, now: Date): Promise<void> {
  if (await catalog.get(datacenters, MAIN)) return;
  const created = now.toISOString();
  const main = { name: MAIN, owner: ADMIN.uuid, alias: MAIN, description: '', location: '', settings: {}, created };
  await catalog.write(async (tx) => {
    if (!(await tx.get(datacenters, MAIN))) await tx.insert(datacenters, main);
  });
}
