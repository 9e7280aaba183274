import { type Context, type FoundRoute, type Middleware, whenEnded } from '../context.js';
import type { Deps } from '../deps.js';
import { type Actor, actorOf, describe, type Occasion } from '../model/audit.js';
import { images } from '../model/image.js';
import { withoutSecrets } from '../model/token.js';

type Access = Parameters<Deps['audit']['note']>[0];
type Listed = NonNullable<ReturnType<Deps['listing']['get']>>;

interface AuditedRoute extends FoundRoute {
  method: string;
  path: string;
  changes?: true;
}

/** Nobody was known yet. */
const UNKNOWN: Actor = { name: 'anonymous', kind: 'anonymous' };

/** In characters; it can be searched for as a whole. */
const MOST_OF_A_PATH = 512;

/** There, images are called by name; what has a uuid is a machine. */
const MANAGEMENT = '/api/';

/** `?action=` is a part of what is asked for. */
const ACTION = /^[a-z-]{1,40}$/;

export function occasionOf(ctx: Context, { directory }: Pick<Deps, 'directory'>): Occasion {
  const { caller, credentials, address, requestId, route } = ctx.state;
  const hash = credentials?.token ?? '';
  const proof = directory.sessions.get(hash)?.behind ?? hash;
  const token = (directory.tokens.get(proof) ?? directory.nodeTokens.get(proof))?.name;
  const { action } = ctx.query;
  const suffix = typeof action === 'string' && ACTION.test(action) ? ` ${action}` : '';
  return {
    who: caller ? actorOf(caller, token) : UNKNOWN,
    from: address,
    what: `${route?.name ?? 'none'}${suffix}`,
    request: requestId,
  };
}

/** Notes what was refused. What was done is in the writes that did it. */
const auditRefusals =
  (deps: Pick<Deps, 'audit' | 'directory' | 'listing'>): Middleware =>
  (ctx, next) => {
    whenEnded(ctx, () => {
      const { statusCode, headersSent } = ctx.res;
      if (!headersSent || (statusCode < 400 && ctx.state.refused === undefined)) return;
      const occasion = occasionOf(ctx, deps);
      const object = objectOf(ctx, deps);
      const result = ctx.state.refused ?? String(statusCode);
      const like = JSON.stringify([occasion.who.name, occasion.from, occasion.what, object.id, result]);
      deps.audit.note({ ...occasion, object, result, like });
    });
    return next();
  };

/** Notes who has pulled a file, whole or in part, or has tried to. */
const auditPulls =
  (deps: Pick<Deps, 'audit' | 'directory' | 'listing'>): Middleware =>
  (ctx, next) => {
    // Taken now: a request that ends early loses its socket.
    const { socket } = ctx.req;
    const before = sentOn(socket);
    whenEnded(ctx, () => {
      if (ctx.method === 'HEAD' || ctx.res.statusCode === 304) return;
      notePull(ctx, deps, () => sentOn(socket) - before);
    });
    return next();
  };

function notePull(ctx: Context, deps: Pick<Deps, 'audit' | 'directory' | 'listing'>, sent: () => number): void {
  const { statusCode, writableEnded } = ctx.res;
  const occasion = occasionOf(ctx, deps);
  const object = objectOf(ctx, deps);
  const pull = (result: string, bytes?: number): Access => ({
    ...occasion,
    object,
    result,
    ...(bytes !== undefined && { bytes }),
  });
  const alike = (result: string) =>
    JSON.stringify([occasion.who.name, occasion.from, occasion.what, object.id, result]);
  if (statusCode >= 400) {
    const result = ctx.state.refused ?? String(statusCode);
    deps.audit.note({ ...pull(result), like: alike(result) });
  } else if (statusCode === 302) deps.audit.note({ ...pull('redirect'), like: alike('redirect') });
  else if (!writableEnded) deps.audit.note(pull('cut', sent()));
  else {
    const result = statusCode === 206 ? 'range' : 'whole';
    deps.audit.note({ ...pull(result, lengthOf(ctx)), like: alike(result) });
  }
}

const lengthOf = ({ res }: Context) => Number(res.getHeader('Content-Length') ?? 0);

const sentOn = (socket: Context['req']['socket']) => socket.bytesWritten + (socket.movedByKernel ?? 0);

/**
 * What a path means: an image as it is now, which may be gone when this is written; or just a path, by what it names last,
 * of which strangers shall not write as much as they like.
 */
function objectOf({ params, path, state }: Context, { listing }: Pick<Deps, 'listing'>): Access['object'] {
  const uuid = state.pulls ?? params.uuid;
  if (uuid === undefined || (path.startsWith(MANAGEMENT) && state.pulls === undefined)) {
    const id = short(path);
    return { kind: 'path', id, name: short(Object.values(params).at(-1) ?? id) };
  }
  const image = listing.get(uuid);
  return { kind: images.name, id: uuid, ...(image && standingOf(image)) };
}

const short = (text: string) => withoutSecrets(text).slice(0, MOST_OF_A_PATH);

function standingOf({ uuid, name, registration, managedAs = name }: Listed) {
  const { datacenters } = describe(images.name, uuid, { registration });
  return { name: managedAs, datacenters };
}

export const isChange = ({ method, changes }: Pick<AuditedRoute, 'method' | 'changes'>) =>
  changes ?? (method !== 'GET' && method !== 'OPTIONS');

const PULLED = /\/(file|export|backup)$/;

/** What of the audit a route passes through. */
export function audits(route: AuditedRoute, deps: Pick<Deps, 'audit' | 'directory' | 'listing'>): Middleware[] {
  if (isChange(route)) return [auditRefusals(deps)];
  return route.moves === 'download' && PULLED.test(route.path) ? [auditPulls(deps)] : [];
}
