import test from 'ava';
import { nothingKnown, withNewer, withOlder } from '../../console/api/stretch.js';

const rows = (...ids: string[]) => ids.map((id) => ({ id }));

test('older ones follow, and newer ones stand in front', (t) => {
  let known = withNewer(nothingKnown<{ id: string }>(), rows('e', 'd'), 'd');
  known = withOlder(known, rows('c', 'b'), 'b');
  known = withNewer(known, rows('g', 'f', 'e'), 'e');
  t.deepEqual(known, { rows: rows('g', 'f', 'e', 'd', 'c', 'b'), next: 'b', isRead: true });
});

test('where more is new than was read, nothing is kept behind the gap', (t) => {
  const before = withNewer(nothingKnown<{ id: string }>(), rows('b', 'a'), undefined);
  t.deepEqual(withNewer(before, rows('z', 'y'), 'y'), { rows: rows('z', 'y'), next: 'y', isRead: true });
});

test('what was read again as a whole is all there is', (t) => {
  const before = withNewer(nothingKnown<{ id: string }>(), rows('b', 'a'), undefined);
  t.deepEqual(withNewer(before, rows('c', 'b'), undefined).rows, rows('c', 'b'));
});
