// Writes the pages that are made from tables.
import { writeFileSync } from 'node:fs';
import { errorsPage } from '../dist/imgapi/errors-page.js';
import { exampleFile } from '../dist/server/config/example-file.js';
import { configurationPage } from '../dist/server/config/page.js';
import { metricsPage } from '../dist/server/metrics/page.js';
import { openApiPage } from '../dist/server/routes/api/openapi.js';
import { routes } from '../dist/server/routes/table.js';

const pages = {
  'docs/errors.md': errorsPage,
  'docs/metrics.md': metricsPage,
  'docs/openapi.json': () => openApiPage(routes),
  'docs/configuration.md': configurationPage,
  'etc/slipway.toml': exampleFile,
};

for (const [path, page] of Object.entries(pages)) writeFileSync(new URL(`../${path}`, import.meta.url), page());
