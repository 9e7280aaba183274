import { ImgapiError, invalidParameter } from '../../../imgapi/errors.js';
import { compressions } from '../../../imgapi/image.js';
import { single } from '../../../imgapi/query.js';
import { findImage } from '../../operations/find-image.js';
import { findUploadTarget, uploadFile } from '../../operations/upload-file.js';
import { targetFor, targetOf } from '../address.js';
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
  await sendStored(ctx, deps, file, 'application/octet-stream');
};

export const addImageFile: Handler = async (ctx, deps) => {
  const target = targetFor('upload', ctx, deps);
  await findUploadTarget(deps, target);
  if (single(ctx.query, 'source') !== undefined) throw noFetching();
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
  compressionOf(single(ctx.query, 'compression'));
  checkFileUrl(ctx.request.body);
  checkStorage(ctx.query, target);
  throw new ImgapiError('Download', 'this server does not fetch files by url yet: upload the file with PUT');
};

const noFetching = () =>
  new ImgapiError('RemoteSourceError', 'this server does not fetch from other image servers yet');

function compressionOf(given: string | undefined) {
  if (!given) throw invalidParameter('compression', 'Missing', 'compression is missing');
  const compression = compressions.find((known) => known === given);
  if (compression) return compression;
  throw invalidParameter('compression', 'Invalid', `compression "${given}" is not one of ${compressions.join(', ')}`);
}

function checkFileUrl(body: unknown): void {
  const url = typeof body === 'object' && body && 'file_url' in body ? body.file_url : undefined;
  if (url === undefined) throw invalidParameter('file_url', 'Missing', 'file_url is missing');
  if (typeof url !== 'string' || !URL.canParse(url) || new URL(url).protocol !== 'https:') {
    throw invalidParameter('file_url', 'Invalid', 'file_url is not an https url');
  }
}
