// Writes the pages that are made from tables.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errorsPage } from '../dist/imgapi/errors-page.js';
import { exampleFile } from '../dist/server/config/example-file.js';
import { configurationPage } from '../dist/server/config/page.js';
import { metricsPage } from '../dist/server/metrics/page.js';
import { permissionsPage } from '../dist/server/model/permissions-page.js';
import { openApiPage } from '../dist/server/routes/api/openapi.js';
import { routes } from '../dist/server/routes/table.js';

const pages = {
  'docs/errors.md': errorsPage,
  'docs/metrics.md': metricsPage,
  'docs/permissions.md': permissionsPage,
  'docs/openapi.json': () => openApiPage(routes),
  'docs/configuration.md': configurationPage,
  'etc/slipway.toml': exampleFile,
  'etc/completion/slipway.bash': () => completion('bash'),
  'etc/completion/_slipway': () => completion('zsh'),
  'etc/completion/slipway.fish': () => completion('fish'),
};

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const completion = (shell) => execFileSync(process.execPath, [main, 'completion', shell]);

for (const [path, page] of Object.entries(pages)) writeFileSync(new URL(`../${path}`, import.meta.url), page());
