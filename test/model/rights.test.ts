import test from 'ava';
import type { Group, Permission } from '../../server/model/group.js';
import { type Rights, rightsOf, withinDatacenter } from '../../server/model/rights.js';
import { table } from '../support/table.js';

const datacenter = (name: string, owner: string) => ({
  name,
  owner,
  alias: name,
  description: '',
  location: '',
  settings: {},
  created: '',
});

const group = (name: string, datacenters: string[], permissions: Permission[], members = ['someone']): Group => ({
  name,
  alias: name,
  permissions,
  members,
  datacenters,
  created: '',
});

const user = (superAdmin = false) => ({ uuid: 'someone', name: 'someone', superAdmin, created: '' });

/** Groups as `name@D,E permission permission`; what comes of them in which data centers. */
const law = table<'groups' | 'owns' | 'member' | 'admin' | 'imageAdmin' | 'importAdmin' | 'sharePublic'>(`
  groups                                       owns  member  admin  imageAdmin  importAdmin  sharePublic
  -                                            -     -       -      -           -            -
  a@D                                          -     D       -      -           -            -
  a@D admin                                    -     D       D      -           -            -
  a@D image_admin                              -     D       -      -           -            -
  a@D share_public image_import_admin          -     D       -      -           -            -
  a@D admin image_admin                        -     D       D      D           -            -
  a@D admin; b@D image_admin                   -     D       D      D           -            -
  a@D admin; b@E image_admin                   -     D E     D      -           -            -
  a@D,E admin; b@E image_admin share_public    -     D E     D E    E           -            E
  a@D admin image_import_admin                 -     D       D      -           D            -
  -                                            D     D       D      -           -            -
  a@D image_admin                              D     D       D      D           -            -
  a@E image_admin                              D     D E     D      -           -            -
  a@nowhere                                    -     -       -      -           -            -
`);

const roles = ['member', 'admin', 'imageAdmin', 'importAdmin', 'sharePublic'] as const;

for (const { groups, owns, ...expected } of law) {
  test(`groups ${groups || 'none'}, owner of ${owns || 'nothing'}`, (t) => {
    const all = groups.split('; ').flatMap((text) => {
      const [place = '', ...permissions] = text.split(' ');
      const [name = '', where = ''] = place.split('@');
      return name ? [group(name, where === 'nowhere' ? [] : where.split(','), permissions as Permission[])] : [];
    });
    const others = group('others', ['D', 'E'], ['admin', 'image_admin', 'share_public'], ['somebody else']);
    const datacenters = ['D', 'E'].map((name) => datacenter(name, owns === name ? 'someone' : 'other'));
    const rights = rightsOf(user(), datacenters, [...all, others]);
    const held = Object.fromEntries(roles.map((role) => [role, [...rights[role]].sort().join(' ')]));
    t.deepEqual(held, expected);
    t.deepEqual(
      [...rights.groups],
      all.map(({ name }) => name),
    );
    t.false(rights.superAdmin);
  });
}

const everything: Permission[] = ['admin', 'image_admin', 'image_import_admin', 'share_public'];
const held = (rights: Rights) => roles.map((role) => [...rights[role]].join(' '));

test('credentials for one data center give what the user has there, and nothing elsewhere', (t) => {
  const rights = rightsOf(user(), [], [group('a', ['D', 'E'], everything)]);
  t.deepEqual(held(withinDatacenter(rights, 'D')), ['D', 'D', 'D', 'D', 'D']);
  t.deepEqual(held(withinDatacenter(rights, 'F')), ['', '', '', '', '']);
  t.is(withinDatacenter(rights, 'D').within, 'D');
});

test('an administrator of all has every role in the one data center, and is no administrator of all any more', (t) => {
  const limited = withinDatacenter(rightsOf(user(true), [], []), 'D');
  t.false(limited.superAdmin);
  t.deepEqual(held(limited), ['D', 'D', 'D', 'D', 'D']);
  t.deepEqual(held(withinDatacenter(limited, 'E')), ['', '', '', '', ''], 'and can not be widened again');
});
