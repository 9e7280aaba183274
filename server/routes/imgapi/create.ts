import { nameOf } from '../../../imgapi/channels.js';
import { ImgapiError, invalidParameter, wrongParameter } from '../../../imgapi/errors.js';
import { single } from '../../../imgapi/query.js';
import type { Context } from '../../context.js';
import type { Deps } from '../../deps.js';
import { createImage as create } from '../../operations/create-image.js';
import { actorOf, channelOf, checkImporter, placeOf } from '../address.js';
import { sendErrorLine } from '../error-line.js';
import { sendManifest } from '../reply.js';
import type { Handler } from '../route.js';

/** POST /images by its action; without one it creates an image. */
const actions = new Map<string, Handler>([
  ['', createFromBody],
  ['create-from-vm', createFromVm],
  ['import-docker-image', importDockerImage],
  ['import-lxd-image', importLxdImage],
]);

export const createImage: Handler = (ctx, deps) => {
  const action = single(ctx.query, 'action') ?? '';
  const handler = actions.get(action);
  if (!handler) throw invalidParameter('action', 'Invalid', `there is no action "${action}"`);
  return handler(ctx, deps);
};

async function createFromBody(ctx: Context, deps: Deps): Promise<void> {
  const channel = nameOf(channelOf(ctx, deps, { star: false }));
  const viewer = actorOf(ctx, deps, 'create');
  const place = placeOf(ctx, deps, 'create');
  sendManifest(ctx, deps, await create(deps, viewer, ctx.request.body, { channel, place }));
}

function createFromVm(ctx: Context, deps: Deps): void {
  channelOf(ctx, deps, { star: false });
  actorOf(ctx, deps, 'create');
  throw new ImgapiError('NotAvailable', 'this server has no hypervisors to create images from');
}

function importDockerImage(ctx: Context, deps: Deps): void {
  channelOf(ctx, deps, { star: false });
  checkImporter(actorOf(ctx, deps, 'import'));
  const repo = single(ctx.query, 'repo');
  const tag = single(ctx.query, 'tag');
  const digest = single(ctx.query, 'digest');
  if (!repo) throw wrongParameter('repo', 'MissingParameter', 'repo is missing');
  if (!tag && !digest) throw wrongParameter('tag', 'MissingParameter', 'neither tag nor digest is given');
  if (tag && digest) throw wrongParameter('digest', 'Invalid', 'both tag and digest are given');
  if (!REPO.test(repo)) throw wrongParameter('repo', 'Invalid', `repo "${repo}" is not the name of a repository`);
  sendErrorLine(ctx, { id: repo }, noRegistry());
}

function importLxdImage(ctx: Context, deps: Deps): void {
  checkImporter(actorOf(ctx, deps, 'import'));
  channelOf(ctx, deps, { star: false });
  const alias = single(ctx.query, 'alias');
  if (!alias) throw wrongParameter('alias', 'MissingParameter', 'alias is missing');
  if (!alias.includes(':')) {
    throw invalidParameter('alias', 'InvalidParameter', `alias "${alias}" is not of the form registry:image`);
  }
  sendErrorLine(ctx, { alias }, noRegistry());
}

const REPO = /^[a-z0-9][a-z0-9._:/-]*$/i;

const noRegistry = () => new ImgapiError('RemoteSourceError', 'this server does not fetch from registries yet');
