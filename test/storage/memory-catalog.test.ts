import { openMemoryCatalog } from '../../storage/catalog/leveldb.js';
import { catalogContract } from '../contracts/catalog.js';

catalogContract('memory', async () => {
  const catalog = await openMemoryCatalog();
  return { catalog, close: () => catalog.close() };
});
