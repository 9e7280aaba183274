import test from 'ava';
import { SeenSignatures } from '../../server/auth/seen-signatures.js';

const START = Date.UTC(2026, 0, 1);
const at = (seconds: number) => new Date(START + seconds * 1000);
const WINDOW = 300;

/** `date`: what the signature says; `now`: when it comes. */
const admit = (seen: SeenSignatures, signed: string, date: number, now = date) =>
  seen.admit(signed, at(date), at(now - WINDOW));

test('the first use passes, the second does not', (t) => {
  const seen = new SeenSignatures();
  t.true(admit(seen, 'a', 0));
  t.false(admit(seen, 'a', 0));
  t.true(admit(seen, 'b', 0));
  t.false(admit(seen, 'a', 0, 299));
  t.false(admit(seen, 'a', 0, 300), 'as long as its date is good');
});

test('dates from the future are remembered until they have passed', (t) => {
  const seen = new SeenSignatures();
  t.true(admit(seen, 'a', 300, 0));
  t.false(admit(seen, 'a', 300, 600));
});

test('a clock that is set back brings nothing back', (t) => {
  const seen = new SeenSignatures();
  t.true(admit(seen, 'a', 0));
  t.true(admit(seen, 'b', 1000));
  t.false(admit(seen, 'a', 0, 0));
});

test('when there are too many, the oldest are forgotten, and nothing of their age passes again', (t) => {
  const seen = new SeenSignatures(3);
  for (const [n, name] of ['a', 'b', 'c'].entries()) t.true(admit(seen, name, n));
  t.true(admit(seen, 'd', 3));
  t.false(admit(seen, 'a', 0, 3), 'forgotten, so refused');
  t.false(admit(seen, 'new', 0, 3), 'it could be one that was forgotten');
  for (const [n, name] of ['b', 'c', 'd'].entries()) t.false(admit(seen, name, n + 1, 3));
  t.true(admit(seen, 'e', 4));
});

test('too many of one second are refused, and the next second goes on', (t) => {
  const seen = new SeenSignatures(2);
  t.true(admit(seen, 'a', 0));
  t.true(admit(seen, 'b', 0));
  t.false(admit(seen, 'c', 0));
  t.true(admit(seen, 'd', 1));
  t.false(admit(seen, 'a', 0, 1));
});

test('it keeps no more than it may, whatever comes', (t) => {
  const seen = new SeenSignatures(50);
  const passed = new Set<string>();
  for (let n = 0; n < 5000; n += 1) {
    const date = Math.floor(n / 10) + ((n * 7919) % 600) - 300;
    const name = `${n % 1000}@${date}`;
    if (!admit(seen, name, date, Math.floor(n / 10))) continue;
    t.false(passed.has(name), name);
    passed.add(name);
  }
  t.true(passed.size > 100, `${passed.size} have passed`);
});
