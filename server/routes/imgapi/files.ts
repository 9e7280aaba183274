import { ImgapiError, invalidParameter } from '../../../imgapi/errors.js';
import { compressions } from '../../../imgapi/image.js';
import { single } from '../../../imgapi/query.js';
import { whileThere } from '../../context.js';
import { fetchFileAt, fetchFileFrom } from '../../operations/fetch-file.js';
import { findImage } from '../../operations/find-image.js';
import { serverAt } from '../../operations/import-remote.js';
import { findUploadTarget, uploadFile } from '../../operations/upload-file.js';
import { paced } from '../../send-file.js';
import { targetFor, targetOf } from '../address.js';
import { asksForRedirect, redirectedToStore } from '../redirect-to-store.js';
import { sendManifest } from '../reply.js';
import { withBody } from '../request-body.js';
import type { Handler } from '../route.js';
import { sendStored } from '../send-stored.js';
import { checkStorage, expectedOf } from '../upload-parameters.js';

export const getImageFile: Handler = async (ctx, deps) => {
  const image = await findImage(deps.catalog, targetOf(ctx, deps));
  const index = Number.parseInt(single(ctx.query, 'index') ?? '0', 10) || 0;
  const file = image.files[index];
  if (!file) throw new ImgapiError('ResourceNotFound', `image ${image.uuid} has no file at index ${index}`);
  const { credentials } = ctx.state;
  const redirects = asksForRedirect(ctx);
  await deps.nodeWork.sending(
    credentials?.token,
    { image: image.uuid, size: file.size },
    ctx.req.socket,
    async (bandwidth) => {
      // what is to come slowly comes from here
      if (redirects && !bandwidth && (await redirectedToStore(ctx, deps, file, `${image.name}-${image.version}`)))
        return;
      await sendStored(
        ctx,
        bandwidth ? paced(deps, bandwidth, whileThere(ctx)) : deps,
        file,
        'application/octet-stream',
      );
    },
  );
};

export const addImageFile: Handler = async (ctx, deps) => {
  const target = targetFor('upload', ctx, deps);
  await findUploadTarget(deps, target);
  const given = single(ctx.query, 'source');
  if (given !== undefined) {
    const from = serverAt(deps, target, given);
    return sendManifest(ctx, deps, await fetchFileFrom(deps, target, from, whileThere(ctx)));
  }
  const compression = compressionOf(single(ctx.query, 'compression'));
  checkStorage(ctx.query, target);
  const details = { compression, dataset_guid: single(ctx.query, 'dataset_guid') || undefined };
  const expected = expectedOf(ctx);
  const image = await withBody(ctx, (body) => uploadFile(deps, target, body, expected, details));
  sendManifest(ctx, deps, image);
};

export const addImageFileFromUrl: Handler = async (ctx, deps) => {
  const target = targetFor('upload', ctx, deps);
  await findUploadTarget(deps, target);
  const compression = compressionOf(single(ctx.query, 'compression'));
  const url = fileUrlOf(ctx.request.body);
  checkStorage(ctx.query, target);
  const details = { compression, dataset_guid: single(ctx.query, 'dataset_guid') || undefined };
  const expect = { sha1: single(ctx.query, 'sha1') || undefined };
  sendManifest(ctx, deps, await fetchFileAt(deps, target, url, { expect, details }, whileThere(ctx)));
};

function compressionOf(given: string | undefined) {
  if (!given) throw invalidParameter('compression', 'Missing', 'compression is missing');
  const compression = compressions.find((known) => known === given);
  if (compression) return compression;
  throw invalidParameter('compression', 'Invalid', `compression "${given}" is not one of ${compressions.join(', ')}`);
}

function fileUrlOf(body: unknown): string {
  const url = typeof body === 'object' && body && 'file_url' in body ? body.file_url : undefined;
  if (url === undefined) throw invalidParameter('file_url', 'Missing', 'file_url is missing');
  if (typeof url !== 'string' || !URL.canParse(url) || new URL(url).protocol !== 'https:') {
    throw invalidParameter('file_url', 'Invalid', 'file_url is not an https url');
  }
  return url;
}
