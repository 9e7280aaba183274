import { single } from '../../../imgapi/query.js';
import { readLogin } from '../../operations/docker-wish.js';
import { performPush, readPush } from '../../operations/push-docker.js';
import { targetFor } from '../address.js';
import { streamLines } from '../line-stream.js';
import type { Handler } from '../route.js';

export const pushDockerImage: Handler = async (ctx, deps) => {
  const target = targetFor('update', ctx, deps);
  const push = await readPush(deps, target, single(ctx.query, 'repoAndTag'), ctx.request.body);
  const login = readLogin(push.repo, ctx.get('x-registry-auth'), ctx.get('x-registry-config'));
  await streamLines(ctx, deps, { id: ctx.state.requestId }, (course) =>
    performPush(deps, target, { ...push, login }, course),
  );
};
