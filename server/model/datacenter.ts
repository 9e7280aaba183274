import type { DatacenterSettings } from './datacenter-settings.js';

/** A data center: the images that are attached to it are those that its people and nodes see. */
export interface Datacenter {
  name: string;
  /** A user, by uuid, who is its administrator whatever the groups say. */
  owner: string;
  alias: string;
  description: string;
  /** The site it lies in. */
  location: string;
  /** What was set here; all else has its default. */
  settings: Partial<DatacenterSettings>;
  created: string;
}

export const datacenters = {
  name: 'datacenters',
  id: ({ name }: Datacenter) => name,
  index: ({ owner }: Datacenter) => [`owner:${owner}`],
};

/** The one that every installation has, and that can not be deleted. */
export const MAIN = 'main';

export const DATACENTER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,15}$/;

/** A data center as its administrators see it; `owner` is the name of the user. */
export function presentDatacenter({ name, alias, description, location, created }: Datacenter, owner: string) {
  return { name, alias, owner, description, location, created };
}
