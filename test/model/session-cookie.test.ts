import test from 'ava';
import fc from 'fast-check';
import { clearedCookie, cookieForm, cookieLine, secretIn } from '../../server/model/session-cookie.js';
import { makeSecret } from '../../server/operations/token-secret.js';
import { table } from '../support/table.js';

for (const { tls, publicUrl, name, path, secure } of table<'tls' | 'publicUrl' | 'name' | 'path' | 'secure'>(`
  tls  publicUrl          name              path  secure
  no   -                  slipway           /     no
  yes  -                  __Host-slipway    /     yes
  no   http://a           slipway           /     no
  yes  http://a           __Host-slipway    /     yes
  no   http://a:81/b/c/   slipway           /b/c  no
  no   https://a          __Host-slipway    /     yes
  no   https://a/         __Host-slipway    /     yes
  no   https://a/b        __Secure-slipway  /b    yes
  yes  http://a/b//       __Secure-slipway  /b    yes
`)) {
  test(`${tls === 'yes' ? 'over TLS' : 'in clear'}, known as ${publicUrl || 'nothing'}`, (t) => {
    const form = cookieForm(tls === 'yes', { publicUrl: publicUrl || undefined });
    t.deepEqual(form, { name, path, secure: secure === 'yes' });
  });
}

const form = cookieForm(true, { publicUrl: undefined });
const secret = makeSecret();
const pair = `__Host-slipway=${secret}`;

for (const [header, found] of [
  [pair, true],
  [`a=b; ${pair}`, true],
  [`a=b;${pair};c`, true],
  [`;; ${pair} ;`, true],
  [`${pair}; __Host-slipway2=x; slipway=y`, true],
  [`${pair}; ${pair}`, false],
  [`${pair}; __Host-slipway=`, false],
  [`${pair}x`, false],
  [`${pair}=`, false],
  [`__host-slipway=${secret}`, false],
  [`__Host-slipway="${secret}"`, false],
  [`__Host-slipway =${secret}`, false],
  [`__Host-slipway=${secret.slice(1)}`, false],
  [`__Host-slipway=${encodeURIComponent(`${secret} `)}`, false],
  [`a=b, ${pair}`, false],
  ['', false],
  ['=', false],
  ['__Host-slipway', false],
] as const) {
  test(`in "${header.replaceAll(secret, 'SECRET')}" there is ${found ? 'a' : 'no'} secret`, (t) => {
    t.is(secretIn(header, form), found ? secret : undefined);
  });
}

test('whatever is sent can be read', (t) => {
  const part = fc.oneof(fc.constantFrom(pair, '__Host-slipway=', ';', '=', '"', ' '), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const found = secretIn(parts.join(''), form);
      return found === undefined || parts.join('').includes(`__Host-slipway=${found}`);
    }),
  );
  t.pass();
});

test('what browsers are told', (t) => {
  t.is(cookieLine(form, 's', 60), '__Host-slipway=s; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure');
  t.is(clearedCookie(form), '__Host-slipway=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure');
  const plain = cookieForm(false, { publicUrl: 'http://a/b' });
  t.is(cookieLine(plain, 's', 60), 'slipway=s; Path=/b; Max-Age=60; HttpOnly; SameSite=Strict');
});
