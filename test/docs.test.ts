import { readFileSync } from 'node:fs';
import test from 'ava';
import { errorsPage } from '../imgapi/errors-page.js';
import { exampleFile } from '../server/config/example-file.js';
import { configurationPage } from '../server/config/page.js';
import { metricsPage } from '../server/metrics/page.js';
import { permissionsPage } from '../server/model/permissions-page.js';

const page = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

test('docs/errors.md is what `npm run docs` writes', (t) => {
  t.is(page('docs/errors.md'), errorsPage());
});

test('docs/metrics.md is what `npm run docs` writes', (t) => {
  t.is(page('docs/metrics.md'), metricsPage());
});

test('docs/permissions.md is what `npm run docs` writes', (t) => {
  t.is(page('docs/permissions.md'), permissionsPage());
});

test('docs/configuration.md and etc/slipway.toml are what `npm run docs` writes, and README leads there', (t) => {
  t.is(page('docs/configuration.md'), configurationPage());
  t.is(page('etc/slipway.toml'), exampleFile());
  for (const path of ['docs/configuration.md', 'etc/slipway.toml'])
    t.true(page('README.md').includes(`](${path})`), path);
});

test('every decision is in the index', (t) => {
  const index = page('docs/decisions/README.md');
  const numbers = [...index.matchAll(/\[(\d{4})\]\((\1-[a-z-]+\.md)\)/g)].map(([, , file = '']) => file);
  t.true(numbers.length > 0);
  for (const file of numbers) t.regex(page(`docs/decisions/${file}`), /^# \d{4} /);
});
