import { nameOf } from '../../../imgapi/channels.js';
import { ImgapiError, invalidParameter, wrongParameter } from '../../../imgapi/errors.js';
import { isUuid } from '../../../imgapi/image.js';
import { single } from '../../../imgapi/query.js';
import { publicImages } from '../../../imgapi/values.js';
import type { Context } from '../../context.js';
import type { Deps } from '../../deps.js';
import { modeLaw } from '../../model/modes.js';
import { createFromVm as createImageFromVm } from '../../operations/create-from-vm.js';
import { createImage as create } from '../../operations/create-image.js';
import { readDockerImage, readLogin } from '../../operations/docker-wish.js';
import { giveUpDocker, performDocker, planDocker } from '../../operations/import-docker.js';
import { giveUpLxd, performLxd, planLxd, readLxdAlias } from '../../operations/import-lxd.js';
import { actorOf, channelOf, checkImporter, flag, placeOf } from '../address.js';
import { streamLines } from '../line-stream.js';
import { sendManifest } from '../reply.js';
import type { Handler } from '../route.js';
import { sendJob } from '../send-job.js';

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

async function createFromVm(ctx: Context, deps: Deps): Promise<void> {
  const channel = nameOf(channelOf(ctx, deps, { star: false }));
  const viewer = actorOf(ctx, deps, 'create');
  if (!modeLaw[viewer.mode].fleet) {
    throw new ImgapiError('NotAvailable', 'this server has no hypervisors to create images from');
  }
  const { query, request } = ctx;
  const vm = single(query, 'vm_uuid');
  if (!vm) throw wrongParameter('vm_uuid', 'MissingParameter', 'vm_uuid is missing');
  if (!isUuid(vm)) throw invalidParameter('vm_uuid', 'Invalid', `vm_uuid is not a uuid: "${vm}"`);
  const incremental = flag(query, 'incremental');
  const longestChain = single(query, 'max_origin_depth');
  sendJob(
    ctx,
    deps,
    await createImageFromVm(deps, viewer, { vm, incremental, longestChain, body: request.body, channel }),
  );
}

async function importDockerImage(ctx: Context, deps: Deps): Promise<void> {
  const channel = channelOf(ctx, deps, { star: false });
  const viewer = actorOf(ctx, deps, 'import');
  checkImporter(viewer);
  const { query } = ctx;
  const named = { repo: single(query, 'repo'), tag: single(query, 'tag'), digest: single(query, 'digest') };
  const image = readDockerImage(named);
  const login = readLogin(image.repo, ctx.get('x-registry-auth'), ctx.get('x-registry-config'));
  const wish = { ...image, login, visible: visibleOf(ctx, deps, true) };
  const importer = { ...viewer, channel, place: placeOf(ctx, deps, 'import') };
  await streamLines(ctx, deps, { id: image.repo.canonical }, async (course) => {
    const plan = await planDocker(deps, importer, wish, course.signal);
    await performDocker(deps, importer, plan, course).finally(() => giveUpDocker(deps, plan, course.id));
  });
}

async function importLxdImage(ctx: Context, deps: Deps): Promise<void> {
  const viewer = actorOf(ctx, deps, 'import');
  checkImporter(viewer);
  const channel = channelOf(ctx, deps, { star: false });
  const alias = readLxdAlias(single(ctx.query, 'alias'));
  const wish = { alias, visible: visibleOf(ctx, deps, false) };
  const importer = { ...viewer, channel, place: placeOf(ctx, deps, 'import') };
  await streamLines(ctx, deps, { alias: alias.full }, async (course) => {
    const plan = await planLxd(deps, importer, wish, course.signal);
    await performLxd(deps, importer, plan, course).finally(() => giveUpLxd(deps, plan, course.id));
  });
}

/** Whom it is for unless that is said: what belongs on the server, where that is laid down. */
const visibleOf = ({ query }: Context, { policy }: Deps, usual: boolean): boolean =>
  single(query, 'public') === undefined ? (publicImages[policy.mode]?.only ?? usual) : flag(query, 'public');
