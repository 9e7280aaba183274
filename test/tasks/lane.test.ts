import test from 'ava';
import { Lane } from '../../server/tasks/lane.js';
import { Pace } from '../../server/tasks/pace.js';

test('data centers take turns, and within one the oldest goes first', (t) => {
  const lane = new Lane(100);
  for (const id of ['a1', 'a2', 'a3', 'a4']) lane.add({ id, datacenter: 'a' });
  lane.add({ id: 'b1', datacenter: 'b' });
  lane.add({ id: 'n1' });
  lane.add({ id: 'b2', datacenter: 'b' });
  const taken: (string | undefined)[] = [];
  for (let n = 0; n < 8; n += 1) taken.push(lane.take());
  t.deepEqual(taken, ['a1', 'b1', 'n1', 'a2', 'b2', 'a3', 'a4', undefined]);
});

test('whoever comes later has its turn before the next of the others', (t) => {
  const lane = new Lane(1);
  for (const id of ['a1', 'a2', 'a3']) lane.add({ id, datacenter: 'a' });
  t.is(lane.take(), 'a1');
  lane.add({ id: 'b1', datacenter: 'b' });
  t.is(lane.take(), undefined, 'there is no place');
  lane.leave();
  t.is(lane.take(), 'a2');
  lane.leave();
  t.is(lane.take(), 'b1');
  lane.clear();
  lane.leave();
  t.is(lane.take(), undefined, 'nobody waits any more');
});

test('the rate is that of late, and tells what is left', (t) => {
  const pace = new Pace();
  const at = (done: number, ms: number) => pace.of({ done, total: 100_000, unit: 'bytes' }, ms);
  t.deepEqual(at(0, 0), { done: 0, total: 100_000, unit: 'bytes' });
  t.deepEqual(at(1000, 1000), { done: 1000, total: 100_000, unit: 'bytes', rate: 1000, left: 99 });
  for (let ms = 2000; ms <= 11_000; ms += 1000) at(1000, ms);
  t.like(at(1000, 12_000), { rate: 0 });
  t.is(at(1000, 12_000).left, undefined);
  for (let ms = 13_000; ms <= 30_000; ms += 1000) at(1000 + (ms - 12_000) * 5, ms);
  t.like(at(91_000, 30_000), { rate: 5000, left: 2 });
});

test('nothing is left to be told where nobody knows how much there is', (t) => {
  const pace = new Pace();
  pace.of({ done: 0, unit: 'bytes' }, 0);
  t.deepEqual(pace.of({ done: 500, unit: 'bytes' }, 500), { done: 500, unit: 'bytes', rate: 1000 });
});
