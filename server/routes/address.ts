import { selectChannel } from '../../imgapi/channels.js';
import { invalidParameter } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import type { RawQuery } from '../../imgapi/query.js';
import type { Context } from '../context.js';
import type { Deps } from '../deps.js';
import { checkActsFor } from '../model/caller.js';
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

/** The image that a path names, as its caller may address it. */
export function targetOf(ctx: Context, deps: Deps, access: Access): Target {
  const channel = channelOf(ctx, deps, access);
  return { ...viewerOf(ctx, deps), uuid: ctx.params.uuid ?? '', channel };
}

/** A query parameter that may be given once. */
export function single(query: RawQuery, name: string): string | undefined {
  const value = query[name];
  if (Array.isArray(value)) throw invalidParameter(name, 'Invalid', `${name} is given more than once`);
  return value;
}

export function flag(query: RawQuery, name: string): boolean {
  const value = single(query, name);
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw invalidParameter(name, 'Invalid', `${name} is neither true nor false: "${value}"`);
}
