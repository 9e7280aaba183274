import test from 'ava';
import { audienceOf, isAmong, type Part } from '../../server/model/audience.js';
import { anonymous, type Caller, trusted } from '../../server/model/caller.js';
import type { Permission } from '../../server/model/group.js';
import type { Access, Placement } from '../../server/model/registration.js';
import { rightsOf, withinDatacenter } from '../../server/model/rights.js';
import { userUuid } from '../../server/model/user.js';
import { canList, canRead, canReadAsOrigin, type Visible } from '../../server/model/visibility.js';
import { table } from '../support/table.js';

// What callers see of images that stand in data centers: D and E, which are closed, and main, which is open.

const kinds = table<'kind' | 'in' | 'access' | 'groups' | 'acl' | 'state'>(`
  kind       in      access    groups  acl    state
  pub        D       public    -       -      active
  priv       D       private   -       -      active
  del        D       deleted   -       -      active
  internal   D       internal  -       -      active
  team       D       public    team    -      active
  team-priv  D       private   team    -      active
  nobody     D       public    none    -      active
  acl        D       private   -       guest  active
  acl-team   D       public    team    guest  active
  acl-del    D       deleted   -       guest  active
  new        D bound  public    -       -      new
  new-del    D bound  deleted   -       -      new
  new-int    D bound  internal  -       -      new
  new-share  D       public    -       guest  new
  off        D       public    -       guest  disabled
  both       D E     private   -       -      active
  glob       all     public    -       -      active
  glob-priv  all     private   -       -      active
  e          E       public    -       -      active
  open       main    public    -       -      active
  open-off   main    public    -       -      disabled
  open-team  main    public    team    -      active
`);

function imageOf({ in: where, access, groups, acl, state }: (typeof kinds)[number]): Visible {
  const placement: Placement = {
    access: access as Access,
    datacenters: where === 'all' ? [] : where.replace(' bound', '').split(' '),
    ...(where === 'all' && { global: true }),
    ...(where.includes('bound') && { boundTo: 'D' }),
    ...(groups && { groups: groups === 'none' ? [] : [groups] }),
  };
  return {
    owner: userUuid('owner'),
    public: access === 'public',
    activated: state !== 'new',
    disabled: state === 'disabled',
    ...(acl && { acl: [userUuid(acl)] }),
    registration: placement,
  };
}

const images = new Map(kinds.map((row) => [row.kind, imageOf(row)]));

const group = (name: string, datacenters: string[], member: string, permissions: Permission[] = []) => ({
  name,
  alias: name,
  permissions,
  members: [userUuid(member)],
  datacenters,
  created: '',
});

const ALL: Permission[] = ['admin', 'image_admin', 'image_import_admin', 'share_public'];
const groups = [
  group('people', ['D'], 'member'),
  group('team', ['D'], 'mate'),
  group('team', ['E'], 'mate of E'),
  group('people', ['D'], 'guest'),
  group('admins', ['D'], 'admin', ['admin']),
  group('powers', ['D'], 'no admin', ['image_admin', 'share_public']),
  group('makers', ['D'], 'maker', ['admin', 'image_admin']),
  group('all', ['D', 'E'], 'of both', ALL),
  group('all', ['E'], 'of E', ALL),
];

function user(name: string, { superAdmin = false, within }: { superAdmin?: boolean; within?: string } = {}): Caller {
  const user = { uuid: userUuid(name), name, superAdmin, created: '' };
  const rights = rightsOf(user, [], groups);
  return { kind: 'user', user, rights: within === undefined ? rights : withinDatacenter(rights, within) };
}

const node = (datacenters: string[], publish?: string): Caller => ({
  kind: 'node',
  node: { name: 'node', datacenters, addresses: [], knownByAddress: false, created: '' },
  ...(publish !== undefined && { publish }),
});

const callers: Record<string, Caller> = {
  anonymous,
  trusted,
  'node of D': node(['D']),
  'bringing to D': node(['D'], 'D'),
  'node of E': node(['E']),
  'node of both': node(['D', 'E']),
  'node of none': node([]),
  member: user('member'),
  mate: user('mate'),
  'mate of E': user('mate of E'),
  guest: user('guest'),
  admin: user('admin'),
  'no admin': user('no admin'),
  maker: user('maker'),
  owner: user('owner'),
  'of E': user('of E'),
  'of both': user('of both'),
  super: user('super', { superAdmin: true }),
  'super in D': user('super', { superAdmin: true, within: 'D' }),
  'of both in E': user('of both', { within: 'E' }),
  'owner in E': user('owner', { within: 'E' }),
  stranger: user('stranger'),
};

