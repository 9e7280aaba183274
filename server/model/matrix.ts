import { anonymous, type Caller, trusted } from './caller.js';
import type { Group, Permission } from './group.js';
import { permissions } from './group.js';
import {
  type Answer,
  answer,
  isListedAmongAll,
  isListedIn,
  type Meant,
  mayAsk,
  mayPublish,
  type Operation,
} from './permissions.js';
import type { Access, Placement } from './registration.js';
import { rightsOf } from './rights.js';
import { mayUse, type Unusable } from './usable.js';
import { canList, canRead, type Viewer, type Visible } from './visibility.js';
import { seesVm } from './vm.js';

// The law of data centers, asked one question after another: who may do what with which image of data center D?

const D = 'D' as const;
const E = 'E' as const;

/** What the groups that a user is in give in each data center. */
export interface Grants {
  superAdmin?: boolean;
  D?: readonly Permission[];
  E?: readonly Permission[];
}

// biome-ignore format: a table is read down its columns
export const people = {
  SuperAdmin: { superAdmin: true },
  DCAdmin:    { D: ['admin'] },
  ImageAdmin: { D: ['admin', 'image_admin'] },
  Publisher:  { D: ['admin', 'image_admin', 'share_public'] },
  Importer:   { D: ['admin', 'image_admin', 'image_import_admin'] },
  Browser:    { D: ['admin', 'image_import_admin'] },
  NoAdmin:    { D: ['image_admin', 'image_import_admin', 'share_public'] },
  Member:     { D: [] },
  OfBoth:     { D: [], E: permissions },
  OfE:        { E: permissions },
} as const satisfies Record<string, Grants>;

export type Person = keyof typeof people;

/** Whoever is no user. */
export const machines = {
  trusted: { caller: trusted },
  node: { caller: nodeOf(D) },
  bringing: { caller: { ...nodeOf(D), publish: D } },
  nodeOfE: { caller: nodeOf(E) },
  anonymous: { caller: anonymous },
} as const satisfies Record<string, { caller: Caller }>;

export type Column = Person | keyof typeof machines;
export const columns = [...Object.keys(people), ...Object.keys(machines)] as Column[];

/** Bound to D or shared and attached to it; what its access is. */
export interface Case {
  isBound: boolean;
  access: Extract<Access, 'public' | 'private' | 'deleted'>;
}

const accesses = ['public', 'private', 'deleted'] as const;
export const cases: Case[] = [true, false].flatMap((isBound) => accesses.map((access) => ({ isBound, access })));

/**
 * y: done; b: done, and bound to the one data center where the role is held; a dot: not in the list; x: seen, but not
 * to be used; 0, 1, 3, 4: refused with 400, 401, 403, 404; a stroke: there is no such case.
 */
export type Cell = 'y' | 'b' | '.' | 'x' | '0' | '1' | '3' | '4' | '/';

type Row = (viewer: Viewer, image: Case) => Cell;

interface Face {
  [row: string]: { ask: Row; isOpen?: true };
}

// biome-ignore format: a table is read down its columns
export const management: Face = {
  'list in D':                     { ask: listIn({ deleted: false }) },
  'list in D, deleted too':        { ask: listIn({ deleted: true }) },
  'list all':                      { ask: listAll },
  'show in D':                     { ask: showIn },
  'show':                          { ask: byRole('show') },
  'list vms':                      { ask: byRole('list vms') },
  'use for a new VM':              { ask: use({ owner: 'other', privateUsableByDcAdmin: false }) },
  'use, private by DCAdmins':      { ask: use({ owner: 'other', privateUsableByDcAdmin: true }) },
  'use, its owner':                { ask: use({ owner: 'itself', privateUsableByDcAdmin: false }) },
  'update, deprecate, label':      { ask: byRole('update') },
  'make public, D closed':         { ask: publish },
  'make public, D open':           { ask: publish, isOpen: true },
  'change dc_bound':               { ask: rebind },
  'delete':                        { ask: byRole('delete') },
  'attach to E':                   { ask: byRole('attach') },
  'detach from D':                 { ask: byRole('detach') },
  'create':                        { ask: bring('create') },
  'import':                        { ask: bring('import') },
  'create from a snapshot':        { ask: fromSnapshot },
  'browse repositories':           { ask: anywhere('browse repositories') },
  'secrets of D':                  { ask: secretsThere },
  'settings of D':                 { ask: settings },
  'users, groups, nodes, DCs':     { ask: anywhere('manage data centers') },
  'back up':                       { ask: anywhere('back up') },
  'move the server':               { ask: anywhere('move the server') },
  'members':                       { ask: anywhere('see members') },
  'overview':                      { ask: anywhere('see the overview') },
  'overview of D':                 { ask: overviewThere },
};

