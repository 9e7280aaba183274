import type { Caller } from './caller.js';
import { answer, type Operation } from './permissions.js';
import type { ManagedImage } from './registration.js';

/** What beside the image itself decides what can be done with it. */
export interface Circumstances {
  /** Machines that use it, those that the caller does not see included. */
  isUsed: boolean;
  /** Other images have it as their origin. */
  isOrigin: boolean;
  recordsOnly: boolean;
}

type Possible = (image: ManagedImage, circumstances: Circumstances) => boolean;

const always: Possible = () => true;

/** What can be done with an image: under which row of the law, and when. Nothing can while something works on it. */
// biome-ignore format: a table is read down its columns
const actions = {
  update:      ['update',             always],
  label:       ['update',             always],
  share:       ['update',             always],
  publish:     ['share publicly',     ({ registration: { access } }) => access !== 'public'],
  deprecate:   ['update',             ({ registration: { deprecated } }) => deprecated === undefined],
  undeprecate: ['update',             ({ registration: { deprecated } }) => deprecated !== undefined],
  upload:      ['upload',             ({ activated }, { recordsOnly }) => !activated && !recordsOnly],
  activate:    ['update',             ({ activated, files }) => !activated && files.length > 0],
  delete:      ['delete',             (_, { isUsed, isOrigin }) => !isUsed && !isOrigin],
  attach:      ['attach',             ({ registration: { global } }) => !global],
  detach:      ['detach',             ({ registration: { global, datacenters } }, { isUsed }) => !global && !isUsed && datacenters.length > 0],
  bind:        ['change the binding', ({ registration: { boundTo, global, datacenters } }) => !boundTo && !global && datacenters.length === 1],
  unbind:      ['change the binding', ({ registration: { boundTo } }) => boundTo !== undefined],
} as const satisfies Record<string, readonly [Operation, Possible]>;

export type Action = keyof typeof actions;
export const actionNames = Object.keys(actions) as Action[];

/** What is both permitted and possible. Credentials that are good for reading only permit nothing. */
export function possibleActions(
  caller: Caller,
  image: ManagedImage,
  circumstances: Circumstances,
  { writes }: { writes: boolean },
): Action[] {
  if (!writes || image.registration.pending) return [];
  return actionNames.filter((name) => {
    const [operation, possible]: readonly [Operation, Possible] = actions[name];
    return possible(image, circumstances) && answer(caller, operation, { image }) === 'yes';
  });
}
