import test from 'ava';
import { isTold, type OpenIdRules, pathInConsole, personIn, withoutCode } from '../../server/model/openid.js';
import { table } from '../support/table.js';

const rules: OpenIdRules = {
  issuer: 'https://login.example',
  name: 'preferred_username',
  groups: 'groups',
  groupMap: { ops: ['east', 'west'], dev: ['west'] },
  creates: true,
  binds: false,
  label: 'x',
};

test('claims are found by their names, with dots or along them', (t) => {
  const nested = { sub: 's', realm_access: { roles: ['ops'] } };
  const flat = { sub: 's', 'https://example.com/roles': ['dev'], realm_access: 'x' };
  const groupsOf = (claims: typeof nested | typeof flat, groups: string) => [
    ...personIn(claims, { ...rules, groups }).groups,
  ];
  t.deepEqual(groupsOf(nested, 'realm_access.roles'), ['east', 'west']);
  t.deepEqual(groupsOf(flat, 'https://example.com/roles'), ['west']);
  t.deepEqual(groupsOf(flat, 'realm_access.roles'), []);
  t.deepEqual(groupsOf(nested, 'constructor.name'), []);
  t.deepEqual(groupsOf(nested, '__proto__'), []);
});

test('more is asked for only where something is missing', (t) => {
  const named = { sub: 's', preferred_username: 'anna' };
  t.false(isTold({ sub: 's' }, rules));
  t.false(isTold(named, rules));
  t.true(isTold(named, { ...rules, groupMap: {} }));
  t.true(isTold({ ...named, groups: [] }, rules));
  t.false(isTold({ sub: 's', groups: [] }, rules));
});

const paths = table<'to' | 'prefix' | 'leads'>(`
  to                         prefix  leads
  /console/                  -       /console/
  /console                   -       /console
  /console?a=b               -       /console?a=b
  /console/images/a%20b#x    -       /console/images/a%20b#x
  /console/a/../b            -       /console/b
  /base/console/a            /base   /console/a
  /console/a                 /base   /console/a
  /base/base/console/a       /base   refused
  /basement/console/a        /base   refused
  /console/../base/console/  /base   refused
  /console/openid/callback   -       refused
  /base/console/openid/x     /base   refused
  /consolee                  -       refused
  //console/                 -       refused
  /base//evil/console/       /base   refused
  http://here/console/       -       refused
`);

test('where a browser goes in the end', (t) => {
  for (const { to, prefix, leads } of paths) {
    const led = () => pathInConsole(to, prefix.replace('-', ''));
    if (leads === 'refused') t.throws(led, { message: /^to is not a path below \/console\/$/ }, to);
    else t.is(led(), leads, to);
  }
  t.is(pathInConsole(undefined, ''), '/console/');
});

test('what comes back stays out of logs', (t) => {
  t.is(withoutCode('/console/openid/callback?code=x&state=y'), '/console/openid/callback?…');
  t.is(withoutCode('/Console/OpenID/callback/?code=x'), '/Console/OpenID/callback/?…');
  t.is(withoutCode('/images?state=all'), '/images?state=all');
});
