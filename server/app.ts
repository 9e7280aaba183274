import Router from '@koa/router';
import Koa from 'koa';
import { ImgapiError } from '../imgapi/errors.js';
import { isUuid } from '../imgapi/image.js';
import { acceptVersion } from '../imgapi/version.js';
import type { Middleware } from './context.js';
import type { Deps } from './deps.js';
import { authenticate } from './middleware/authenticate.js';
import { clientAddress } from './middleware/client-address.js';
import { errors } from './middleware/errors.js';
import { jsonBody } from './middleware/json-body.js';
import { linger } from './middleware/linger.js';
import { requestLog } from './middleware/request-log.js';
import { unmatched } from './middleware/unmatched.js';
import { wellFormed } from './middleware/well-formed.js';
import { docsRoutes } from './routes/docs.js';
import type { Route } from './routes/route.js';
import { routes } from './routes/table.js';

const LINGER = 5000;

/** The onion, outermost first. */
export function createApp(deps: Deps): Koa {
  const app = new Koa();
  const router = createRouter(deps);
  app.use(clientAddress(deps.isProxy));
  app.use(requestLog(deps.log, deps.policy.serverName));
  app.use(linger(LINGER));
  app.use(errors(deps.log));
  app.use(wellFormed);
  app.use(router.routes());
  app.use(unmatched((path) => methodsAt(router, path)));
  // Koa reports clients that hang up while it writes a response of its own.
  app.on('error', (error) => deps.log.info({ reason: String(error) }, 'response not delivered'));
  return app;
}

function createRouter(deps: Deps): Router {
  const router = new Router({ strict: true, sensitive: true });
  for (const route of [...routes, ...docsRoutes(routes)]) {
    if (route.when && !route.when(deps.policy)) continue;
    router.register(route.path, [route.method], [...steps(route, deps), (ctx) => route.handler(ctx, deps)], {
      name: route.name,
    });
  }
  return router;
}

/** Reading refuses a malformed uuid before it looks at credentials, changing after. */
function steps(route: Route, deps: Deps): Middleware[] {
  const uuid = route.path.includes(':uuid') ? [uuidInPath] : [];
  const caller = authenticate(deps, route.auth, route.need ?? (route.method === 'GET' ? 'read' : 'write'));
  const body = route.body ? [jsonBody] : [];
  return route.auth === 'strict' ? [version, caller, ...uuid, ...body] : [version, ...uuid, caller, ...body];
}

const version: Middleware = (ctx, next) => {
  acceptVersion(ctx.headers['accept-version']?.toString());
  return next();
};

const uuidInPath: Middleware = (ctx, next) => {
  if (!isUuid(ctx.params.uuid)) throw new ImgapiError('ResourceNotFound', `${ctx.url} does not exist`);
  return next();
};

function methodsAt(router: Router, path: string): string[] {
  return [...new Set(router.match(path, '').path.flatMap(({ methods }) => methods))].sort();
}
