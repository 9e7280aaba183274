import { type ErrorCode, errors, type FieldError, ImgapiError, invalidParameter } from '../../../imgapi/errors.js';
import { single } from '../../../imgapi/query.js';
import { checkOperator, isKnown } from '../../model/caller.js';
import { modeLaw } from '../../model/modes.js';
import { sendJson } from '../reply.js';
import type { Handler } from '../route.js';

export const ping: Handler = (ctx, { policy }) => {
  const simulated = single(ctx.query, 'error');
  if (simulated !== undefined) throw simulate(simulated);
  const { caller } = ctx.state;
  sendJson(ctx, {
    ping: 'pong',
    version: policy.version,
    imgapi: true,
    ...((isKnown(caller) || modeLaw[policy.mode].pidIsOpen) && { pid: process.pid }),
    ...(caller.user && { user: caller.user.name }),
  });
};

/** The errors that `GET /ping?error=` shows to who writes a client, with their fields; others show as InternalError. */
const samples = new Map<ErrorCode, FieldError[] | undefined>([
  ['ValidationFailed', []],
  ['InvalidParameter', [{ field: 'foo', code: 'Invalid' }]],
  ['ImageFilesImmutable', undefined],
  ['ImageAlreadyActivated', undefined],
  ['NoActivationNoFile', undefined],
  ['OperatorOnly', undefined],
  ['ImageUuidAlreadyExists', undefined],
  ['StorageIsDown', undefined],
  ['StorageUnsupported', undefined],
  ['RemoteSourceError', undefined],
  ['InternalError', undefined],
]);

const bare = (code: string) => code.replace(/Error$/, '');

function simulate(asked: string): ImgapiError {
  const message = `a simulated error, as asked for with error=${asked}`;
  for (const [code, fields] of samples) {
    if (bare(code) === bare(asked)) return new ImgapiError(code, message, fields && { errors: fields });
  }
  const exists = asked === '' || Object.keys(errors).some((code) => bare(code) === bare(asked));
  if (exists) return new ImgapiError('InternalError', message);
  return invalidParameter('error', 'Missing', `there is no error "${asked}"`);
}

export const getState: Handler = (ctx, { listing, policy, log }) => {
  checkOperator(ctx.state.caller, undefined, 'the state of the server');
  sendJson(ctx, {
    version: policy.version,
    mode: policy.mode,
    uptime: Math.round(process.uptime()),
    log: { level: log.level },
    storageTypes: ['local'],
    cache: { images: listing.size },
    memory: process.memoryUsage(),
  });
};

/** Nothing is cached that could be stale, so there is nothing to drop. */
export const updateState: Handler = (ctx) => {
  checkOperator(ctx.state.caller, undefined, 'the state of the server');
  const action = single(ctx.query, 'action');
  if (!action) throw new ImgapiError('MissingParameter', 'action is missing: the only one is dropcaches');
  if (action !== 'dropcaches') throw new ImgapiError('InvalidArgument', `there is no action "${action}"`);
  ctx.body = null;
  ctx.status = 202;
};

/** Answers when the keys are in force: whoever has added one may use it at once. */
export const reloadAuthKeys: Handler = async (ctx, { keyring }) => {
  checkOperator(ctx.state.caller, undefined, 'reloading keys');
  await keyring.reload();
  sendJson(ctx, {});
};

export const listChannels: Handler = (ctx, { policy }) => {
  sendJson(
    ctx,
    policy.channels.map(({ name, description, default: isDefault }) => ({
      name,
      description,
      ...(isDefault && { default: true }),
    })),
  );
};
