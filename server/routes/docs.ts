import { errors } from '../../imgapi/errors.js';
import type { Route } from './route.js';

/** The pages for a person who opens the server in a browser, made from the tables themselves. */
export function docsRoutes(routes: readonly Route[]): Route[] {
  const page = render(routes);
  const get = (path: string, name: string, handler: Route['handler']): Route => ({
    method: 'GET',
    path,
    name,
    auth: 'lenient',
    body: false,
    handler,
  });
  const toDocs: Route['handler'] = (ctx) => {
    ctx.redirect('/docs/');
    ctx.status = 301;
  };
  return [
    get('/', 'Root', toDocs),
    get('/docs', 'DocsFolder', toDocs),
    get('/docs/', 'Docs', (ctx) => {
      ctx.type = 'html';
      ctx.body = page;
    }),
    get('/favicon.ico', 'Favicon', (ctx) => {
      ctx.set({ 'Content-Type': 'image/x-icon', 'Cache-Control': 'public, max-age=86400' });
      ctx.status = 200;
      ctx.etag = 'slipway-1';
      if (ctx.fresh) ctx.status = 304;
      else ctx.body = FAVICON;
    }),
  ];
}

function render(routes: readonly Route[]): string {
  const endpoints = routes.map(
    ({ method, path, name }) => `<tr><td>${method}</td><td>${path}</td><td>${name}</td></tr>`,
  );
  const codes = Object.entries(errors).map(
    ([code, [status, meaning]]) => `<tr><td>${code}</td><td>${status}</td><td>${meaning}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Slipway</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  table { border-collapse: collapse; }
  td { border-top: 1px solid #ddd; padding: .25rem 1rem .25rem 0; vertical-align: top; }
  td:first-child { font-family: monospace; }
</style>
<h1>Slipway</h1>
<p>This is an image server for hypervisors. It speaks IMGAPI: see <a href="/images">/images</a> for what it holds
   and <a href="/ping">/ping</a> for its version. What stands below /api manages the server; it always asks for
   credentials, and /api/openapi.json describes it to programs.</p>
<h2>Endpoints</h2>
<table>${endpoints.join('\n')}</table>
<h2>Errors</h2>
<table>${codes.join('\n')}</table>
</html>
`;
}

/** A single blue pixel. */
const FAVICON = Buffer.from(
  'AAABAAEAAQEAAAEAIAAwAAAAFgAAACgAAAABAAAAAgAAAAEAIAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAACgYCD/AAAAAA==',
  'base64',
);
