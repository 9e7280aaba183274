import test from 'ava';
import { bytesFrom, sizeOf } from '../../console/parts/sizes.js';

const GIB = 2 ** 30;

for (const [typed, bytes] of [
  ['', null],
  ['  ', null],
  ['0', 0],
  ['512', 512],
  ['500 GiB', 500 * GIB],
  ['1.5tib', 1536 * GIB],
  ['many', 'many'],
  ['-1', '-1'],
  ['5 parsecs', '5 parsecs'],
] as const) {
  test(`"${typed}" is sent as ${bytes}`, (t) => t.is(bytesFrom(typed), bytes));
}

test('a size is shown so that it comes back as it was', (t) => {
  for (const bytes of [0, 1, 1023, 1024, 1025, 1536, GIB, 3 * GIB + 1, 2 ** 50, 2 ** 53 - 1]) {
    t.is(bytesFrom(sizeOf(bytes)), bytes);
  }
  t.is(sizeOf(null), '');
  t.is(sizeOf(500 * GIB), '500 GiB');
});
