import { selectChannel } from '../../imgapi/channels.js';
import { ImgapiError, invalidParameter } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import { type RawQuery, single } from '../../imgapi/query.js';
import type { Context } from '../context.js';
import type { Deps } from '../deps.js';
import { checkActsFor, checkOperator, isOperator, nameOfCaller } from '../model/caller.js';
import { MAIN } from '../model/datacenter.js';
import { modeLaw } from '../model/modes.js';
import { answer, mayAsk, type Operation, refusalOf } from '../model/permissions.js';
import type { Viewer } from '../model/visibility.js';
import type { Target } from '../operations/find-image.js';
import type { Place } from '../operations/register-image.js';

/** Reading takes `channel=*`, changing needs one channel. */
export function channelOf({ query }: Context, { policy }: Deps, { star }: { star: boolean }) {
  return selectChannel(policy.channels, query.channel, { star });
}

/** Where others reach this server; while nothing is said of it, where this one has. Never what a Host header claims. */
export function ownUrl({ req }: Context, { policy }: Deps): string {
  if (policy.publicUrl !== undefined) return policy.publicUrl;
  const { localAddress = '127.0.0.1', localPort } = req.socket;
  const address = localAddress.replace(/^::ffff:/, '');
  const scheme = 'encrypted' in req.socket ? 'https' : 'http';
  return `${scheme}://${address.includes(':') ? `[${address}]` : address}:${localPort}`;
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
  new ImgapiError('NotPermitted', refusalOf(operation, `${operation} images`));

/** Where an image will stand that somebody brings: nowhere on a server without data centers. */
export function placeOf(ctx: Context, { policy, directory }: Deps, operation: Operation): Place | undefined {
  if (!modeLaw[policy.mode].fleet) return undefined;
  const { caller } = ctx.state;
  const wanted = single(ctx.query, 'dc');
  const by = nameOfCaller(caller);
  if (wanted === undefined && isOperator(caller)) return { datacenters: [MAIN], by };
  const own = [...directory.datacenters.keys()].filter(
    (name) => answer(caller, operation, { datacenter: name }) === 'yes',
  );
  const name = wanted ?? (own.length === 1 ? own[0] : undefined);
  if (name === undefined) {
    throw invalidParameter('dc', 'MissingParameter', `dc is missing: it is one of ${own.join(', ')}`);
  }
  const verdict = directory.datacenters.has(name) ? answer(caller, operation, { datacenter: name }) : 'hidden';
  if (verdict === 'hidden') throw invalidParameter('dc', 'Invalid', `there is no data center "${name}"`);
  if (verdict === 'forbidden') throw notPermitted(operation);
  return { datacenters: [name], boundTo: name, by };
}

/** The image that a path names, for whoever reads it. */
export function targetOf(ctx: Context, deps: Deps): Target {
  const channel = channelOf(ctx, deps, { star: true });
  // Named, not spread: the copy took a tenth of what a small request takes.
  const { caller, mode, account, open } = viewerOf(ctx, deps);
  return { caller, mode, account, open, uuid: ctx.params.uuid ?? '', channel };
}

/** The image that a path names, for whoever changes it. */
export function targetFor(operation: Operation, ctx: Context, deps: Deps): Target {
  const channel = channelOf(ctx, deps, { star: false });
  return { ...actorOf(ctx, deps, operation), uuid: ctx.params.uuid ?? '', channel, operation };
}

/** Imports are the operators', and in data centers those of whoever has the roles; no account asks for them. */
export function checkImporter({ caller, mode, account }: Viewer): void {
  if (account !== undefined || !modeLaw[mode].fleet) checkOperator(caller, account, 'importing images');
}

export function flag(query: RawQuery, name: string): boolean {
  const value = single(query, name);
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw invalidParameter(name, 'Invalid', `${name} is neither true nor false: "${value}"`);
}
