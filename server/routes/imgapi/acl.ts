import { invalidParameter } from '../../../imgapi/errors.js';
import { isUuid } from '../../../imgapi/image.js';
import { single } from '../../../imgapi/query.js';
import { notSharedWith, sharedWith } from '../../model/image.js';
import { changeImage } from '../../operations/change-image.js';
import { findOwnImage } from '../../operations/find-image.js';
import { targetFor } from '../address.js';
import { sendManifest, unconditionally } from '../reply.js';
import type { Handler } from '../route.js';

const changes = new Map([
  ['add', sharedWith],
  ['remove', notSharedWith],
]);

export const changeImageAcl: Handler = async (ctx, deps) => {
  const target = targetFor('update', ctx, deps);
  await findOwnImage(deps.catalog, target);
  const action = single(ctx.query, 'action') || 'add';
  const change = changes.get(action);
  if (!change) throw invalidParameter('action', 'Invalid', `action "${action}" is neither add nor remove`);
  const accounts = accountsOf(ctx.request.body);
  sendManifest(ctx, deps, await changeImage(deps, target, unconditionally, (image) => change(image, accounts)));
};

function accountsOf(body: unknown): string[] {
  if (Array.isArray(body) && body.every(isUuid)) return body;
  throw invalidParameter('acl', 'Invalid', 'the body is not an array of uuids');
}
