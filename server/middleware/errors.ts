import type { Logger } from 'pino';
import { ImgapiError } from '../../imgapi/errors.js';
import { StorageDown } from '../../storage/errors.js';
import { ClientLeft, type Context, type Middleware } from '../context.js';

/** Headers of what was about to be sent. */
const OF_THE_FILE = [
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Length',
  'Content-MD5',
  'Content-Range',
  'Etag',
  'Last-Modified',
];

/** A storage that is down is asked again after so many seconds. */
const SOON = '5';

/** The one place where an exception becomes a response. */
export function errors(log: Logger): Middleware {
  return async (ctx, next) => {
    // Taken now: a request that ends early loses its socket.
    const { socket } = ctx.req;
    try {
      await next();
    } catch (error) {
      const id = ctx.state.requestId;
      if (error instanceof ClientLeft) log.info({ id, reason: error.message }, 'client left');
      else if (socket.destroyed && !(error instanceof ImgapiError)) log.error({ id, err: error }, 'failed unheard');
      else answer(ctx, error, log);
    }
  };
}

function answer(ctx: Context, error: unknown, log: Logger): void {
  const refusal = refusalFor(error);
  ctx.state.refused = refusal.code;
  if (refusal.status >= 500 && !saysAll(refusal)) log.error({ id: ctx.state.requestId, err: error }, refusal.message);
  if (ctx.res.headersSent) {
    // What has gone out can not be taken back: a connection that breaks tells the client that the file is not whole.
    ctx.res.destroy();
    return;
  }
  for (const name of OF_THE_FILE) ctx.remove(name);
  ctx.respond = true;
  // Not ctx.path: the URL may be what is refused.
  const managed = ctx.req.url?.startsWith('/api/');
  ctx.status = managed ? refusal.managementStatus : refusal.status;
  if (refusal.code === 'StorageIsDown') ctx.set('Retry-After', SOON);
  ctx.set(refusal.headers);
  ctx.set('Content-Type', 'application/json');
  ctx.body = JSON.stringify(managed ? forManagement(refusal) : refusal, null, 2);
}

/** Of these there may be one for every request, for as long as a service is away: the line of the request is enough. */
const saysAll = ({ code, cause }: ImgapiError) => code === 'ServiceUnavailableError' && cause === undefined;

/** As the command lines of the management API read it: what is wrong with fields is a result, all else a detail. */
function forManagement(refusal: ImgapiError) {
  const told = refusal.toJSON();
  const { errors } = refusal;
  if (!errors) return { ...told, detail: refusal.message };
  const saidOf = (name: string) =>
    errors.filter(({ field }) => field === name).map(({ code, message }) => message ?? code);
  const result = Object.fromEntries(errors.map(({ field }) => [field, saidOf(field)]));
  return { ...told, detail: refusal.message, task_id: null, status: 'FAILURE', result };
}

function refusalFor(error: unknown): ImgapiError {
  if (error instanceof ImgapiError) return error;
  if (error instanceof StorageDown) {
    return new ImgapiError('StorageIsDown', 'the storage failed; try again later', { cause: error });
  }
  return new ImgapiError('InternalError', 'the server failed; its log tells why, under this request id', {
    cause: error,
  });
}
