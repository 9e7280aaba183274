import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import type { Datacenter } from '../model/datacenter.js';
import { MAIN } from '../model/datacenter.js';
import { type DatacenterSettings, settingsOf } from '../model/datacenter-settings.js';
import { images } from '../model/image.js';
import { classOf, tagsOf } from '../model/manifest-tags.js';
import { obstacleToUse } from '../model/obstacle.js';
import { isZone, LINUX_ZONE, type OsType, osTypeOf, SUNOS_ZONE } from '../model/os-types.js';
import { datacenterReach } from '../model/reach.js';
import { isManaged, type ManagedImage } from '../model/registration.js';
import type { Rights } from '../model/rights.js';
import { mayUse } from '../model/usable.js';
import { type User, users } from '../model/user.js';
import { findDatacenter } from './find-datacenter.js';
import { keepsRecordsOnly } from './image-server.js';

export interface Pick {
  ostype?: OsType | undefined;
  /** The class of work that an image is for, as its manifest's tag says; one that says nothing is for all. */
  class?: string | undefined;
  location?: string | undefined;
  /** For whom, by name; for the caller where it is absent. */
  user?: string | undefined;
}

export interface Picked {
  image: ManagedImage;
  isDefault: boolean;
  /** Those whose members alone have it, of those in the data center that the caller may know of. */
  groups: string[];
}

/** What can be made into a machine in a data center right now, by name, and what is preselected. */
export async function pickImages(deps: Deps, caller: Caller, name: string, pick: Pick): Promise<Picked[]> {
  const { catalog, directory, listing } = deps;
  const datacenter = findDatacenter(deps, caller, 'pick images', name);
  const whom = await userFor(deps, caller, datacenter, pick.user);
  if (pick.location !== undefined && pick.location !== datacenter.location) return [];
  const main = directory.datacenters.get(MAIN);
  const recordsOnly = keepsRecordsOnly(directory);
  const candidates = listing.within(datacenterReach([name]));
  const records = await Promise.all(candidates.map(({ uuid }) => catalog.get(images, uuid)));
  const fitting = records
    .filter(isManaged)
    .filter((image) => image.registration.deprecated === undefined && fits(image, pick))
    .filter((image) => obstacleToUse(image, { recordsOnly }) === undefined)
    .filter(
      (image) => mayUse(whom, { ...image, activated: image.activated || recordsOnly }, datacenter, main) === 'yes',
    )
    .toSorted((a, b) => inOrder(a.registration.name, b.registration.name) || inOrder(a.uuid, b.uuid));
  const defaults = defaultsAmong(fitting, settingsOf(datacenter, main));
  const isAdmin = administers(caller, name);
  const isKnown = (group: string) =>
    directory.groups.get(group)?.datacenters.includes(name) && (isAdmin || whom.rights.groups.has(group));
  return fitting.map((image) => ({
    image,
    isDefault: defaults.has(image.uuid),
    groups: image.registration.groups?.filter(isKnown) ?? [],
  }));
}

function fits(image: ManagedImage, { ostype, class: wanted }: Pick): boolean {
  if (ostype !== undefined && osTypeOf(image) !== ostype) return false;
  const own = classOf(image);
  return wanted === undefined || own === undefined || own === wanted;
}

const administers = (caller: Caller, name: string): boolean =>
  isOperator(caller) || (caller.kind === 'user' && caller.rights.admin.has(name));

/** Of each kind of machine the image that the data center has set; for zones else the first one. */
function defaultsAmong(fitting: readonly ManagedImage[], settings: DatacenterSettings): Set<string> {
  const ofKind = (is: (ostype: OsType) => boolean) => fitting.filter((image) => is(osTypeOf(image)));
  const named = (among: readonly ManagedImage[], name: string) =>
    among.find(({ registration }) => registration.name === name);
  const zones = ofKind((ostype) => ostype === SUNOS_ZONE);
  const chosen = [
    named(
      ofKind((ostype) => !isZone(ostype)),
      settings.VMS_DISK_IMAGE_DEFAULT,
    ),
    named(zones, settings.VMS_DISK_IMAGE_ZONE_DEFAULT) ?? zones[0],
    named(
      ofKind((ostype) => ostype === LINUX_ZONE),
      settings.VMS_DISK_IMAGE_LX_ZONE_DEFAULT,
    ),
  ];
  return new Set(chosen.flatMap((image) => (image ? [image.uuid] : [])));
}

/** Administrators pick for others; to them there are the users of their data center only. */
async function userFor(
  { catalog, directory }: Deps,
  caller: Caller,
  { name }: Datacenter,
  wanted: string | undefined,
): Promise<{ uuid: string; rights: Rights }> {
  const own = caller.user?.name;
  if (wanted === undefined || wanted === own) {
    if (caller.kind === 'user') return { uuid: caller.user.uuid, rights: caller.rights };
    throw new ImgapiError('NotPermitted', 'images are picked for users');
  }
  if (!administers(caller, name)) {
    throw new ImgapiError('NotPermitted', 'only administrators pick images for others');
  }
  const user: User | undefined = await catalog.find(users, `name:${wanted}`);
  const rights = user && directory.rightsOf(user);
  if (!user || !rights || !(isOperator(caller) || rights.member.has(name))) {
    throw invalidInput([{ field: 'user', code: 'Invalid', message: `user: there is no user "${wanted}" there` }]);
  }
  return { uuid: user.uuid, rights };
}

const inOrder = (a: string, b: string) => (a < b ? -1 : Number(a > b));

/** An image as a picker offers it. */
export function presentPicked({ image, isDefault, groups }: Picked) {
  const { name, golden } = image.registration;
  const { tags, resize, deploy } = tagsOf(image);
  return {
    name,
    uuid: image.uuid,
    alias: image.name,
    version: image.version,
    desc: image.description ?? '',
    ostype: osTypeOf(image),
    size: image.image_size ?? 0,
    resize,
    deploy,
    tags,
    golden: golden ?? false,
    belongs: image.registration.groups ? 'group' : 'system',
    groups,
    class: classOf(image) ?? null,
    default: isDefault,
  };
}
