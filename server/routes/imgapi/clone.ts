import { invalidParameter } from '../../../imgapi/errors.js';
import { cloneImage as clone } from '../../operations/clone-image.js';
import { targetOf } from '../address.js';
import { manifestOf, sendJson } from '../reply.js';
import type { Handler } from '../route.js';

export const cloneImage: Handler = async (ctx, deps) => {
  const target = targetOf(ctx, deps, { star: false });
  if (target.account === undefined) {
    throw invalidParameter('account', 'Invalid', 'account, for whom the image is cloned, is missing');
  }
  sendJson(ctx, manifestOf(ctx, deps, await clone(deps, target, target.account)));
};
