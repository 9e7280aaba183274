import { isUuid } from '../../../imgapi/image.js';
import { legacyManifest } from '../../../imgapi/legacy.js';
import { parseListQuery } from '../../../imgapi/query.js';
import type { Context } from '../../context.js';
import { findImage } from '../../operations/find-image.js';
import { listImages, recordsOf } from '../../operations/list-images.js';
import { channelOf, targetOf, viewerOf } from '../address.js';
import { manifestOf, sendJson } from '../reply.js';
import type { Handler } from '../route.js';

/** Nodes with a source of type dsapi do not follow redirects; everybody else is sent to where images live now. */
const isNode = (ctx: Context) => ctx.get('user-agent').startsWith('imgadm/');

export const listDatasets: Handler = async (ctx, deps) => {
  if (!isNode(ctx)) return redirect(ctx, '/images');
  const viewer = viewerOf(ctx, deps);
  const query = parseListQuery({ account: viewer.account });
  const found = listImages(deps, viewer, query, channelOf(ctx, deps, { star: true }));
  const records = await recordsOf(deps, found);
  sendJson(
    ctx,
    records.map((image) => legacyManifest(manifestOf(ctx, deps, image, { channels: false }))),
  );
};

export const getDataset: Handler = async (ctx, deps) => {
  const name = ctx.params.urn ?? '';
  if (!isNode(ctx) || !isUuid(name)) return redirect(ctx, isUuid(name) ? `/images/${name}` : search(name));
  const image = await findImage(deps.catalog, { ...targetOf(ctx, deps), uuid: name });
  sendJson(ctx, legacyManifest(manifestOf(ctx, deps, image, { channels: false })));
};

/** Which part of an old urn, by its number of parts, is the name and which the version. */
const urnForms: Record<number, { name: number; version?: number }> = {
  2: { name: 0, version: 1 },
  3: { name: 2 },
  4: { name: 2, version: 3 },
};

function search(urn: string): string {
  const parts = urn.split(':');
  const form = urnForms[parts.length];
  const query = new URLSearchParams({ name: form ? (parts[form.name] ?? '') : urn });
  if (form?.version !== undefined) query.set('version', parts[form.version] ?? '');
  return `/images?${query}`;
}

/** Relative where a token stood in the path: below it, without naming it. */
function redirect(ctx: Context, location: string): void {
  const up = '../'.repeat(ctx.path.split('/').length - 2);
  ctx.status = 301;
  ctx.set('Location', ctx.state.pathToken === undefined ? location : `${up}${location.slice(1)}`);
  ctx.set('Content-Length', '0');
  ctx.body = '';
}
