import { openLevelCatalog } from '../../storage/catalog/leveldb.js';
import { catalogContract } from '../contracts/catalog.js';
import { scratch } from '../support/scratch.js';

catalogContract('leveldb', async (t) => {
  const catalog = await openLevelCatalog(await scratch(t));
  return { catalog, close: () => catalog.close() };
});
