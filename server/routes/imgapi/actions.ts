import lt from 'semver/functions/lt.js';
import valid from 'semver/functions/valid.js';
import { nameOf } from '../../../imgapi/channels.js';
import { ImgapiError, invalidParameter, wrongParameter } from '../../../imgapi/errors.js';
import { isUuid } from '../../../imgapi/image.js';
import { single } from '../../../imgapi/query.js';
import type { Context } from '../../context.js';
import type { Deps } from '../../deps.js';
import { checkOperator } from '../../model/caller.js';
import { activate, disable, enable, withChannel } from '../../model/image.js';
import { modeLaw } from '../../model/modes.js';
import { type Change, changeImage } from '../../operations/change-image.js';
import { findImage, findOwnImage, type Target } from '../../operations/find-image.js';
import { type ImportOptions, importByHand, readImport } from '../../operations/import-image.js';
import {
  importFromDatacenter as importFromOther,
  importRemote as importFromServer,
  importManifestFrom,
  serverAt,
} from '../../operations/import-remote.js';
import { updateFrom } from '../../operations/update-image.js';
import { checkImporter, flag, placeOf, targetFor } from '../address.js';
import { manifestOf, precondition, sendJson, sendManifest } from '../reply.js';
import type { Handler } from '../route.js';
import { sendJob } from '../send-job.js';

/** What bears on an image that need not exist here yet, or that only operators move. */
const operations = new Map<string, Handler>([
  ['import', importManifest],
  ['import-remote', importRemote],
  ['import-from-datacenter', importFromDatacenter],
  ['change-stor', changeStor],
  ['export', exportImage],
]);

/** What changes one image: each gives the change, which then runs in a single write. */
const changes = new Map<string, (ctx: Context, deps: Deps, target: Target) => Change>([
  [
    'activate',
    (_, { now }) =>
      (image) =>
        activate(image, now()),
  ],
  ['disable', () => disable],
  ['enable', () => enable],
  ['update', (ctx, deps, target) => updateFrom(deps, target, ctx.request.body)],
  ['channel-add', (ctx, deps) => (image) => withChannel(image, addedChannel(ctx, deps))],
]);

export const actOnImage: Handler = async (ctx, deps) => {
  const action = single(ctx.query, 'action');
  const operation = operations.get(action ?? '');
  if (operation) return operation(ctx, deps);
  const target = targetFor('update', ctx, deps);
  const change = changes.get(action ?? '') ?? (() => () => refuse(action));
  sendManifest(ctx, deps, await changeImage(deps, target, precondition(ctx, deps), change(ctx, deps, target)));
};

/** After the image was found: whoever asks for nonsense learns no more than others. */
function refuse(action: string | undefined): never {
  if (!action) throw invalidParameter('action', 'MissingParameter', 'action is missing');
  throw invalidParameter('action', 'Invalid', `there is no action "${action}" on this server`);
}

function addedChannel({ request }: Context, { policy }: Deps): string {
  if (policy.channels.length === 0) {
    throw invalidParameter('action', 'Invalid', 'there is no action "channel-add": no channels are configured');
  }
  const { body } = request;
  const name = typeof body === 'object' && body && 'channel' in body ? body.channel : undefined;
  const channel = policy.channels.find((known) => known.name === name);
  if (channel) return channel.name;
  const code = name === undefined ? 'MissingParameter' : 'Invalid';
  const known = policy.channels.map((channel) => channel.name).join(', ');
  throw wrongParameter('channel', code, `the body must name the channel as {"channel": NAME}, one of ${known}`);
}

async function importManifest(ctx: Context, deps: Deps): Promise<void> {
  const target = targetFor('import', ctx, deps);
  checkImporter(target);
  const source = single(ctx.query, 'source');
  if (source !== undefined) {
    const options = optionsOf(ctx, deps, target);
    const image = await importManifestFrom(deps, target, serverAt(deps, target, source), options);
    return sendManifest(ctx, deps, image, { channels: true });
  }
  const draft = readImport(target, ctx.request.body);
  sendManifest(ctx, deps, await importByHand(deps, target, draft, optionsOf(ctx, deps, target)));
}

function optionsOf(ctx: Context, deps: Deps, target: Target): ImportOptions {
  const skipOwnerCheck = skipsOwnerCheck(ctx, target);
  const replaceMinPlatform = writesOwnMinPlatform(ctx.get('user-agent'));
  return { channel: nameOf(target.channel), place: placeOf(ctx, deps, 'import'), skipOwnerCheck, replaceMinPlatform };
}

function skipsOwnerCheck({ query }: Context, { caller }: Target): boolean {
  const skips = flag(query, 'skip_owner_check');
  if (skips) checkOperator(caller, undefined, 'giving images to owners who are not known');
  return skips;
}

function writesOwnMinPlatform(userAgent: string): boolean {
  const version = valid(/^imgadm\/(\d+\.\d+\.\d+) /.exec(userAgent)?.[1]);
  return version !== null && lt(version, '3.7.4');
}

async function importRemote(ctx: Context, deps: Deps): Promise<void> {
  const target = targetFor('import', ctx, deps);
  const source = single(ctx.query, 'source');
  if (!source) throw wrongParameter('source', 'MissingParameter', 'source is missing');
  checkImporter(target);
  const options = optionsOf(ctx, deps, target);
  const from = serverAt(deps, target, source);
  sendJob(ctx, deps, await importFromServer(deps, target, from, options));
}

async function importFromDatacenter(ctx: Context, deps: Deps): Promise<void> {
  if (!modeLaw[deps.policy.mode].fleet) refuse('import-from-datacenter');
  if (!isUuid(single(ctx.query, 'account'))) throw wrongParameter('account', 'Invalid', 'account is not a uuid');
  const target = targetFor('import', ctx, deps);
  const datacenter = single(ctx.query, 'datacenter');
  if (!datacenter) throw wrongParameter('datacenter', 'MissingParameter', 'datacenter is missing');
  const options = optionsOf(ctx, deps, target);
  sendJob(ctx, deps, await importFromOther(deps, target, datacenter, options));
}

async function changeStor(ctx: Context, deps: Deps): Promise<void> {
  const target = targetFor('update', ctx, deps);
  const image = await findImage(deps.catalog, target);
  checkOperator(target.caller, target.account, 'changing the storage of an image');
  const stor = single(ctx.query, 'stor');
  if (!stor) throw wrongParameter('stor', 'MissingParameter', 'stor is missing');
  if (stor !== 'local') throw wrongParameter('stor', 'Invalid', `stor "${stor}" is not configured: only local is`);
  sendJson(ctx, manifestOf(ctx, deps, image, { admin: true, channels: true }));
}

async function exportImage(ctx: Context, deps: Deps): Promise<void> {
  const image = await findOwnImage(deps.catalog, targetFor('update', ctx, deps));
  const path = single(ctx.query, 'manta_path');
  if (!path) throw wrongParameter('manta_path', 'MissingParameter', 'manta_path is missing');
  if (!/^\/[^/]+/.test(path)) throw invalidParameter('manta_path', 'Invalid', `manta_path "${path}" names no user`);
  throw new ImgapiError('StorageUnsupported', `image ${image.uuid} is not in Manta, so it can not be exported there`);
}
