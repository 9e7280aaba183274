import test from 'ava';
import type { Permission } from '../../server/model/group.js';
import type { Registration } from '../../server/model/registration.js';
import { rightsOf, withinDatacenter } from '../../server/model/rights.js';
import { mayUse, unusable } from '../../server/model/usable.js';
import { table } from '../support/table.js';

const user = (uuid: string, permissions: Permission[], datacenters = ['D'], { superAdmin = false } = {}) => {
  const group = { name: 'team', alias: '', permissions, members: [uuid], datacenters, created: '' };
  return { uuid, rights: rightsOf({ uuid, name: uuid, superAdmin, created: '' }, [], [group]) };
};

const users = {
  super: user('super', [], [], { superAdmin: true }),
  'super in D': { uuid: 'super', rights: withinDatacenter(user('super', [], [], { superAdmin: true }).rights, 'D') },
  admin: user('admin', ['admin']),
  maker: user('maker', ['admin', 'image_admin']),
  mate: user('mate', []),
  guest: user('guest', []),
  owner: user('owner', []),
  'owner of E': user('owner', [], ['E']),
  'admin of E': user('admin', ['admin'], ['E']),
};

const registered = (change: Partial<Registration>): Registration => ({
  name: 'image',
  access: 'private',
  datacenters: ['D'],
  created: '',
  changed: '',
  ...change,
});

const image = { owner: 'owner', public: false, activated: true, disabled: false };
const pending = { task: 'task', what: 'update' };
const isPublic = { access: 'public' } as const;

const images = {
  public: { ...image, registration: registered(isPublic) },
  private: { ...image, registration: registered({}) },
  deleted: { ...image, registration: registered({ access: 'deleted' }) },
  internal: { ...image, registration: registered({ access: 'internal' }) },
  'of a team': { ...image, registration: registered({ ...isPublic, groups: ['team'] }) },
  'of others': { ...image, registration: registered({ ...isPublic, groups: ['others'] }) },
  shown: { ...image, acl: ['guest'], registration: registered({}) },
  new: { ...image, activated: false, registration: registered(isPublic) },
  disabled: { ...image, disabled: true, registration: registered(isPublic) },
  pending: { ...image, registration: registered({ ...isPublic, pending }) },
  deprecated: { ...image, registration: registered({ ...isPublic, deprecated: { at: '', by: '' } }) },
  global: { ...image, registration: registered({ ...isPublic, datacenters: [], global: true }) },
  elsewhere: { ...image, registration: registered({ ...isPublic, datacenters: ['E'] }) },
};

const law = table<'image' | keyof typeof users>(`
  image       super        super in D   admin        maker        mate    guest   owner        owner of E  admin of E
  public      yes          yes          yes          yes          yes     yes     yes          hidden      hidden
  private     yes          private      private      private      hidden  hidden  yes          hidden      hidden
  deleted     deleted      deleted      deleted      deleted      hidden  hidden  deleted      hidden      hidden
  internal    internal     hidden       hidden       hidden       hidden  hidden  hidden       hidden      hidden
  of a team   yes          yes          yes          yes          yes     yes     yes          hidden      hidden
  of others   yes          yes          yes          yes          hidden  hidden  yes          hidden      hidden
  shown       yes          private      private      private      hidden  yes     yes          hidden      hidden
  new         unactivated  unactivated  unactivated  unactivated  hidden  hidden  unactivated  hidden      hidden
  disabled    disabled     disabled     disabled     disabled     hidden  hidden  disabled     hidden      hidden
  pending     pending      pending      pending      pending      hidden  hidden  pending      hidden      hidden
  deprecated  yes          yes          yes          yes          yes     yes     yes          hidden      hidden
  global      yes          yes          yes          yes          yes     yes     yes          hidden      hidden
  elsewhere   hidden       hidden       hidden       hidden       hidden  hidden  hidden       hidden      hidden
`);

const datacenter = (privateUsableByDcAdmin?: boolean, name = 'D') => ({
  name,
  settings: privateUsableByDcAdmin === undefined ? {} : { privateUsableByDcAdmin },
});

for (const { image: name, ...verdicts } of law) {
  test(`for a new machine in D: ${name}`, (t) => {
    for (const [who, verdict] of Object.entries(verdicts)) {
      const asked = images[name as keyof typeof images];
      t.is(mayUse(users[who as keyof typeof users], asked, datacenter()), verdict as 'yes', who);
      const withSetting = verdict === 'private' ? 'yes' : (verdict as 'yes');
      t.is(mayUse(users[who as keyof typeof users], asked, datacenter(true)), withSetting, `${who}, with the setting`);
    }
  });
}

test('the setting is that of the data center, or else of main', (t) => {
  const use = (own: boolean | undefined, ofMain: boolean) =>
    mayUse(users.admin, images.private, datacenter(own), datacenter(ofMain, 'main'));
  t.is(use(undefined, true), 'yes');
  t.is(use(false, true), 'private');
  t.is(use(true, false), 'yes');
  t.is(use(undefined, false), 'private');
});

test('every reason has its words', (t) => {
  const told = new Set(law.flatMap(({ image: _, ...verdicts }) => Object.values(verdicts)));
  t.deepEqual([...told].filter((verdict) => verdict !== 'yes').sort(), Object.keys(unusable).sort());
});
