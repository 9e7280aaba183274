import { ImgapiError } from '../../../imgapi/errors.js';
import { parseListQuery } from '../../../imgapi/query.js';
import { etagOf } from '../../../imgapi/serialize.js';
import type { Context } from '../../context.js';
import type { Deps } from '../../deps.js';
import { checkActsFor, isOperator } from '../../model/caller.js';
import { deleteImage as remove } from '../../operations/delete-image.js';
import { findImage, findListed, type Target } from '../../operations/find-image.js';
import { listImages as list, recordsOf } from '../../operations/list-images.js';
import { elementsOf } from '../../operations/listing.js';
import type { SentManifest } from '../../operations/manifests.js';
import { sendElements } from '../../send-elements.js';
import { channelOf, flag, targetFor, targetOf } from '../address.js';
import { answeredByConditions, jsonOf, manifestOf, quoted, sendJson, sendText, showsChannels } from '../reply.js';
import type { Handler } from '../route.js';

export const listImages: Handler = async (ctx, deps) => {
  const channel = channelOf(ctx, deps, { star: true });
  const query = parseListQuery(ctx.query);
  const { caller } = ctx.state;
  const { mode } = deps.policy;
  checkActsFor(caller, query.account, mode);
  const admin = wantsAdminFields(ctx);
  const open = deps.directory.openDatacenters;
  const found = list(deps, { caller, mode, account: query.account, open }, query, channel);
  if (admin) {
    const records = await recordsOf(deps, found);
    sendJson(
      ctx,
      records.map((image) => manifestOf(ctx, deps, image, { admin })),
    );
  } else {
    await sendElements(ctx, await elementsOf(found, formFor(ctx)));
  }
};

export const getImage: Handler = async (ctx, deps) => {
  const { json, etag } = await manifestFor(ctx, deps, targetOf(ctx, deps));
  ctx.res.setHeader('Etag', quoted(etag));
  if (!answeredByConditions(ctx, { etag })) sendText(ctx, json);
};

async function manifestFor(ctx: Context, deps: Deps, target: Target): Promise<SentManifest> {
  if (!wantsAdminFields(ctx)) {
    const { manifest } = await findListed(deps, target);
    return deps.manifests[formFor(ctx)](manifest);
  }
  const manifest = manifestOf(ctx, deps, await findImage(deps.catalog, target), { admin: true });
  return { json: jsonOf(manifest), etag: etagOf(manifest) };
}

const formFor = (ctx: Context) => (showsChannels(ctx) ? 'withChannels' : 'plain');

function wantsAdminFields(ctx: Context): boolean {
  const wanted = flag(ctx.query, 'inclAdminFields');
  if (wanted && !isOperator(ctx.state.caller)) {
    throw new ImgapiError('UnauthorizedError', 'admin fields are for operators: send credentials');
  }
  return wanted;
}

export const deleteImage: Handler = async (ctx, deps) => {
  const target = targetFor('delete', ctx, deps);
  const fromAllChannels = flag(ctx.query, 'force_all_channels');
  await remove(deps, target, { fromAllChannels, force: flag(ctx.query, 'force') });
  ctx.status = 204;
};
