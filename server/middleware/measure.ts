import type { Socket } from 'node:net';
import { type Context, type Middleware, whenEnded } from '../context.js';
import type { Deps } from '../deps.js';

type Metrics = Deps['metrics'];
type Direction = 'upload' | 'download';
type Outcome = 'done' | 'cut' | 'refused';

interface Running {
  ctx: Context;
  /** Taken at the start: a request that ends early loses its socket. */
  socket: Socket;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']);

/** Measures every request. Labels come from our own tables, never from what a caller wrote. */
export function measure(metrics: Metrics): Middleware {
  const { requests_total, requests_running, request_duration_seconds, transfers_running, transfers_total } =
    metrics.instruments;
  const countBytes = byteCounter(metrics);
  const running = new Set<Running>();

  metrics.atScrape(() => {
    requests_running.set(running.size);
    const transfers = { upload: 0, download: 0 };
    for (const one of running) {
      countBytes(one);
      const direction = directionOf(one.ctx);
      if (direction) transfers[direction] += 1;
    }
    for (const [direction, count] of Object.entries(transfers)) transfers_running.set({ direction }, count);
  });

  return (ctx, next) => {
    const start = performance.now();
    const one = { ctx, socket: ctx.req.socket };
    running.add(one);
    whenEnded(ctx, () => {
      running.delete(one);
      const method = METHODS.has(ctx.method) ? ctx.method : 'other';
      const route = routeOf(ctx);
      requests_total.inc({ method, route, status: statusOf(ctx) });
      request_duration_seconds.observe({ route }, (performance.now() - start) / 1000);
      countBytes(one);
      const direction = directionOf(ctx);
      const outcome = direction && outcomeOf(ctx);
      if (outcome) transfers_total.inc({ direction, outcome });
    });
    return next();
  };
}

const routeOf = ({ state }: Context) => state.route?.name ?? 'none';

const statusOf = ({ res }: Context) => (res.headersSent ? `${Math.floor(res.statusCode / 100)}xx` : 'none');

/** Asking for the headers of a file moves nothing. */
const directionOf = ({ method, state }: Context): Direction | undefined =>
  method === 'HEAD' ? undefined : state.route?.moves;

/** Of a transfer that has ended; undefined where nothing had to move, as the client has the bytes already. */
function outcomeOf({ res }: Context): Outcome | undefined {
  if (!res.writableEnded) return 'cut';
  if (res.statusCode >= 400) return 'refused';
  return res.statusCode === 304 ? undefined : 'done';
}

/**
 * Counts what has passed on the connection since it was last looked at, so that nothing counts twice; where requests
 * are sent one behind another, the one that is looked at first gets all of it.
 */
function byteCounter({ instruments: { received_bytes_total, sent_bytes_total } }: Metrics) {
  const seen = new WeakMap<Socket, { received: number; sent: number }>();
  return ({ ctx, socket }: Running): void => {
    const { received, sent } = seen.get(socket) ?? { received: 0, sent: 0 };
    const { bytesRead } = socket;
    const bytesSent = socket.bytesWritten + (socket.movedByKernel ?? 0);
    const route = routeOf(ctx);
    received_bytes_total.inc({ route }, bytesRead - received);
    sent_bytes_total.inc({ route }, bytesSent - sent);
    seen.set(socket, { received: bytesRead, sent: bytesSent });
  };
}
