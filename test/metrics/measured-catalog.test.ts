import { Metrics } from '../../server/metrics/instruments.js';
import { measuredCatalog } from '../../server/metrics/measured-catalog.js';
import { openCatalog } from '../../storage/open.js';
import { catalogContract } from '../contracts/catalog.js';

catalogContract('measured', async () => {
  const catalog = measuredCatalog(await openCatalog({ kind: 'memory' }), new Metrics());
  return { catalog, close: () => catalog.close() };
});
