import { hostname } from 'node:os';
import Router from '@koa/router';
import Koa from 'koa';
import { ImgapiError } from '../imgapi/errors.js';
import { isUuid } from '../imgapi/image.js';
import { acceptVersion } from '../imgapi/version.js';
import type { Middleware } from './context.js';
import type { Deps } from './deps.js';
import { audits, isChange, occasionOf } from './middleware/audit.js';
import { authenticate, needsToBeKnown } from './middleware/authenticate.js';
import { chain } from './middleware/chain.js';
import { clientAddress } from './middleware/client-address.js';
import { current } from './middleware/current.js';
import { errors } from './middleware/errors.js';
import { jsonBody } from './middleware/json-body.js';
import { knownHost } from './middleware/known-host.js';
import { linger } from './middleware/linger.js';
import { measure } from './middleware/measure.js';
import { measureAuthentication } from './middleware/measure-authentication.js';
import { pathToken } from './middleware/path-token.js';
import { rateLimit } from './middleware/rate-limit.js';
import { requestLog } from './middleware/request-log.js';
import { ownPages, sameOrigin } from './middleware/same-origin.js';
import { sessionCookie } from './middleware/session-cookie.js';
import { countTransfer } from './middleware/transfers.js';
import { unmatched } from './middleware/unmatched.js';
import { wellFormed } from './middleware/well-formed.js';
import type { KnownAs } from './model/hosts.js';
import { prefixOf } from './model/public-url.js';
import { withoutSecrets } from './model/token.js';
import { helpRoutes } from './routes/api/help.js';
import { consoleRoutes } from './routes/console.js';
import { docsRoutes } from './routes/docs.js';
import type { Route } from './routes/route.js';
import { monitoring, routes } from './routes/table.js';

const LINGER = 5000;

/** What everybody asks, the pages for people included. */
export const createApp = (deps: Deps) =>
  onion(deps, [...routes, ...helpRoutes(routes), ...docsRoutes(routes), ...pagesOf(deps)], [measure(deps.metrics)]);

const pagesOf = ({ console, policy }: Deps) => (console ? consoleRoutes(console, prefixOf(policy)) : []);

/** What those who watch over the server ask; they are not a part of what they measure. */
export const createMonitoringApp = (deps: Deps) => onion(deps, monitoring);

/** Outermost first. */
function onion(deps: Deps, routes: readonly Route[], measures: Middleware[] = []): Koa {
  const app = new Koa();
  const isAlso = (host: string) => deps.directory.publicHosts.has(host);
  const knownAs = { ...deps.policy, hostname: hostname(), isAlso };
  const routers = createRouters(deps, routes, knownAs);
  app.use(pathToken);
  app.use(clientAddress(deps.isProxy));
  app.use(sessionCookie(deps));
  app.use(requestLog(deps.log, deps.policy.serverName));
  for (const step of measures) app.use(step);
  app.use(linger(LINGER));
  app.use(errors(deps.log));
  app.use(wellFormed);
  app.use(sameOrigin(knownAs));
  app.use(routed(routers));
  app.use(unmatched((path) => methodsAt(routers, path)));
  // Koa reports clients that hang up while it writes a response of its own.
  app.on('error', (error) => deps.log.info({ reason: String(error) }, 'response not delivered'));
  return app;
}

/** What a request changes is noted in its name. */
function handling(route: Route, deps: Deps): Middleware {
  const { handler } = route;
  if (!isChange(route)) return (ctx) => handler(ctx, deps);
  return (ctx) => {
    const catalog = deps.audit.as(
      () => occasionOf(ctx, deps),
      (entry) => {
        ctx.state.entry = entry;
      },
    );
    return handler(ctx, { ...deps, catalog });
  };
}

/** By the first segment of a path: a router tries every route that it has. */
type Routers = Map<string, Router>;

function createRouters(deps: Deps, routes: readonly Route[], knownAs: KnownAs): Routers {
  const gate = {
    current: current(deps),
    limited: rateLimit(deps.policy.requestsPerMinute),
    known: knownHost(knownAs),
    fromOurs: ownPages(knownAs),
  };
  const routers: Routers = new Map();
  for (const route of routes) {
    if (route.when && !route.when(deps.policy)) continue;
    const isIn = route.whileOut ? [] : [gate.current];
    const counted = route.moves ? [countTransfer(deps, route.moves)] : [];
    const inner = [
      ...counted,
      ...audits(route, deps),
      ...gate.fromOurs(route),
      ...steps(route, deps, gate),
      handling(route, deps),
    ];
    const serve = chain([found(route), ...isIn, ...inner]);
    const router = routers.get(firstOf(route.path)) ?? new Router({ strict: true, sensitive: true });
    routers.set(firstOf(route.path), router);
    router.register(spellings(route.path), [route.method], serve, { name: route.name });
  }
  return routers;
}

/**
 * Where the router leads. Not its own middleware, which puts a chain together for each request: ours stand already, and
 * the first that fits answers.
 */
function routed(routers: Routers): Middleware {
  return (ctx, next) => {
    const { path } = ctx;
    const layer = routers.get(firstOf(path))?.match(path, ctx.method).pathAndMethod[0];
    if (!layer) return next();
    ctx.params = layer.params(path, layer.captures(path));
    const serve = layer.stack[0] as unknown as Middleware;
    return serve(ctx, next);
  };
}

/** `/images/:uuid/file` → `images` */
const firstOf = (path: string) => path.split('/', 2)[1] ?? '';

/** The clients of the management API end its paths in a slash, people do not. */
const spellings = (path: string) => (path.startsWith('/api/') ? [path, `${path}/`] : [path]);

interface Gate {
  current: Middleware;
  limited: (identify: Middleware) => Middleware;
  known: Middleware;
}

/** Reading refuses a malformed uuid before it looks at credentials, changing after. */
function steps(route: Route, deps: Deps, { limited, known }: Gate): Middleware[] {
  const body = route.body ? [jsonBody(deps.policy.maxBodySize)] : [];
  if (route.auth === 'open') return body;
  const uuid = route.path.includes(':uuid') ? [uuidInPath] : [];
  const need = route.need ?? (route.method === 'GET' ? 'read' : 'write');
  const caller = [limited(measureAuthentication(deps.metrics, authenticate(deps, route.auth, need))), known];
  return needsToBeKnown(route.auth) ? [version, ...caller, ...uuid, ...body] : [version, ...uuid, ...caller, ...body];
}

const found =
  (route: Route): Middleware =>
  (ctx, next) => {
    ctx.state.route = route;
    return next();
  };

const version: Middleware = (ctx, next) => {
  acceptVersion(ctx.headers['accept-version']?.toString());
  return next();
};

const uuidInPath: Middleware = (ctx, next) => {
  if (!isUuid(ctx.params.uuid)) throw new ImgapiError('ResourceNotFound', `${withoutSecrets(ctx.url)} does not exist`);
  return next();
};

function methodsAt(routers: Routers, path: string): string[] {
  const layers = routers.get(firstOf(path))?.match(path, '').path ?? [];
  return [...new Set(layers.flatMap(({ methods }) => methods))].sort();
}
