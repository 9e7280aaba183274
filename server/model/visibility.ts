import type { Mode } from '../../imgapi/image.js';
import { publicImages } from '../../imgapi/values.js';
import { anonymous, type Caller, isKnown } from './caller.js';
import { modeLaw } from './modes.js';
import { type Placement, placementOf } from './registration.js';
import type { Rights } from './rights.js';

/** Who looks, and for whom. */
export interface Viewer {
  caller: Caller;
  mode: Mode;
  account?: string | undefined;
  /** The data centers whose public images everybody sees. */
  open: ReadonlySet<string>;
}

/** What of an image decides who sees it. */
export interface Visible {
  owner: string;
  public: boolean;
  activated: boolean;
  disabled: boolean;
  acl?: readonly string[] | undefined;
  registration?: Placement;
}

const isActive = (image: Visible) => image.activated && !image.disabled;

/** Is it attached to one of these? */
export function isIn({ datacenters, global }: Placement, names: ReadonlySet<string>): boolean {
  return global ? names.size > 0 : datacenters.some((name) => names.has(name));
}

/** Can everybody have it, without saying who they are? */
export function isOpen({ mode, open }: Pick<Viewer, 'mode' | 'open'>, image: Visible): boolean {
  return canRead({ caller: anonymous, mode, open }, image);
}

/** Is it an image that a server in this mode can have at all? One from a time in another mode may not be. */
export function fitsMode(mode: Mode, image: Pick<Visible, 'public'>): boolean {
  const law = publicImages[mode];
  return law === undefined || image.public === law.only;
}

/** May the viewer have the manifest, file and icon of an image that it can name? */
export function canRead(viewer: Viewer, image: Visible): boolean {
  const { mode, account, caller } = viewer;
  if (!fitsMode(mode, image) || placementOf(image).leaving) return false;
  if (modeLaw[mode].fleet) return law[caller.kind](viewer, image).reads;
  return account === undefined || readsAsAccount(account, image);
}

/**
 * What a list may show beside what its filters (the account's among them) let through. In a list, public and private
 * servers show anonymous callers the active images only.
 */
export function canList(viewer: Viewer, image: Visible): boolean {
  const { mode, caller } = viewer;
  if (!fitsMode(mode, image) || placementOf(image).leaving) return false;
  if (modeLaw[mode].fleet) return law[caller.kind](viewer, image).lists;
  return isKnown(caller) || isActive(image);
}

function readsAsAccount(account: string, image: Visible): boolean {
  return image.owner === account || (image.activated && (image.public || (image.acl?.includes(account) ?? false)));
}

/** Those who may have an image need its origins too, whatever their state; nodes take nothing that is still arriving. */
export const canReadAsOrigin = ({ caller }: Viewer, origin: Visible) => caller.kind !== 'node' || origin.activated;

interface Sight {
  reads: boolean;
  lists: boolean;
}

const ALL: Sight = { reads: true, lists: true };
const NOTHING: Sight = { reads: false, lists: false };
const BY_NAME: Sight = { reads: true, lists: false };

/** In a data center: what each sort of caller sees of an image. */
const law: { [Kind in Caller['kind']]: (viewer: Viewer, image: Visible) => Sight } = {
  anonymous: (viewer, image) => (isPublicIn(viewer.open, image) ? ALL : NOTHING),
  trusted: ({ account }, image) => asOperator(account, image),
  node: ({ caller }, image) => {
    if (caller.kind !== 'node') return NOTHING;
    const { publish, node } = caller;
    if (publish !== undefined && isArrivingAt(publish, image)) return BY_NAME;
    return asNode(new Set(node.datacenters), image);
  },
  user: ({ caller, account, open }, image) => {
    if (caller.kind !== 'user') return NOTHING;
    const { user, rights } = caller;
    if (rights.superAdmin) return asOperator(account, image);
    const sight = isPublicIn(open, image) ? ALL : asUser(user.uuid, rights, image);
    return account === undefined || readsAsAccount(account, image) ? sight : { ...sight, reads: false };
  },
};

const isPublicIn = (names: ReadonlySet<string>, image: Visible) =>
  image.public && isActive(image) && isOffering(placementOf(image), names);

const isOffering = (placement: Placement, names: ReadonlySet<string>) =>
  placement.groups === undefined && isIn(placement, names);

/** Whoever an operator acts for sees what is public and what was shared with it, wherever that is. */
const asOperator = (account: string | undefined, image: Visible): Sight =>
  account === undefined || readsAsAccount(account, image) ? ALL : { reads: false, lists: true };

/** Is it bound to the data center, and not activated yet? */
export const isArrivingAt = (name: string, image: Pick<Visible, 'public' | 'activated' | 'registration'>) =>
  !image.activated && placementOf(image).boundTo === name;

/** Machines that run need images which are not offered any more. */
function asNode(names: ReadonlySet<string>, image: Visible): Sight {
  if (!image.activated || !isIn(placementOf(image), names)) return NOTHING;
  return isActive(image) && placementOf(image).access !== 'deleted' ? ALL : BY_NAME;
}

function asUser(uuid: string, rights: Rights, image: Visible): Sight {
  const placement = placementOf(image);
  const { access } = placement;
  if (access === 'internal' || !isWithin(rights, placement)) return NOTHING;
  if (image.owner === uuid || manages(rights, image)) return access === 'deleted' ? BY_NAME : ALL;
  if (access === 'deleted' || image.disabled) return NOTHING;
  return image.activated && isOffered(uuid, rights, image) ? ALL : NOTHING;
}

const isWithin = ({ within }: Rights, placement: Placement) =>
  within === undefined || isIn(placement, new Set([within]));

/** Administrators see what is there, but what still arrives is seen only by those who may finish it. */
function manages({ admin, imageAdmin }: Rights, image: Visible): boolean {
  const { boundTo } = placementOf(image);
  if (!image.activated) return boundTo !== undefined && imageAdmin.has(boundTo);
  return isIn(placementOf(image), admin);
}

/** Is it, in one of the user's data centers, for everybody there, or for this user or one of its groups? */
export function isOffered(uuid: string, rights: Rights, image: Visible): boolean {
  const { access, groups } = placementOf(image);
  if (!isIn(placementOf(image), rights.member)) return false;
  if (image.acl?.includes(uuid)) return true;
  if (groups !== undefined) return groups.some((name) => rights.groups.has(name));
  return access === 'public';
}
