import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import Koa from 'koa';
import pino from 'pino';

// What our daemon is made of, answering what lies in memory: one body, whatever is asked for. Its log is as ours.

const body = await readFile(process.argv[2]!, 'utf8');
const log = pino(
  { base: undefined, timestamp: pino.stdTimeFunctions.isoTime },
  pino.destination({ dest: 2, sync: false }),
);
const router = new Router();
router.get('/images/:uuid', (ctx) => {
  ctx.type = 'application/json';
  ctx.body = body;
});
const app = new Koa();
app.use(async (ctx, next) => {
  const start = performance.now();
  await next();
  const { method, url, status } = ctx;
  log.info({ method, url, status, ms: Math.round(performance.now() - start) }, 'request');
});
app.use(router.routes());

const server = createServer(app.callback());
server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
