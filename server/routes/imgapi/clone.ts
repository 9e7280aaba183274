import { invalidParameter } from '../../../imgapi/errors.js';
import { single } from '../../../imgapi/query.js';
import { isOperator } from '../../model/caller.js';
import { cloneImage as clone } from '../../operations/clone-image.js';
import { placeOf, targetFor } from '../address.js';
import { manifestOf, sendJson } from '../reply.js';
import type { Handler } from '../route.js';

export const cloneImage: Handler = async (ctx, deps) => {
  const target = targetFor('create', ctx, deps);
  if (target.account === undefined) {
    throw invalidParameter('account', 'Invalid', 'account, for whom the image is cloned, is missing');
  }
  // A copy of an operator's making stands where its original does; others bring it to where they may create.
  const isCopiedInPlace = isOperator(target.caller) && single(ctx.query, 'dc') === undefined;
  const place = isCopiedInPlace ? undefined : placeOf(ctx, deps, 'create');
  sendJson(ctx, manifestOf(ctx, deps, await clone(deps, target, target.account, place)));
};
