import { readFileSync } from 'node:fs';
import test from 'ava';
import { errorsPage } from '../imgapi/errors-page.js';
import { settings } from '../server/config/settings.js';

const page = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

test('docs/errors.md is what `npm run docs` writes', (t) => {
  t.is(page('docs/errors.md'), errorsPage());
});

test('the README names every setting', (t) => {
  const readme = page('README.md');
  t.deepEqual(
    Object.keys(settings).filter((key) => !readme.includes(`\`${key}\``)),
    [],
  );
});

test('every decision is in the index', (t) => {
  const index = page('docs/decisions/README.md');
  const numbers = [...index.matchAll(/\[(\d{4})\]\((\1-[a-z-]+\.md)\)/g)].map(([, , file = '']) => file);
  t.true(numbers.length > 0);
  for (const file of numbers) t.regex(page(`docs/decisions/${file}`), /^# \d{4} /);
});
