import { isOperator } from './caller.js';
import { modeLaw } from './modes.js';
import type { Placement } from './registration.js';
import type { Viewer } from './visibility.js';

/** Of images that are attached to all data centers. No data center has this name, and no user this uuid. */
const EVERYWHERE = '*';

interface Standing {
  owner: string;
  origin?: string;
  registration: Placement;
}

/** By what lists are kept, so that none is looked for among all: the image's data centers, its owner, its origin. */
export function placesOf({ owner, origin, registration }: Standing): readonly string[] {
  const { datacenters, global } = registration;
  const places = global ? [EVERYWHERE, owner] : [...datacenters, owner];
  return origin === undefined ? places : [...places, builtOn(origin)];
}

/** The place of all that come from an image. */
export const builtOn = (origin: string) => `origin:${origin}`;

/** The places of all that the viewer can list; none where that may stand anywhere. */
export function reachOf({ caller, mode, open }: Viewer): readonly string[] | undefined {
  if (!modeLaw[mode].fleet || isOperator(caller)) return undefined;
  if (caller.kind === 'node') return datacenterReach(caller.node.datacenters);
  if (caller.kind !== 'user') return datacenterReach(open);
  return datacenterReach([caller.user.uuid, ...caller.rights.member, ...open]);
}

/** All that is attached to one of them. */
export const datacenterReach = (names: Iterable<string>): readonly string[] => [...names, EVERYWHERE];
