import { ImgapiError } from '../../../imgapi/errors.js';
import { withoutIcon } from '../../model/image.js';
import { changeImage } from '../../operations/change-image.js';
import { findImage, findOwnImage } from '../../operations/find-image.js';
import { uploadIcon } from '../../operations/upload-icon.js';
import { targetFor, targetOf } from '../address.js';
import { sendManifest, unconditionally } from '../reply.js';
import { withBody } from '../request-body.js';
import type { Handler } from '../route.js';
import { sendStored } from '../send-stored.js';
import { checkStorage, expectedOf } from '../upload-parameters.js';

const TYPES = ['image/jpeg', 'image/gif', 'image/png'];

export const addImageIcon: Handler = async (ctx, deps) => {
  const target = targetFor('update', ctx, deps);
  await findOwnImage(deps.catalog, target);
  const type = ctx.get('content-type');
  if (!TYPES.includes(type)) {
    throw new ImgapiError('Upload', `content type "${type}" of the icon is not one of ${TYPES.join(', ')}`);
  }
  checkStorage(ctx.query, target);
  const expected = expectedOf(ctx);
  const image = await withBody(ctx, (body) => uploadIcon(deps, target, body, expected, type));
  sendManifest(ctx, deps, image);
};

export const getImageIcon: Handler = async (ctx, deps) => {
  const image = await findImage(deps.catalog, targetOf(ctx, deps));
  if (!image.icon) throw new ImgapiError('ResourceNotFound', `image ${image.uuid} has no icon`);
  await sendStored(ctx, deps, image.icon, image.icon.contentType);
};

export const deleteImageIcon: Handler = async (ctx, deps) => {
  const target = targetFor('update', ctx, deps);
  sendManifest(ctx, deps, await changeImage(deps, target, unconditionally, withoutIcon));
};
