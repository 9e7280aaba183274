import test from 'ava';
import { exampleFile } from '../../server/config/example-file.js';
import { configurationPage } from '../../server/config/page.js';
import { referenceKeys } from '../../server/config/reference-form.js';
import { groups, keysOf, type Settings, settings } from '../../server/config/settings.js';
import { startOptions } from '../../server/config/start-options.js';
import { usage } from '../../server/config/usage.js';
import { defaults, readFrom } from './settings.js';

const kebab = (key: string) => key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

test('every setting is in one group', (t) => {
  const grouped = (Object.keys(groups) as (keyof typeof groups)[]).flatMap(keysOf);
  t.deepEqual(grouped, Object.keys(settings) as (keyof Settings)[]);
});

test('the example file, as it is and with all of its settings, gives the defaults', async (t) => {
  t.deepEqual((await readFrom(t, exampleFile())).settings, defaults);
  const all = exampleFile().replaceAll(/^#(?=[\w.]+ = )/gm, '');
  const { settings: read, found } = await readFrom(t, all);
  t.deepEqual(read, defaults);
  const withDefault = Object.entries(defaults).filter(([, value]) => value !== undefined);
  t.deepEqual([...found.keys()].sort(), withDefault.map(([key]) => key).sort());
});

test('the examples in it are good values', async (t) => {
  for (const [key, { example }] of Object.entries(settings)) {
    if (example === undefined) continue;
    t.true(
      exampleFile().includes(
        example
          .split('\n')
          .map((line) => `#   ${line}`)
          .join('\n'),
      ),
      key,
    );
    if (key.startsWith('tls') || key === 'secretsKey') continue; // names a file of a machine that is not this one
    if (['database', 'openidIssuer'].includes(key)) continue; // need others beside them
    if (key === 'openidSecret') continue; // names a file, too
    const { found } = await readFrom(t, example);
    t.deepEqual([...found.keys()], [key as keyof Settings]);
  }
});

test('lines of help and example can be read on a screen', (t) => {
  for (const line of [...usage().split('\n'), ...exampleFile().split('\n').slice(6)]) t.true(line.length <= 100, line);
});

test('help tells of every flag, the page of every setting, variable and key of the reference', (t) => {
  const page = configurationPage();
  for (const key of Object.keys(settings)) {
    t.regex(usage(), new RegExp(`^  --${kebab(key)} `, 'm'));
    const variable = `SLIPWAY_${kebab(key).replaceAll('-', '_').toUpperCase()}`;
    for (const name of [`**\`${key}\`**`, `\`--${kebab(key)}\``, `\`${variable}\``]) t.true(page.includes(name), name);
  }
  for (const name of Object.keys(startOptions)) {
    t.regex(usage(), new RegExp(`^  --${kebab(name)} `, 'm'));
    t.true(page.includes(`\`--${kebab(name)}`), name);
  }
  for (const key of Object.keys(referenceKeys)) t.true(page.includes(`| \`${key}\` |`), key);
});