// biome-ignore format: a table is read down its columns
export const imgapi: Face = {
  'list':                          { ask: list },
  'list, D open':                  { ask: list, isOpen: true },
  'get, file, icon, jobs':         { ask: get({}) },
  'get, D open':                   { ask: get({}), isOpen: true },
  'get, disabled':                 { ask: get({ disabled: true }) },
  'get, disabled, D open':         { ask: get({ disabled: true }), isOpen: true },
  'get, unactivated':              { ask: get({ activated: false }) },
  'create by IMGAPI':              { ask: bringOver('create') },
  'import by IMGAPI':              { ask: bringOver('import') },
  'add file':                      { ask: change('upload', { activated: false }) },
  'activate':                      { ask: change('update', { activated: false }) },
  'activate, D open':              { ask: activate, isOpen: true },
  'disable, update, acl, icon':    { ask: change('update', {}) },
  'channel-add, export':           { ask: change('update', {}) },
  'update, D open':                { ask: change('update', {}), isOpen: true },
  'enable':                        { ask: change('update', { disabled: true }) },
  'delete by IMGAPI':              { ask: change('delete', {}) },
};

/** The six cells of a row under a column, bound images first; nothing where the caller can not ask at all. */
export function cellsOf(face: Face, row: string, column: Column): string {
  const { ask, isOpen } = face[row] ?? { ask: () => '/' as const };
  if (face === management && !(column in people)) return '-';
  const viewer: Viewer = { caller: callerOf(column), mode: 'dc', open: new Set(isOpen ? [D] : []) };
  const cells = cases.map((image) => ask(viewer, image));
  return `${cells.slice(0, accesses.length).join('')} ${cells.slice(accesses.length).join('')}`;
}

// Who asks

const ASKING = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';

function callerOf(column: Column): Caller {
  if (column in machines) return machines[column as keyof typeof machines].caller;
  const { superAdmin = false, ...grants }: Grants = people[column as Person];
  const user = { uuid: ASKING, name: column, superAdmin, created: '' };
  const groups = [D, E].flatMap((name): Group[] => {
    const permissions = grants[name];
    if (!permissions) return [];
    return [{ name, alias: name, permissions: [...permissions], members: [ASKING], datacenters: [name], created: '' }];
  });
  return { kind: 'user', user, rights: rightsOf(user, [], groups) };
}

function nodeOf(datacenter: string) {
  const node = { name: 'node', datacenters: [datacenter], addresses: [], knownByAddress: false, created: '' };
  return { kind: 'node', node } as const;
}

// Of which image

type State = Partial<Pick<Visible, 'activated' | 'disabled' | 'owner'>>;

function imageOf({ isBound, access }: Case, state: State = {}): Visible & { registration: Placement } {
  return {
    owner: OTHER,
    public: access === 'public',
    activated: true,
    disabled: false,
    ...state,
    registration: { access, datacenters: [D], ...(isBound && { boundTo: D }) },
  };
}

// What is asked

const said: Record<Answer, Cell> = { yes: 'y', forbidden: '3', hidden: '4' };

function byRole(operation: Operation): Row {
  return ({ caller }, image) => said[answer(caller, operation, { image: imageOf(image) })];
}

function anywhere(operation: Operation): Row {
  return ({ caller }) => said[answer(caller, operation, undefined)];
}

function secretsThere({ caller }: Viewer): Cell {
  return said[answer(caller, 'manage secrets', { datacenter: D })];
}

function overviewThere({ caller }: Viewer): Cell {
  return said[answer(caller, 'see the overview', { datacenter: D })];
}

function settings({ caller }: Viewer): Cell {
  return said[answer(caller, 'change settings', { datacenter: D })];
}

