import test from 'ava';
import { lifeOf, presentSession, printable, prolonged, type Session } from '../../server/model/session.js';
import { table } from '../support/table.js';

const MADE = new Date('2026-01-01T00:00:00.000Z');
const at = (hours: number | string) => new Date(MADE.getTime() + Number(hours) * 3_600_000);

const record: Session = {
  hash: 'h',
  user: 'u',
  created: MADE.toISOString(),
  expires: at(1).toISOString(),
  address: '::1',
};

/** In hours from when it was made; `proof` is when that ends which proves the user. */
for (const { window, proof, expires, until } of table<'window' | 'proof' | 'expires' | 'until'>(`
  window  proof  expires  until
  1       -      1        14
  12      -      12       168
  12      6      6        6
  12      24     12       24
  12      999    12       168
`)) {
  test(`without use for ${window} h it ends; its proof ends after ${proof || 'no'} h`, (t) => {
    const end = proof ? at(proof).toISOString() : undefined;
    t.deepEqual(lifeOf(MADE, Number(window) * 3600, end), {
      expires: at(expires).toISOString(),
      cookie: { window: Number(window) * 3600, until: at(until).toISOString() },
    });
  });
}

for (const { before, used, after } of table<'before' | 'used' | 'after'>(`
  before  used  after
  1       0     1
  1       0.5   1.5
  2       0.5   2
  3       2.5   3
  2       2     3
`)) {
  test(`used after ${used} h, what ended after ${before} h ends after ${after}`, (t) => {
    const session = {
      ...record,
      expires: at(before).toISOString(),
      cookie: { window: 3600, until: at(3).toISOString() },
    };
    t.deepEqual(prolonged(session, at(used)), { ...session, expires: at(after).toISOString() });
  });
}

test('a login of a program is not prolonged', (t) => {
  t.is(prolonged(record, at(0.5)), record);
});

test('records from before there were browsers are those of passwords', (t) => {
  const { made, user_agent, current } = presentSession(record, 'h');
  t.deepEqual({ made, user_agent, current }, { made: 'password', user_agent: '', current: true });
});

test('of what a program says that it is, 200 characters that can be shown are kept', (t) => {
  t.is(printable('Mozilla/5.0 (X11)'), 'Mozilla/5.0 (X11)');
  t.is(printable('a\u0000b\r\n\u001b[31mc\u202ed\u00e9'), 'ab[31mcd');
  t.is(printable('\u0007'.repeat(300) + 'x'.repeat(300)), 'x'.repeat(200));
});
