import test from 'ava';
import { acceptVersion } from '../../imgapi/version.js';
import { refusalOf } from './refusals.js';

const rows: [header: string | undefined, channels: boolean | 'refused'][] = [
  [undefined, false],
  ['', false],
  ['~1', false],
  ['1.0.0', false],
  ['1', false],
  ['<2', false],
  ['~2', true],
  ['2.0.0', true],
  ['*', true],
  ['>=1', true],
  ['~1 || ~2', true],
  ['~99', 'refused'],
  ['>2', 'refused'],
  ['foo', 'refused'],
  ['~1, ~2', 'refused'],
  ['1'.repeat(100_000), 'refused'],
];

for (const [header, channels] of rows) {
  test(`Accept-Version: ${header?.slice(0, 20)}`, (t) => {
    if (channels === 'refused')
      t.is(
        refusalOf(t, () => acceptVersion(header)),
        'InvalidVersion',
      );
    else t.deepEqual(acceptVersion(header), { channels });
  });
}