function listIn(show: { deleted: boolean }): Row {
  return ({ caller }, image) => {
    const verdict = answer(caller, 'list in a data center', { datacenter: D });
    if (verdict !== 'yes') return said[verdict];
    return isListedIn(caller, D, imageOf(image), show) ? 'y' : '.';
  };
}

function showIn({ caller }: Viewer, image: Case): Cell {
  const verdict = answer(caller, 'list in a data center', { datacenter: D });
  return said[verdict === 'yes' ? answer(caller, 'show in a data center', { image: imageOf(image) }) : verdict];
}

function listAll({ caller }: Viewer, image: Case): Cell {
  if (!mayAsk(caller, 'list all')) return '3';
  return isListedAmongAll(caller, imageOf(image)) ? 'y' : '.';
}

const used = (reason: 'yes' | Unusable): Cell => (reason === 'yes' ? 'y' : reason === 'hidden' ? '4' : 'x');

function use({ owner, privateUsableByDcAdmin }: { owner: 'itself' | 'other'; privateUsableByDcAdmin: boolean }): Row {
  return ({ caller }, image) => {
    if (caller.kind !== 'user') return '/';
    const { user, rights } = caller;
    const state = owner === 'itself' ? { owner: user.uuid } : {};
    return used(
      mayUse({ uuid: user.uuid, rights }, imageOf(image, state), { name: D, settings: { privateUsableByDcAdmin } }),
    );
  };
}

function publish(viewer: Viewer, image: Case): Cell {
  if (image.access === 'public') return '/';
  const before = imageOf(image);
  const after = imageOf({ ...image, access: 'public' });
  const verdict = answer(viewer.caller, 'update', { image: before });
  return verdict === 'yes' && !mayPublish(viewer, before, after) ? '3' : said[verdict];
}

/** The field of an update: whoever may make the update but not this in it is told which field it is. */
function rebind({ caller }: Viewer, image: Case): Cell {
  const meant: Meant = { image: imageOf(image) };
  const verdict = answer(caller, 'update', meant);
  return verdict === 'yes' && answer(caller, 'change the binding', meant) !== 'yes' ? '0' : said[verdict];
}

/** Shared images are the operators' to make: what others bring is bound to where they may bring it. */
function bring(operation: Operation): Row {
  return ({ caller }, { isBound }) => {
    const verdict = answer(caller, operation, isBound ? { datacenter: D } : undefined);
    if (verdict !== 'yes') return said[verdict];
    return isBound || answer(caller, 'change the binding', undefined) === 'yes' ? 'y' : 'b';
  };
}

/** Of a machine in D: what is made of it is bound to D, whoever makes it. */
function fromSnapshot({ caller }: Viewer, { isBound }: Case): Cell {
  if (!mayAsk(caller, 'create from snapshots')) return '3';
  if (!seesVm(caller, { datacenter: D })) return '4';
  if (answer(caller, 'create from snapshots', { datacenter: D }) !== 'yes') return '3';
  return isBound ? 'y' : 'b';
}

// Over IMGAPI

function bringOver(operation: Operation): Row {
  return (viewer, image) => {
    if (image.access === 'deleted') return '/';
    return viewer.caller.kind === 'anonymous' ? '1' : bring(operation)(viewer, image);
  };
}

function list(viewer: Viewer, image: Case): Cell {
  return canList(viewer, imageOf(image)) ? 'y' : '.';
}

function get(state: State): Row {
  return (viewer, image) => (canRead(viewer, imageOf(image, state)) ? 'y' : '4');
}

function change(operation: Operation, state: State): Row {
  return (viewer, which) => {
    if (viewer.caller.kind === 'anonymous') return '1';
    if (!mayAsk(viewer.caller, operation)) return '3';
    const image = imageOf(which, state);
    if (!canRead(viewer, image)) return '4';
    return answer(viewer.caller, operation, { image }) === 'yes' ? 'y' : '3';
  };
}

function activate(viewer: Viewer, image: Case): Cell {
  const cell = change('update', { activated: false })(viewer, image);
  if (cell !== 'y') return cell;
  return mayPublish(viewer, imageOf(image, { activated: false }), imageOf(image)) ? 'y' : '3';
}
