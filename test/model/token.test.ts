import { createHash } from 'node:crypto';
import test from 'ava';
import { ImgapiError } from '../../imgapi/errors.js';
import { covers, type Scope, scopes, type UserScope } from '../../server/model/scope.js';
import {
  checkGives,
  expiryFrom,
  FIRST,
  hasExpired,
  hashToken,
  isFirst,
  presentToken,
  TOKEN_NAME,
  tokens,
} from '../../server/model/token.js';
import { ADMIN } from '../../server/model/user.js';
import { table } from '../support/table.js';

const now = new Date('2026-06-15T12:00:00.000Z');
const record = { hash: 'h', name: 'n', user: 'u', created: '2026-01-01T00:00:00.000Z' };
const someone = { uuid: 'u', name: 'someone', superAdmin: false, created: '' };

test('of a token its SHA-256 is kept', (t) => {
  t.is(hashToken('secret'), createHash('sha256').update('secret').digest('hex'));
});

test('a name is unique among the tokens of a user', (t) => {
  t.deepEqual(tokens.unique(record), ['name:u/n']);
});

const names = table<'name' | 'good'>(`
  name          good
  a             yes
  9             yes
  CI            yes
  b.ox-2_x      yes
  a*64          yes
  a*65          no
  .a            no
  -a            no
  _a            no
  a b           no
  a/b           no
  a%b           no
  ä             no
  a\\n          no
`);

test('names', (t) => {
  for (const { name, good } of names) {
    const spelled = name.replace(/a\*(\d+)/, (_, count) => 'a'.repeat(Number(count))).replace('\\n', '\n');
    t.is(TOKEN_NAME.test(spelled), good === 'yes', name);
  }
  t.false(TOKEN_NAME.test(''));
});

const ends = table<'text' | 'end'>(`
  text                           end
  1m                             2026-06-15T12:01:00.000Z
  90m                            2026-06-15T13:30:00.000Z
  12h                            2026-06-16T00:00:00.000Z
  90d                            2026-09-13T12:00:00.000Z
  2w                             2026-06-29T12:00:00.000Z
  2026-06-15T12:00:00.001Z       2026-06-15T12:00:00.001Z
  2026-06-15T14:00:01+02:00      2026-06-15T12:00:01.000Z
  9999-12-31T23:59:59Z           9999-12-31T23:59:59.000Z
  2026-06-15T12:00:00Z           -
  2026-06-15T13:00:00+02:00      -
  2000-01-01T00:00:00Z           -
`);

test('until when a token is good', (t) => {
  for (const { text, end } of ends) {
    if (end) t.is(expiryFrom(text, now), end, text);
    else
      t.like(
        t.throws(() => expiryFrom(text, now), { instanceOf: ImgapiError }),
        { status: 400 },
        text,
      );
  }
});

test('a token is good until its end, and not at it', (t) => {
  t.false(hasExpired({}, now));
  t.false(hasExpired({ expires: '2026-06-15T12:00:00.001Z' }, now));
  t.true(hasExpired({ expires: '2026-06-15T12:00:00.000Z' }, now));
});

const covering = table<'scope' | UserScope>(`
  scope    full  admin  write  read  metrics
  full     yes   yes    yes    yes   yes
  admin    yes   yes    yes    yes   yes
  write    no    no     yes    yes   yes
  read     no    no     no     yes   yes
  metrics  no    no     no     no    yes
`);

test('which scope is good for all that another is', (t) => {
  t.deepEqual(
    covering.map(({ scope }) => scope),
    scopes,
  );
  for (const { scope, ...others } of covering) {
    for (const other of scopes) t.is(covers(scope as Scope, other), others[other] === 'yes', `${scope} ${other}`);
  }
});

const withDatacenters = table<'own' | 'wanted' | 'given'>(`
  own   wanted  given
  -     -       yes
  -     lab     yes
  lab   lab     yes
  lab   -       no
  lab   main    no
`);

test('who has credentials for one data center gives none for another, nor for all', (t) => {
  for (const { own, wanted, given } of withDatacenters) {
    const give = () => checkGives({ scope: 'full', dc: own || undefined }, { scope: 'read', dc: wanted || undefined });
    if (given === 'yes') t.notThrows(give);
    else t.like(t.throws(give, { instanceOf: ImgapiError }), { code: 'NotPermitted' }, `${own} ${wanted}`);
  }
});

const gifts = table<'own' | 'until' | 'wanted' | 'expires' | 'given'>(`
  own      until                     wanted   expires                   given
  full     -                         full     -                         yes
  full     -                         metrics  2026-07-01T00:00:00.000Z  yes
  read     -                         read     -                         yes
  read     -                         full     -                         no
  read     -                         full     2026-07-01T00:00:00.000Z  no
  metrics  -                         read     -                         no
  full     2026-07-01T00:00:00.000Z  full     2026-07-01T00:00:00.000Z  yes
  full     2026-07-01T00:00:00.000Z  read     2026-06-30T00:00:00.000Z  yes
  full     2026-07-01T00:00:00.000Z  read     2026-07-01T00:00:00.001Z  no
  full     2026-07-01T00:00:00.000Z  read     -                         no
  full     2026-07-01T00:00:00.000Z  full     +010000-01-01T13:59:59.000Z  no
`);

test('nobody gives what they do not have', (t) => {
  for (const { own, until, wanted, expires, given } of gifts) {
    const give = () =>
      checkGives(
        { scope: own as Scope, expires: until || undefined },
        { scope: wanted as Scope, expires: expires || undefined },
      );
    const why = [own, until, wanted, expires].join(' ');
    if (given === 'yes') t.notThrows(give, why);
    else t.like(t.throws(give, { instanceOf: ImgapiError }), { code: 'NotPermitted' }, why);
  }
});

test('a token as people see it: without its hash, and full where it is from before there were scopes', (t) => {
  const shown = {
    name: 'n',
    user: 'someone',
    scope: 'full',
    dc: null,
    created: record.created,
    expired: false,
    last_used: null,
  };
  t.deepEqual(presentToken(record, someone, now), shown);
  const expires = now.toISOString();
  t.deepEqual(presentToken({ ...record, expires, scope: 'read' }, someone, now), {
    ...shown,
    scope: 'read',
    expires,
    expired: true,
  });
});

test('the first token is that of the administrator only', (t) => {
  t.true(isFirst({ ...record, ...FIRST }));
  t.false(isFirst({ ...record, name: 'first' }));
  t.false(isFirst({ ...record, user: ADMIN.uuid }));
});
