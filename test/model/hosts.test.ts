import test from 'ava';
import { hostMatcher, originMatcher, ownOriginMatcher } from '../../server/model/hosts.js';

const knownAs = { hostNames: ['images.example.com'], publicUrl: 'https://cdn.example.org/base', hostname: 'box7' };

for (const [host, expected] of [
  ['images.example.com', true],
  ['IMAGES.example.com:8080', true],
  ['images.example.com.', true],
  ['cdn.example.org', true],
  ['box7:8080', true],
  ['localhost', true],
  ['127.0.0.1:8080', true],
  ['[::1]:8080', true],
  ['[fe80::1]', true],
  ['', true],
  ['evil.example', false],
  ['images.example.com.evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['box7.evil.example', false],
  ['[::1].evil.example', false],
  ['localhost:8080@evil.example', false],
] as const) {
  test(`a caller who names the host "${host}" ${expected ? 'means' : 'does not mean'} this server`, (t) => {
    t.is(hostMatcher(knownAs)(host), expected);
  });
}

test('what it is known by only at the moment is not remembered', (t) => {
  const also = new Set(['North.example'.toLowerCase()]);
  const isKnown = hostMatcher({ ...knownAs, isAlso: (host) => also.has(host) });
  t.true(isKnown('North.example:80'));
  also.clear();
  t.false(isKnown('North.example:80'));
});

test('with * every host is meant', (t) => {
  t.true(hostMatcher({ ...knownAs, hostNames: ['*'] })('evil.example'));
});

for (const [origin, host, expected] of [
  ['http://127.0.0.1:8080', '127.0.0.1:8080', true],
  ['https://images.example.com', '10.0.0.7:8080', true],
  ['https://cdn.example.org', '10.0.0.7:8080', true],
  ['https://any.example', 'any.example:443', true],
  ['http://any.example:8080', 'ANY.example:8080', true],
  ['http://127.0.0.1:3000', '127.0.0.1:8080', false],
  ['https://evil.example', '127.0.0.1:8080', false],
  ['null', '127.0.0.1:8080', false],
  ['', '', false],
] as const) {
  test(`a page of "${origin}" ${expected ? 'belongs' : 'does not belong'} to the server at "${host}"`, (t) => {
    t.is(originMatcher(knownAs)(origin, host), expected);
  });
}

test('* in hostNames makes no origin ours', (t) => {
  t.false(originMatcher({ ...knownAs, hostNames: ['*'] })('https://evil.example', '127.0.0.1'));
});

for (const [origin, host, expected, overTls = false] of [
  ['http://127.0.0.1:8080', '127.0.0.1:8080', true],
  ['http://127.0.0.1', '127.0.0.1', true],
  ['http://any.example:8080', 'ANY.example:8080', true],
  ['https://any.example', 'any.example:443', true],
  ['https://images.example.com', '10.0.0.7:8080', true],
  ['https://cdn.example.org', '10.0.0.7:8080', true],
  ['https://images.example.com:8443', '10.0.0.7:8080', false],
  ['https://cdn.example.org:8443', '10.0.0.7:8080', false],
  ['https://images.example.com.evil.example', '10.0.0.7:8080', false],
  ['http://127.0.0.1:3000', '127.0.0.1:8080', false],
  ['https://any.example', 'any.example', true, true],
  ['http://any.example', 'any.example', false, true],
  ['http://images.example.com', 'images.example.com', false, true],
  ['null', '127.0.0.1:8080', false],
  ['file:///', '', false],
  ['', '', false],
] as const) {
  const where = `the server at "${host}"${overTls ? ' over TLS' : ''}`;
  test(`a page of "${origin}" ${expected ? 'is one' : 'is none'} of ${where}`, (t) => {
    t.is(ownOriginMatcher(knownAs)(origin, host, overTls), expected);
  });
}
