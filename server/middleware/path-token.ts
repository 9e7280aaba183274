import type { Middleware } from '../context.js';

/** `/n/TOKEN/images?os=linux`, or the same as a whole URL. */
const WITH_TOKEN = /^([a-z]+:\/\/[^/?#]*)?\/+n\/([^/?#]*)(.*)$/is;

/**
 * The first of all: takes the token of a node out of the path, so that whatever follows, the log above all, knows the
 * request as if it had been made at the root. A client that can send no credentials has them in its URL so.
 */
export const pathToken: Middleware = (ctx, next) => {
  const [, origin = '', token, rest = ''] = WITH_TOKEN.exec(ctx.req.url ?? '') ?? [];
  if (token === undefined) return next();
  const url = `${origin}${rest.startsWith('/') ? '' : '/'}${rest}`;
  ctx.req.url = url;
  ctx.originalUrl = url;
  ctx.request.originalUrl = url;
  ctx.state.pathToken = decoded(token);
  return next();
};

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return ''; // nobody's
  }
}