/** What is listed, and what can be had beside that by whoever can name it. */
const law = table<'caller' | 'lists' | 'by name'>(`
  caller         lists                                                                                     by name
  anonymous      glob open                                                                                 -
  stranger       glob open                                                                                 -
  member         pub glob open                                                                             -
  mate           pub team team-priv acl-team glob open                                                     -
  mate of E      glob e open                                                                               -
  guest          pub acl acl-team glob open                                                                -
  no admin       pub glob open                                                                             -
  admin          pub priv team team-priv nobody acl acl-team off both glob glob-priv open                  del acl-del
  maker          pub priv team team-priv nobody acl acl-team new off both glob glob-priv open              del acl-del new-del
  super in D     pub priv team team-priv nobody acl acl-team new off both glob glob-priv open              del acl-del new-del
  of E           both glob glob-priv e open                                                                -
  of both in E   both glob glob-priv e open                                                                -
  owner in E     both glob glob-priv e open                                                                -
  of both        pub priv team team-priv nobody acl acl-team new off both glob glob-priv e open            del acl-del new-del
  owner          pub priv team team-priv nobody acl acl-team new new-share off both glob glob-priv e open open-off open-team  del acl-del new-del
  node of D      pub priv internal team team-priv nobody acl acl-team both glob glob-priv                  del acl-del off
  bringing to D  pub priv internal team team-priv nobody acl acl-team both glob glob-priv                  del acl-del off new new-del new-int
  node of E      both glob glob-priv e                                                                     -
  node of both   pub priv internal team team-priv nobody acl acl-team both glob glob-priv e                del acl-del off
  node of none   -                                                                                         -
  super          ALL                                                                                       -
  trusted        ALL                                                                                       -
`);

const names = (text: string) => (text === 'ALL' ? [...images.keys()] : text.split(' ').filter(Boolean)).sort();

for (const { caller, lists, 'by name': byName } of law) {
  test(`${caller} sees`, (t) => {
    const viewer = { caller: callers[caller]!, mode: 'dc', open: new Set(['main']) } as const;
    const those = (may: typeof canRead) => [...images].filter(([, image]) => may(viewer, image)).map(([name]) => name);
    t.deepEqual(those(canList).sort(), names(lists), 'lists');
    t.deepEqual(those(canRead).sort(), names(`${lists === 'ALL' ? names(lists).join(' ') : lists} ${byName}`), 'reads');
  });
}

test('every caller has a row', (t) => {
  t.deepEqual(law.map(({ caller }) => caller).sort(), Object.keys(callers).sort());
});

test('where nothing is open, nobody sees anything without credentials', (t) => {
  const viewer = { caller: anonymous, mode: 'dc', open: new Set<string>() } as const;
  for (const [name, image] of images) t.false(canRead(viewer, image) || canList(viewer, image), name);
});

test('their own account shows users no more than it has, and nobody else may be named', (t) => {
  const viewer = { caller: callers.admin!, account: userUuid('admin'), mode: 'dc', open: new Set(['main']) } as const;
  const read = [...images].filter(([, image]) => canRead(viewer, image)).map(([name]) => name);
  t.deepEqual(read, ['pub', 'team', 'nobody', 'acl-team', 'off', 'glob', 'open']);
});

test('origins are for everybody who may have what is built on them, but nodes take none that still arrives', (t) => {
  for (const [name, caller] of Object.entries(callers)) {
    const viewer = { caller, mode: 'dc', open: new Set<string>() } as const;
    t.true(canReadAsOrigin(viewer, images.get('internal')!), name);
    t.is(canReadAsOrigin(viewer, images.get('new')!), caller.kind !== 'node', name);
  }
});

/** Is the caller one of those? */
function isOf(caller: Caller, { who, name = '', where }: Part): boolean {
  const isThere = (names: Iterable<string>) => where === '*' || where === undefined || [...names].includes(where);
  if (caller.kind === 'node')
    return who === 'nodes' && caller.node.datacenters.length > 0 && isThere(caller.node.datacenters);
  if (who === 'everybody') return true;
  if (caller.kind !== 'user') return false;
  const { member, admin, imageAdmin, groups } = caller.rights;
  if (who === 'user') return caller.user.uuid === name && (where === undefined || isThere(member));
  const held = { nodes: [], managers: imageAdmin, admins: admin, members: member, group: member }[who];
  return isThere(held) && [...held].length > 0 && (who !== 'group' || groups.has(name));
}

test('the audience of an image is all who can read it, and nobody else', (t) => {
  const open = new Set(['main']);
  for (const [name, caller] of Object.entries(callers)) {
    if (/^(trusted|super|bringing)|in E$/.test(name)) continue;
    for (const [kind, image] of images) {
      const isThere = audienceOf(image, open).some((part) => isOf(caller, part));
      t.is(isThere, canRead({ caller, mode: 'dc', open }, image), `${name} and ${kind}`);
    }
  }
});

const covered = table<'part' | 'among'>(`
  part         among
  everybody    open glob
  nodes D      pub priv del internal team team-priv nobody acl acl-team acl-del off both glob glob-priv open
  nodes E      both e glob glob-priv open
  admins D     pub priv del team team-priv nobody acl acl-team acl-del off both glob glob-priv open
  managers D   pub priv del team team-priv nobody acl acl-team acl-del off both glob glob-priv open new new-del
  members D    pub glob open
  group D team  pub team team-priv acl-team glob open
  group D other  pub glob open
  user D guest  pub acl acl-team glob open
  user D owner  ALL
  nodes *      glob glob-priv open
  members *    glob open
`);

test('who is among whom', (t) => {
  const open = new Set(['main']);
  for (const { part, among } of covered) {
    const [who, where, name] = part.split(' ');
    const asked = { who, where, ...(name && { name: who === 'user' ? userUuid(name) : name }) } as Part;
    const found = [...images].filter(([, image]) => isAmong(asked, audienceOf(image, open))).map(([kind]) => kind);
    const all = [...images.keys()].filter((kind) => !['internal', 'new-int'].includes(kind));
    t.deepEqual(found.sort(), among === 'ALL' ? all.sort() : names(among), part);
  }
});
