import type { Mode } from '../../imgapi/image.js';
import { publicImages } from '../../imgapi/values.js';
import { anonymous, type Caller, isKnown, isOperator } from './caller.js';
import { modeLaw } from './modes.js';

/** Who looks, and for whom. */
export interface Viewer {
  caller: Caller;
  mode: Mode;
  account?: string | undefined;
}

/** What of an image decides who sees it. */
export interface Visible {
  owner: string;
  public: boolean;
  activated: boolean;
  disabled: boolean;
  acl?: readonly string[] | undefined;
}

const isActive = (image: Visible) => image.activated && !image.disabled;

/** Can everybody have it, without saying who they are? */
export function isOpen(mode: Mode, image: Visible): boolean {
  return canRead({ caller: anonymous, mode }, image);
}

/** Is it an image that a server in this mode can have at all? One from a time in another mode may not be. */
export function fitsMode(mode: Mode, image: Pick<Visible, 'public'>): boolean {
  const law = publicImages[mode];
  return law === undefined || image.public === law.only;
}

/** May the viewer have the manifest, file and icon of an image that it can name? */
export function canRead({ caller, mode, account }: Viewer, image: Visible): boolean {
  if (!fitsMode(mode, image)) return false;
  if (account !== undefined) {
    if (image.owner === account) return true;
    return image.activated && (image.public || (image.acl?.includes(account) ?? false));
  }
  if (modeLaw[mode].readsAreOpen || isOperator(caller)) return true;
  if (caller.kind === 'user' && image.owner === caller.user.uuid) return true;
  return image.public && isActive(image);
}

/**
 * What a list may show beside what its filters (the account's among them) let through. In a list, public and private
 * servers show anonymous callers the active images only.
 */
export function canList(viewer: Viewer, image: Visible): boolean {
  if (!fitsMode(viewer.mode, image)) return false;
  if (!isKnown(viewer.caller) && !isActive(image)) return false;
  return viewer.account !== undefined || canRead(viewer, image);
}
