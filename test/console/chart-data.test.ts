import test from 'ava';
import { foreseen, inWords, isKnown, type Line, stacked } from '../../console/parts/chart-data.js';

const line = (title: string, ...values: (number | null)[]): Line => ({ title, values, tone: 'main' });

test('lines stand on each other; what is foreseen, and what is not known, stands on nothing', (t) => {
  const ahead = { ...line('ahead', null, 7, 6), isForeseen: true };
  t.deepEqual(stacked([line('one', 1, null, 3), line('other', 10, 20, null), ahead]), [
    [1, null, 3],
    [11, 20, null],
    [null, 7, 6],
  ]);
});

test('what a chart shows is told in words', (t) => {
  const format = (value: number) => `${value} B`;
  t.is(
    inWords([line('one', null, 1, 2, null), line('other', 5)], false, format),
    'one: from 1 B to 2 B; other: from 5 B to 5 B',
  );
  t.is(inWords([line('one', 1, null, 3), line('none', null)], true, format), 'one: 4 B together');
  t.false(isKnown([line('one', null, null)]));
  t.true(isKnown([line('one', null, null), line('other', null, 0)]));
});

test('what is free goes on from where it was known last, and ends at nothing', (t) => {
  const day = 86_400;
  const times = [0, day, 2 * day, 3 * day];
  const { ahead, line } = foreseen({ times, values: [60, 50, 40, null] }, -25, day);
  t.deepEqual(ahead, [4 * day]);
  t.deepEqual(line.times, [...times, 4 * day]);
  t.deepEqual(line.values, [null, null, 40, 15, 0]);
  t.deepEqual(foreseen({ times, values: [null, null, null, null] }, -25, day).ahead, []);
});
