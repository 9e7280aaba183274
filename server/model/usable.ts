import type { Datacenter } from './datacenter.js';
import { settingsOf } from './datacenter-settings.js';
import { placementOf, type Registration } from './registration.js';
import { type Rights, withinDatacenter } from './rights.js';
import { isOffered, type Visible } from './visibility.js';

/** Why an image can not be used for a new machine. A hidden one is to be answered like one that does not exist. */
export const unusable = {
  hidden: 'does not exist there',
  internal: 'is internal',
  deleted: 'has been retired',
  unactivated: 'is not activated yet',
  disabled: 'is disabled',
  pending: 'is being changed',
  private: 'is private, and not yours',
} as const;
export type Unusable = keyof typeof unusable;

interface Usable extends Visible {
  registration?: Pick<Registration, 'access' | 'datacenters' | 'boundTo' | 'global' | 'groups' | 'pending'>;
}

type Configured = Pick<Datacenter, 'name' | 'settings'>;

/** May the user make a machine of it in the data center? Deprecated images may be used: it is pickers that leave them out. */
export function mayUse(
  { uuid, rights }: { uuid: string; rights: Rights },
  image: Usable,
  datacenter: Configured,
  main?: Configured,
): 'yes' | Unusable {
  const here = withinDatacenter(rights, datacenter.name);
  const isOwn = image.owner === uuid;
  const isAdmin = here.admin.has(datacenter.name);
  const obstacle = obstacleTo(image);
  if (!isUsedIn(datacenter.name, here, image)) return 'hidden';
  if (obstacle === 'internal') return rights.superAdmin ? obstacle : 'hidden';
  if (!isOwn && !isAdmin && (obstacle || !isOffered(uuid, here, image))) return 'hidden';
  if (obstacle) return obstacle;
  return isEntitled({ uuid, rights }, image, datacenter, main) ? 'yes' : 'private';
}

/** Is it theirs to use in the data center, whatever its state? Of what they see there, private images of others are not. */
export function isEntitled(
  { uuid, rights }: { uuid: string; rights: Rights },
  image: Usable,
  datacenter: Configured,
  main?: Configured,
): boolean {
  const here = withinDatacenter(rights, datacenter.name);
  if (!isUsedIn(datacenter.name, here, image)) return false;
  if (image.owner === uuid || rights.superAdmin || isOffered(uuid, here, image)) return true;
  if (!here.admin.has(datacenter.name)) return false;
  return placementOf(image).access === 'public' || settingsOf(datacenter, main).privateUsableByDcAdmin;
}

/** Is the image there at all, and the user with it? */
function isUsedIn(name: string, { member }: Rights, image: Usable): boolean {
  const { datacenters, global } = placementOf(image);
  return member.has(name) && (global === true || datacenters.includes(name));
}

function obstacleTo(image: Usable): Unusable | undefined {
  const { access } = placementOf(image);
  if (access === 'internal' || access === 'deleted') return access;
  if (!image.activated) return 'unactivated';
  if (image.disabled) return 'disabled';
  return image.registration?.pending ? 'pending' : undefined;
}
