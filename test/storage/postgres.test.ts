import { openPostgresCatalog } from '../../storage/catalog/postgres.js';
import { catalogContract } from '../contracts/catalog.js';
import { isMet } from '../support/needs.js';
import { needsPostgres, startPostgres } from '../support/postgres.js';
import { scratch } from '../support/scratch.js';

if (isMet[needsPostgres]) {
  catalogContract('postgres', async (t) => {
    const postgres = await startPostgres();
    const [url, replica] = await Promise.all([postgres.newDatabase(), scratch(t)]);
    const member = { name: 'one', version: '0' };
    const catalog = await openPostgresCatalog({ url, replica, member, lease: 30_000 });
    return { catalog, close: () => catalog.close() };
  });
}
