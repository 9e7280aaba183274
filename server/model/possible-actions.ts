import type { Caller } from './caller.js';
import { answer, type Operation } from './permissions.js';
import type { Access, ManagedImage } from './registration.js';
import { isOpen, type Viewer } from './visibility.js';

/** Others that hold on to an image: how many of them the caller may know of, and whether there are any beside those. */
export interface Holders {
  seen: number;
  hidden: boolean;
}

/** What beside the image itself decides what can be done with it. */
export interface Circumstances extends Pick<Viewer, 'mode' | 'open'> {
  /** Machines that use it. */
  users: Holders;
  /** Other images that have it as their origin. */
  children: Holders;
  recordsOnly: boolean;
  /** Why no node can be sent it; asked only for those who may know of nodes. */
  whySentToNone: (image: ManagedImage) => string | undefined;
}

/** Why it can not be done now, in words; nothing where it can. */
type Obstacle = (image: ManagedImage, circumstances: Circumstances) => string | undefined;

/** Some take a right of its own where they show the image to the whole world. */
type Law = Operation | ((image: ManagedImage, circumstances: Circumstances) => Operation);

const when =
  (applies: (image: ManagedImage) => boolean, reason: string): Obstacle =>
  (image) =>
    applies(image) ? reason : undefined;

/** The first that stands in the way. */
const first =
  (...obstacles: readonly Obstacle[]): Obstacle =>
  (image, circumstances) => {
    for (const obstacle of obstacles) {
      const reason = obstacle(image, circumstances);
      if (reason !== undefined) return reason;
    }
    return undefined;
  };

const nothing: Obstacle = () => undefined;
const isGlobal = when(({ registration: { global } }) => global === true, 'it is attached to all data centers');
const isNowhere = when(
  ({ registration: { datacenters } }) => datacenters.length === 0,
  'it is attached to no data center',
);
const isActive = when(({ activated }) => activated, 'it is activated already');

/** No number where it would tell of those that are hidden. */
function count({ seen, hidden }: Holders, one: string, many: string): string | undefined {
  if (hidden) return many;
  return seen === 0 ? undefined : seen === 1 ? `1 ${one}` : `${seen} ${many}`;
}

const isUsed: Obstacle = (_, { users }) => count(users, 'machine uses it', 'machines use it');
const isOrigin: Obstacle = (_, { children }) => count(children, 'image builds on it', 'images build on it');

const isInSeveral: Obstacle = ({ registration: { datacenters } }) =>
  datacenters.length > 1 ? `it is attached to ${datacenters.length} data centers` : undefined;

const isOfAccess = (wanted: Access, reason: string) =>
  when(({ registration: { access } }) => access === wanted, reason);

const published = (image: ManagedImage): ManagedImage => ({
  ...image,
  public: true,
  registration: { ...image.registration, access: 'public' },
});

const unlessOpened =
  (after: (image: ManagedImage) => ManagedImage): Law =>
  (image, { mode, open }) =>
    isOpen({ mode, open }, after(image)) && !isOpen({ mode, open }, image) ? 'share publicly' : 'update';

const isNotActive: Obstacle = ({ state }) => (state === 'active' ? undefined : `it is ${state}`);

const isPending: Obstacle = ({ registration: { pending } }) => pending && `something works on it: ${pending.what}`;

/** What can be done with an image: under which row of the law, and what stands in the way. */
// biome-ignore format: a table is read down its columns
const actions = {
  update:       ['update',                nothing],
  label:        ['update',                nothing],
  golden:       ['update',                when(({ registration: { golden } }) => golden === true, 'it is golden already')],
  ungolden:     ['update',                when(({ registration: { golden } }) => !golden, 'it is not golden')],
  share:        ['update',                nothing],
  publish:      [unlessOpened(published), isOfAccess('public', 'it is public already')],
  unpublish:    ['update',                when(({ registration: { access } }) => access !== 'public', 'it is not public')],
  retire:       ['update',                isOfAccess('deleted', 'it is retired already')],
  restore:      ['update',                when(({ registration: { access } }) => access !== 'deleted', 'it is not retired')],
  deprecate:    ['update',                when(({ registration: { deprecated } }) => deprecated !== undefined, 'it is deprecated already')],
  undeprecate:  ['update',                when(({ registration: { deprecated } }) => deprecated === undefined, 'it is not deprecated')],
  upload:       ['upload',                first(isActive, (_, { recordsOnly }) => (recordsOnly ? 'this server keeps no files' : undefined))],
  activate:     [unlessOpened((image) => ({ ...image, activated: true })), first(isActive, when(({ files }) => files.length === 0, 'its file has not arrived'))],
  delete:       ['delete',                first(isUsed, isOrigin)],
  attach:       ['attach',                isGlobal],
  detach:       ['detach',                first(isGlobal, isNowhere)],
  bind:         ['change the binding',    first(when(({ registration: { boundTo } }) => boundTo !== undefined, 'it is bound already'), isGlobal, isNowhere, isInSeveral)],
  unbind:       ['change the binding',    when(({ registration: { boundTo } }) => boundTo === undefined, 'it is not bound to a data center')],
  globalize:    ['change the binding',    when(({ registration: { global } }) => global === true, 'it is attached to all data centers already')],
  unglobalize:  ['change the binding',    when(({ registration: { global } }) => !global, 'it is attached to chosen data centers only')],
  pull:         ['manage nodes',          first(isNotActive, (image, { whySentToNone }) => whySentToNone(image))],
} as const satisfies Record<string, readonly [Law, Obstacle]>;

export type Action = keyof typeof actions;
export const actionNames = Object.keys(actions) as Action[];

export interface Possibilities {
  /** What is both permitted and possible. */
  may: Action[];
  /** What is permitted and not possible now, each with the reason. */
  may_not: Partial<Record<Action, string>>;
}

/** Credentials that are good for reading only permit nothing; while something works on an image, nothing is possible. */
export function possibleActions(
  caller: Caller,
  image: ManagedImage,
  circumstances: Circumstances,
  { writes }: { writes: boolean },
): Possibilities {
  const may: Action[] = [];
  const may_not: Possibilities['may_not'] = {};
  for (const name of writes ? actionNames : []) {
    const [law, obstacle]: readonly [Law, Obstacle] = actions[name];
    const operation = typeof law === 'string' ? law : law(image, circumstances);
    if (answer(caller, operation, { image }) !== 'yes') continue;
    const reason = isPending(image, circumstances) ?? obstacle(image, circumstances);
    if (reason === undefined) may.push(name);
    else may_not[name] = reason;
  }
  return { may, may_not };
}
