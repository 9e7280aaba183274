import type { Deps } from '../deps.js';
import { type Caller, isOperator } from '../model/caller.js';
import { ofImage } from '../model/node-image.js';
import { answer } from '../model/permissions.js';
import type { Holders } from '../model/possible-actions.js';
import { type Known, presentImage, type ShownImage } from '../model/present-image.js';
import { builtOn } from '../model/reach.js';
import type { ManagedImage } from '../model/registration.js';
import { permitsNeed } from '../model/scope.js';
import type { Grant } from '../model/token.js';
import { seesVm } from '../model/vm.js';
import { keepsRecordsOnly } from './image-server.js';
import { whySentToNone } from './url-of-node.js';

/** Who is shown something, and what that one's credentials are good for. */
export interface Onlooker {
  caller: Caller;
  own: Grant;
}

export function showImage(deps: Deps, onlooker: Onlooker, image: ManagedImage): ShownImage {
  return presentImage(image, known(deps, onlooker, image));
}

function known(deps: Deps, { caller, own }: Onlooker, { uuid }: ManagedImage): Known {
  const { fleet, listing, directory, copies, policy } = deps;
  const using = fleet.within([uuid]);
  const knowsImage = (uuid: string) => {
    const image = listing.get(uuid);
    return image !== undefined && answer(caller, 'show in a data center', { image }) !== 'hidden';
  };
  return {
    caller,
    writes: permitsNeed(own.scope, 'write'),
    nameOf: (user) => directory.users.get(user)?.name ?? user,
    knowsGroup: (name) => administersAny(caller, directory.groups.get(name)?.datacenters ?? []),
    knowsUser: (uuid) => {
      const user = directory.users.get(uuid);
      return uuid === caller.user?.uuid || administersAny(caller, user ? directory.rightsOf(user).member : []);
    },
    knowsImage,
    copies: copies.within([ofImage(uuid)]),
    users: holders(using, (vm) => seesVm(caller, vm)),
    children: holders(listing.within([builtOn(uuid)]), (image) => knowsImage(image.uuid)),
    mode: policy.mode,
    open: directory.openDatacenters,
    recordsOnly: keepsRecordsOnly(directory),
    whySentToNone: (image) => whySentToNone(deps, image),
  };
}

function holders<T>(all: readonly T[], sees: (one: T) => boolean): Holders {
  const seen = all.filter(sees).length;
  return { seen, hidden: seen < all.length };
}

function administersAny(caller: Caller, names: Iterable<string>): boolean {
  if (isOperator(caller)) return true;
  return caller.kind === 'user' && [...names].some((name) => caller.rights.admin.has(name));
}
