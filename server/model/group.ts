export const permissions = ['admin', 'image_admin', 'image_import_admin', 'share_public'] as const;
export type Permission = (typeof permissions)[number];

/** Users who have the same permissions, in the data centers to which the group is attached. */
export interface Group {
  name: string;
  alias: string;
  permissions: Permission[];
  /** Users, by uuid. */
  members: string[];
  datacenters: string[];
  created: string;
}

export const groups = {
  name: 'groups',
  id: ({ name }: Group) => name,
  index: ({ members, datacenters }: Group) => [
    ...members.map((member) => `member:${member}`),
    ...datacenters.map((name) => `datacenter:${name}`),
  ],
};

export const GROUP_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;

export const inDatacenter = (group: Group, name: string): Group =>
  group.datacenters.includes(name) ? group : { ...group, datacenters: [...group.datacenters, name].sort() };

export const notInDatacenter = (group: Group, name: string): Group => ({
  ...group,
  datacenters: group.datacenters.filter((other) => other !== name),
});
