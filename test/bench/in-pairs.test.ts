import test from 'ava';
import { inPairs, median } from '../../bench/measure/in-pairs.js';
import { compared } from '../../bench/measure/row.js';

test('sides take turns, the first of each pair too; the pair that warms up does not count', async (t) => {
  const order: string[] = [];
  const side = (name: string) => async () => {
    order.push(name);
    return order.length;
  };
  const pairs = await inPairs(3, side('ours'), side('peer'));
  t.deepEqual(order, ['ours', 'peer', 'peer', 'ours', 'ours', 'peer', 'peer', 'ours']);
  t.deepEqual(pairs, [
    { ours: 4, peer: 3 },
    { ours: 5, peer: 6 },
    { ours: 8, peer: 7 },
  ]);
});

test('the median is the one in the middle, or between the two that are', (t) => {
  t.is(median([3, 1, 2]), 2);
  t.is(median([4, 1, 3, 2]), 2.5);
});

test('a ratio is the median of those of the pairs', (t) => {
  const pairs = [
    { ours: 1, peer: 1 },
    { ours: 30, peer: 10 },
    { ours: 4, peer: 2 },
  ];
  const row = compared('them', pairs, { what: 'speed', unit: 's', of: (one) => one });
  t.like(row, { ours: 4, peer: { name: 'them', value: 2 }, ratio: 2, runs: 3 });
});
