import { ImgapiError } from '../../imgapi/errors.js';
import type { Image } from '../../imgapi/image.js';
import { etagOf, serialize } from '../../imgapi/serialize.js';
import { acceptVersion } from '../../imgapi/version.js';
import type { Context } from '../context.js';
import type { Deps } from '../deps.js';
import { type Conditions, type Current, judge } from '../model/conditions.js';

export function sendJson(ctx: Context, value: unknown, status = 200): void {
  sendText(ctx, jsonOf(value), status);
}

/** The type is exactly this, without a charset: imgadm compares it letter by letter. */
export function sendText(ctx: Context, json: string, status = 200): void {
  ctx.status = status;
  ctx.res.setHeader('Content-Type', 'application/json');
  ctx.body = json;
}

export const jsonOf = (value: unknown) => JSON.stringify(value, null, 2);

/** Whether the client knows of channels. */
export const showsChannels = (ctx: Context) => acceptVersion(ctx.headers['accept-version']?.toString()).channels;

export interface ManifestView {
  admin?: boolean;
  /** Channels are shown to clients that ask for version 2, or to all where this is set. */
  channels?: boolean;
}

export function manifestOf(ctx: Context, { policy }: Deps, image: Image, view: ManifestView = {}) {
  const channels = view.channels ?? showsChannels(ctx);
  return serialize(image, { mode: policy.mode, channels, admin: view.admin ?? false });
}

/** The manifest of an image that was just read or changed, with its tag. */
export function sendManifest(ctx: Context, deps: Deps, image: Image, view?: ManifestView): void {
  const manifest = manifestOf(ctx, deps, image, view);
  ctx.set('Etag', quoted(etagOf(manifest)));
  sendJson(ctx, manifest);
}

export const quoted = (tag: string) => `"${tag}"`;

/** Answers 304 or throws 412 where the conditional headers say so; true when that ended the request. */
export function answeredByConditions(ctx: Context, current: Current): boolean {
  const verdict = judge(conditionsOf(ctx), current);
  if (verdict === 'failed') throw preconditionFailed();
  if (verdict === 'proceed') return false;
  ctx.status = 304;
  return true;
}

/** For changes: throws 412 unless the current manifest is the one that the client expects. */
export function precondition(ctx: Context, deps: Deps): (image: Image) => void {
  const conditions = conditionsOf(ctx);
  return (image) => {
    const etag = etagOf(manifestOf(ctx, deps, image));
    if (judge(conditions, { etag }) !== 'proceed') throw preconditionFailed();
  };
}

export const unconditionally = () => {};

const preconditionFailed = () =>
  new ImgapiError('PreconditionFailed', 'the image is not in the state that the conditional headers expect');

function conditionsOf({ headers }: Context): Conditions {
  return {
    ifMatch: headers['if-match'],
    ifNoneMatch: headers['if-none-match'],
    ifModifiedSince: headers['if-modified-since'],
    ifUnmodifiedSince: headers['if-unmodified-since'],
  };
}
