import { createHash } from 'node:crypto';
import { ImgapiError } from '../../imgapi/errors.js';
import type { ConsoleFiles } from '../console-files.js';
import type { Context } from '../context.js';
import type { Route } from './route.js';

/** Nothing of other sites, nothing inside the page itself, and nobody puts it into a frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A browser that has a file by its hashed name has it for good. */
const FOR_GOOD = 'public, max-age=31536000, immutable';

/** The console: its files, and the one page that all of its addresses lead to. Last, as it takes what is left of them. */
export function consoleRoutes({ page, assets }: ConsoleFiles, prefix: string): Route[] {
  const html = page(prefix);
  const tag = `"${createHash('sha256').update(html).digest('hex').slice(0, 20)}"`;
  const get = (path: string, name: string, handler: Route['handler']): Route => ({
    method: 'GET',
    path,
    name,
    auth: 'open',
    body: false,
    whileOut: true,
    logLevel: 'debug',
    handler,
  });
  const sendPage: Route['handler'] = (ctx) => {
    guard(ctx);
    ctx.set({ 'Content-Security-Policy': POLICY, 'Cache-Control': 'no-cache' });
    ctx.status = 200;
    ctx.set('ETag', tag);
    if (ctx.fresh) ctx.status = 304;
    else {
      ctx.type = 'html';
      ctx.body = html;
    }
  };
  const sendAsset: Route['handler'] = (ctx) => {
    const file = assets.get(ctx.params.file ?? '');
    if (!file) throw new ImgapiError('ResourceNotFound', `there is no file ${ctx.path} of the console`);
    guard(ctx);
    ctx.set({ 'Cache-Control': FOR_GOOD, Vary: 'Accept-Encoding' });
    // the smallest that it takes: browsers name gzip first, and mean nothing by it
    const form = (['br', 'gzip'] as const).find((one) => file[one] && ctx.acceptsEncodings(one));
    if (form) ctx.set('Content-Encoding', form);
    ctx.status = 200;
    ctx.set('Content-Type', file.type);
    ctx.body = (form && file[form]) ?? file.plain;
  };
  return [
    get('/console', 'Console', sendPage),
    get('/console/', 'ConsoleFolder', sendPage),
    get('/console/assets/:file', 'ConsoleFile', sendAsset),
    get('/console/*place', 'ConsolePage', sendPage),
  ];
}

function guard(ctx: Context): void {
  ctx.set({
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
  });
}
