import { ImgapiError } from '../../imgapi/errors.js';
import type { Middleware } from '../context.js';

/** Refuses a request that can not be read, before anything tries to. */
export const wellFormed: Middleware = (ctx, next) => {
  if (ctx.headers.host === undefined && ctx.req.httpVersion === '1.1') {
    throw new ImgapiError('BadRequestError', 'the Host header is missing');
  }
  try {
    decodeURIComponent(ctx.path);
    void ctx.query;
  } catch (cause) {
    throw new ImgapiError('BadRequestError', 'the url is malformed', { cause });
  }
  return next();
};
