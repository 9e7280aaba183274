import type { Datacenter } from './datacenter.js';
import type { Group, Permission } from './group.js';
import type { User } from './user.js';

export type Role = 'member' | 'admin' | 'imageAdmin' | 'importAdmin' | 'sharePublic';

/** What a user may do, and where: each role with the data centers in which it is held. */
export interface Rights extends Readonly<Record<Role, ReadonlySet<string>>> {
  superAdmin: boolean;
  /** The one data center that the credentials are good for; all where it is absent. */
  within?: string;
  /** The user's groups, by name. */
  groups: ReadonlySet<string>;
}

/** The permission that gives a role. None but the first is worth anything without it. */
const roleOf: Record<Permission, Role> = {
  admin: 'admin',
  image_admin: 'imageAdmin',
  image_import_admin: 'importAdmin',
  share_public: 'sharePublic',
};

/** As the management API calls them. */
export const roleNames: Record<Role, string> = {
  member: 'member',
  admin: 'admin',
  imageAdmin: 'image_admin',
  importAdmin: 'image_import_admin',
  sharePublic: 'share_public',
};

const NOWHERE: ReadonlySet<string> = new Set();

export const noRights: Rights = {
  superAdmin: false,
  groups: NOWHERE,
  member: NOWHERE,
  admin: NOWHERE,
  imageAdmin: NOWHERE,
  importAdmin: NOWHERE,
  sharePublic: NOWHERE,
};

/** The owner of a data center is its administrator; all else comes from groups that are attached to it. */
export function rightsOf(
  { uuid, superAdmin }: User,
  datacenters: Iterable<Datacenter>,
  groups: Iterable<Group>,
): Rights {
  const held: Record<Role, Set<string>> = {
    member: new Set(),
    admin: new Set(),
    imageAdmin: new Set(),
    importAdmin: new Set(),
    sharePublic: new Set(),
  };
  for (const { name, owner } of datacenters) {
    if (owner !== uuid) continue;
    held.member.add(name);
    held.admin.add(name);
  }
  const own = [...groups].filter(({ members }) => members.includes(uuid));
  for (const { permissions, datacenters } of own) {
    for (const name of datacenters) {
      held.member.add(name);
      for (const permission of permissions) held[roleOf[permission]].add(name);
    }
  }
  const { member, admin, ...beyond } = held;
  const asAdmin = (names: ReadonlySet<string>) => new Set([...names].filter((name) => admin.has(name)));
  return {
    superAdmin,
    groups: new Set(own.map(({ name }) => name)),
    member,
    admin,
    imageAdmin: asAdmin(beyond.imageAdmin),
    importAdmin: asAdmin(beyond.importAdmin),
    sharePublic: asAdmin(beyond.sharePublic),
  };
}

/** What is left of rights for credentials that are good in one data center only. */
export function withinDatacenter(rights: Rights, name: string): Rights {
  const here = (names: ReadonlySet<string>): ReadonlySet<string> => (names.has(name) ? new Set([name]) : NOWHERE);
  const all = rights.superAdmin ? new Set([name]) : undefined;
  return {
    superAdmin: false,
    within: name,
    groups: rights.groups,
    member: all ?? here(rights.member),
    admin: all ?? here(rights.admin),
    imageAdmin: all ?? here(rights.imageAdmin),
    importAdmin: all ?? here(rights.importAdmin),
    sharePublic: all ?? here(rights.sharePublic),
  };
}

export function sameRights(one: Rights, other: Rights): boolean {
  if (one === other) return true;
  const isSame = (some: ReadonlySet<string>, others: ReadonlySet<string>) =>
    some.size === others.size && [...some].every((name) => others.has(name));
  const roles = Object.keys(roleNames) as Role[];
  return (
    one.superAdmin === other.superAdmin &&
    isSame(one.groups, other.groups) &&
    roles.every((role) => isSame(one[role], other[role]))
  );
}
