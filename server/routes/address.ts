import { selectChannel } from '../../imgapi/channels.js';
import { invalidParameter } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import { type RawQuery, single } from '../../imgapi/query.js';
import type { Context } from '../context.js';
import type { Deps } from '../deps.js';
import { checkActsFor, isOperator } from '../model/caller.js';
import { modeLaw } from '../model/modes.js';
import type { Viewer } from '../model/visibility.js';
import type { Target } from '../operations/find-image.js';

/** Reading takes `channel=*`, changing needs one channel. */
interface Access {
  star: boolean;
}

export function channelOf({ query }: Context, { policy }: Deps, { star }: Access) {
  return selectChannel(policy.channels, query.channel, { star });
}

/** Who asks, and on whose behalf. */
export function viewerOf(ctx: Context, { policy }: Deps): Viewer {
  const account = single(ctx.query, 'account');
  if (account !== undefined && !isUuid(account)) {
    throw invalidParameter('account', 'Invalid', `account is not a uuid: "${account}"`);
  }
  const { caller } = ctx.state;
  checkActsFor(caller, account, policy.mode);
  return { caller, mode: policy.mode, account };
}

/** Who changes something, and on whose behalf: users who are no operators act for themselves where owners are users. */
export function actorOf(ctx: Context, deps: Deps): Viewer {
  const viewer = viewerOf(ctx, deps);
  const { caller, mode } = viewer;
  if (viewer.account !== undefined || isOperator(caller) || !modeLaw[mode].ownersAreUsers) return viewer;
  return { ...viewer, account: caller.user?.uuid };
}

/** The image that a path names, as its caller may address it. */
export function targetOf(ctx: Context, deps: Deps, access: Access): Target {
  const channel = channelOf(ctx, deps, access);
  const viewer = access.star ? viewerOf(ctx, deps) : actorOf(ctx, deps);
  // Named, not spread: the copy took a tenth of what a small request takes.
  const { caller, mode, account } = viewer;
  return { caller, mode, account, uuid: ctx.params.uuid ?? '', channel };
}

export function flag(query: RawQuery, name: string): boolean {
  const value = single(query, name);
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw invalidParameter(name, 'Invalid', `${name} is neither true nor false: "${value}"`);
}
