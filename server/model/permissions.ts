import { type Caller, isOperator } from './caller.js';
import { type Placement, placementOf } from './registration.js';
import { type Rights, type Role, roleNames } from './rights.js';
import { isArrivingAt, isIn, isOpen, type Viewer, type Visible } from './visibility.js';

/** What is asked for can be done, may not be done, or is of something that the caller is not to know of. */
export type Answer = 'yes' | 'forbidden' | 'hidden';

/** Where the roles have to be held: wherever; in the one data center that is meant; where the image is. */
type Where = 'anywhere' | 'there' | 'attached' | 'bound';

/** The roles that an operation takes, all of them; no role is enough for what only SuperAdmins do. */
// biome-ignore format: a table is read down its columns
export const operations = {
  'show data centers':     [['admin'],                     'there'],
  'pick images':           [['member'],                    'there'],
  'register machines':     [['admin'],                     'there'],
  'list in a data center': [['admin'],                     'there'],
  'show in a data center': [['admin'],                     'attached'],
  'list all':              [['imageAdmin'],                'anywhere'],
  'show':                  [['imageAdmin'],                'bound'],
  'list vms':              [['imageAdmin'],                'bound'],
  'update':                [['imageAdmin'],                'bound'],
  'upload':                [['imageAdmin'],                'bound'],
  'delete':                [['imageAdmin'],                'bound'],
  'create':                [['imageAdmin'],                'there'],
  'import':                [['imageAdmin', 'importAdmin'], 'there'],
  'create from snapshots': [['imageAdmin'],                'there'],
  'manage secrets':       [['importAdmin'],                'there'],
  'browse repositories':   [['importAdmin'],               'anywhere'],
  'copy':                  [[],                            'bound'],
  'share publicly':        [['imageAdmin', 'sharePublic'], 'bound'],
  'change the binding':    [[],                            'bound'],
  'attach':                [[],                            'bound'],
  'detach':                [[],                            'bound'],
  'manage nodes':          [[],                            'anywhere'],
  'manage repositories':   [[],                            'anywhere'],
  'manage users':          [[],                            'anywhere'],
  'see the whole audit':   [[],                            'anywhere'],
  'manage groups':         [[],                            'anywhere'],
  'manage data centers':   [[],                            'anywhere'],
  'change settings':       [[],                            'there'],
  'back up':               [[],                            'anywhere'],
  'move the server':       [[],                            'anywhere'],
  'see members':           [[],                            'anywhere'],
  'see the overview':      [['admin'],                     'there'],
} as const satisfies Record<string, readonly [roles: readonly Role[], where: Where]>;

export type Operation = keyof typeof operations;

const places: Record<Where, string> = {
  anywhere: 'in a data center',
  there: 'in that data center',
  attached: 'in a data center that sees the image',
  bound: 'in the data center that the image is bound to',
};

/** What somebody is told who may not do it. */
export function refusalOf(operation: Operation, what: string = operation): string {
  const [roles, where] = operations[operation];
  if (roles.length === 0) return `only SuperAdmins may ${what}`;
  const names = roles.map((role) => roleNames[role]).join(' and ');
  return `to ${what} takes the role${roles.length > 1 ? 's' : ''} ${names} ${places[where]}`;
}

/** What is meant: an image, or a data center by its name. */
export type Meant =
  | { image: { public: boolean; activated: boolean; registration?: Placement } }
  | { datacenter: string }
  | undefined;

/**
 * May the caller do it? Whoever holds the roles nowhere is told so before anything is looked up; what is not seen is
 * hidden; what is seen and may not be touched is forbidden.
 */
export function answer(caller: Caller, operation: Operation, meant: Meant): Answer {
  if (isOperator(caller)) return 'yes';
  if (caller.kind === 'node') return answerToNode(caller, operation, meant);
  if (caller.kind !== 'user' || !holdsSomewhere(caller.rights, operation)) return 'forbidden';
  if (meant === undefined) return 'yes';
  if (!sees(caller.rights, meant)) return 'hidden';
  const [roles, where] = operations[operation];
  return roles.every((role) => holds(caller.rights, role, where, meant)) ? 'yes' : 'forbidden';
}

/** The first question of all: without the roles in any data center nothing is looked up. */
export const mayAsk = (caller: Caller, operation: Operation): boolean => answer(caller, operation, undefined) === 'yes';

function holdsSomewhere(rights: Rights, operation: Operation): boolean {
  const [first, ...others]: readonly Role[] = operations[operation][0];
  if (first === undefined) return false;
  return [...rights[first]].some((name) => others.every((role) => rights[role].has(name)));
}

/** To show an image to the whole world is a right of its own, in whichever way it is done. */
export function mayPublish(viewer: Viewer, before: Visible | undefined, after: Visible): boolean {
  if (!isOpen(viewer, after) || (before && isOpen(viewer, before))) return true;
  return answer(viewer.caller, 'share publicly', { image: after }) === 'yes';
}

/** Does the list of a data center show the image? Retired ones only to those who ask for them and could retire them. */
export function isListedIn(caller: Caller, datacenter: string, image: Visible, show: { deleted: boolean }): boolean {
  const { access } = placementOf(image);
  if (access === 'internal' || answer(caller, 'list in a data center', { datacenter }) !== 'yes') return false;
  if (!isIn(placementOf(image), new Set([datacenter]))) return false;
  return access !== 'deleted' || (show.deleted && answer(caller, 'create', { datacenter }) === 'yes');
}

/** Does the list of all images show it? Whoever manages it sees it, retired or not; nobody sees internal ones. */
export const isListedAmongAll = (caller: Caller, image: Visible): boolean =>
  placementOf(image).access !== 'internal' && answer(caller, 'show', { image }) === 'yes';

/** What takes a new image from nothing to its activation, or back when that fails. */
const publishing: ReadonlySet<Operation> = new Set(['create', 'import', 'upload', 'update', 'delete']);

/** A node that may publish brings images to one data center, and touches none that are activated. */
function answerToNode({ publish }: { publish?: string }, operation: Operation, meant: Meant): Answer {
  if (publish === undefined || !publishing.has(operation)) return 'forbidden';
  if (meant === undefined) return 'yes';
  if ('datacenter' in meant) return meant.datacenter === publish ? 'yes' : 'hidden';
  return isArrivingAt(publish, meant.image) ? 'yes' : 'forbidden';
}

/** Administrators see all that is attached to their data centers, but what is internal. */
function sees(rights: Rights, meant: NonNullable<Meant>): boolean {
  if ('datacenter' in meant) return rights.member.has(meant.datacenter);
  const placement = placementOf(meant.image);
  return placement.access !== 'internal' && isIn(placement, rights.admin);
}

function holds(rights: Rights, role: Role, where: Where, meant: NonNullable<Meant>): boolean {
  if (where === 'anywhere') return rights[role].size > 0;
  if ('datacenter' in meant) return rights[role].has(meant.datacenter);
  const placement = placementOf(meant.image);
  if (where === 'attached') return isIn(placement, rights[role]);
  return placement.boundTo !== undefined && rights[role].has(placement.boundTo);
}
