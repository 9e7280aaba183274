import { selectChannel } from '../../imgapi/channels.js';
import { ImgapiError, invalidParameter } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import { type RawQuery, single } from '../../imgapi/query.js';
import type { Context } from '../context.js';
import type { Deps } from '../deps.js';
import { checkActsFor, isOperator } from '../model/caller.js';
import { MAIN } from '../model/datacenter.js';
import { modeLaw } from '../model/modes.js';
import { answer, mayAsk, type Operation } from '../model/permissions.js';
import type { Viewer } from '../model/visibility.js';
import type { Target } from '../operations/find-image.js';
import type { Place } from '../operations/register-image.js';

/** Reading takes `channel=*`, changing needs one channel. */
interface Access {
  star: boolean;
}

export function channelOf({ query }: Context, { policy }: Deps, { star }: Access) {
  return selectChannel(policy.channels, query.channel, { star });
}

/** Who asks, and on whose behalf. */
export function viewerOf(ctx: Context, { policy, directory }: Deps): Viewer {
  const account = single(ctx.query, 'account');
  if (account !== undefined && !isUuid(account)) {
    throw invalidParameter('account', 'Invalid', `account is not a uuid: "${account}"`);
  }
  const { caller } = ctx.state;
  checkActsFor(caller, account, policy.mode);
  return { caller, mode: policy.mode, account, open: directory.openDatacenters };
}

/** Who changes something, and on whose behalf. Whoever may do so nowhere is refused before anything is looked up. */
export function actorOf(ctx: Context, deps: Deps, operation: Operation): Viewer {
  const viewer = viewerOf(ctx, deps);
  if (modeLaw[viewer.mode].fleet && !mayAsk(viewer.caller, operation)) throw notPermitted(operation);
  return viewer;
}

const notPermitted = (operation: Operation) =>
  new ImgapiError('NotPermitted', `to ${operation} images takes a role that you have in no data center`);

/** Where an image will stand that somebody brings: nowhere on a server without data centers. */
export function placeOf(ctx: Context, { policy, directory }: Deps, operation: Operation): Place | undefined {
  if (!modeLaw[policy.mode].fleet) return undefined;
  const { caller } = ctx.state;
  const wanted = single(ctx.query, 'dc');
  const own = caller.kind === 'user' ? [...caller.rights.imageAdmin] : [];
  if (wanted === undefined && isOperator(caller)) return { datacenters: [MAIN] };
  const name = wanted ?? (own.length === 1 ? own[0] : undefined);
  if (name === undefined) {
    throw invalidParameter('dc', 'MissingParameter', `dc is missing: it is one of ${own.join(', ')}`);
  }
  const verdict = directory.datacenters.has(name) ? answer(caller, operation, { datacenter: name }) : 'hidden';
  if (verdict === 'hidden') throw invalidParameter('dc', 'Invalid', `there is no data center "${name}"`);
  if (verdict === 'forbidden') throw notPermitted(operation);
  return { datacenters: [name], boundTo: name };
}

/** The image that a path names, as its caller may address it. */
export function targetOf(ctx: Context, deps: Deps, access: Access): Target {
  const channel = channelOf(ctx, deps, access);
  const viewer = access.star ? viewerOf(ctx, deps) : actorOf(ctx, deps, 'update');
  // Named, not spread: the copy took a tenth of what a small request takes.
  const { caller, mode, account, open } = viewer;
  return { caller, mode, account, open, uuid: ctx.params.uuid ?? '', channel };
}

export function flag(query: RawQuery, name: string): boolean {
  const value = single(query, name);
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw invalidParameter(name, 'Invalid', `${name} is neither true nor false: "${value}"`);
}
