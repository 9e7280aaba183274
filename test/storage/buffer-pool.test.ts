import test from 'ava';
import { BufferPool } from '../../storage/buffer-pool.js';

const kib = 1024;
const limits = { smallest: 32 * kib, largest: 512 * kib, budget: 8192 * kib, idle: 2048 * kib };
const pool = () => new BufferPool((size) => new ArrayBuffer(size), limits);

test('a buffer is as large as what is wanted, within its limits', (t) => {
  const buffers = pool();
  const sizes = [1, 5000, 100 * kib, 512 * kib, 5000 * kib].map((wanted) => buffers.take(wanted).byteLength / kib);
  t.deepEqual(sizes, [4, 8, 128, 512, 512]);
});

test('the more are lent, the smaller is the next, and nobody waits', (t) => {
  const buffers = pool();
  const sizes = Array.from({ length: 2000 }, () => buffers.take(512 * kib).byteLength / kib);
  t.is(sizes[0], 512);
  t.is(sizes.at(-1), 32);
  t.deepEqual(
    sizes,
    sizes.toSorted((a, b) => b - a),
  );
  t.true(buffers.lentBytes < limits.budget + 2000 * limits.smallest);
});

test('what is given back is lent again', (t) => {
  const buffers = pool();
  const first = buffers.take(512 * kib);
  buffers.give(first);
  t.is(buffers.lentBytes, 0);
  t.is(buffers.take(512 * kib), first);
  t.not(buffers.take(512 * kib), first);
});

test('a larger one that is there is lent before anything new is allocated', (t) => {
  const buffers = pool();
  const [small, large] = [buffers.take(64 * kib), buffers.take(256 * kib)];
  buffers.give(small);
  buffers.give(large);
  t.is(buffers.take(128 * kib), large);
  t.is(buffers.take(128 * kib).byteLength, 128 * kib, 'there is room, so nobody has to take a smaller one');
});

test('where there is no room for a new one, a smaller one will do', (t) => {
  const buffers = new BufferPool((size) => new ArrayBuffer(size), { ...limits, budget: 2048 * kib, idle: 2048 * kib });
  const small = Array.from({ length: 60 }, () => buffers.take(128 * kib));
  for (const buffer of small) buffers.give(buffer);
  t.true(small.includes(buffers.take(256 * kib)));
});

test('what is idle is kept within bounds', (t) => {
  let allocated = 0;
  const buffers = new BufferPool((size) => {
    allocated += 1;
    return new ArrayBuffer(size);
  }, limits);
  const takeAll = () => Array.from({ length: 100 }, () => buffers.take(64 * kib));
  for (const buffer of takeAll()) buffers.give(buffer);
  const before = allocated;
  takeAll();
  t.is(allocated - before, 100 - limits.idle / (64 * kib));
});
