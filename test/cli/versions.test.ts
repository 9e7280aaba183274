import test from 'ava';
import { compareVersions } from '../../cli/versions.js';

test('versions are ordered as people count them', (t) => {
  const ordered = [
    '',
    '1',
    '1.0.0-alpha',
    '1.0.0-rc1',
    '1.0.0-rc2',
    '1.0.0',
    '1.9.0',
    '1.10.0',
    '2',
    '20261101',
    'lts',
  ];
  const shuffled = ordered.map((_, at) => ordered[(at * 7) % ordered.length]!);
  t.deepEqual(shuffled.sort(compareVersions), ordered);
  for (const a of ordered) for (const b of ordered) t.is(compareVersions(a, b) + compareVersions(b, a), 0, `${a} ${b}`);
});
