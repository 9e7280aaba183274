import { ImgapiError, validationFailed } from '../../../imgapi/errors.js';
import { findOwnImage } from '../../operations/find-image.js';
import { targetFor } from '../address.js';
import { sendErrorLine } from '../error-line.js';
import type { Handler } from '../route.js';

export const pushDockerImage: Handler = async (ctx, deps) => {
  const image = await findOwnImage(deps.catalog, targetFor('update', ctx, deps));
  if (image.type !== 'docker') {
    throw validationFailed([{ field: 'type', code: 'Invalid', message: 'only docker images can be pushed' }]);
  }
  const refusal = new ImgapiError('RemoteSourceError', 'this server does not push to registries yet');
  sendErrorLine(ctx, { id: ctx.state.requestId }, refusal);
};
