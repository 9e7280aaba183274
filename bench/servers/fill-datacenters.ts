import { join } from 'node:path';
import { datacenters } from '../../server/model/datacenter.js';
import { ADMIN } from '../../server/model/user.js';
import { openCatalog } from '../../storage/open.js';

export const FEW = 'few';
export const MANY = 'many';

/** Two data centers beside main, in a data directory that no daemon has open. */
export async function fillDatacenters(data: string): Promise<void> {
  const catalog = await openCatalog({ kind: 'leveldb', directory: join(data, 'catalog') });
  try {
    await catalog.write(async (tx) => {
      for (const name of [FEW, MANY]) {
        const record = { name, owner: ADMIN.uuid, alias: name, description: '', location: '', settings: {} };
        await tx.insert(datacenters, { ...record, created: new Date(0).toISOString() });
      }
    });
  } finally {
    await catalog.close();
  }
}
