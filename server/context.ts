import type { Middleware as KoaMiddleware, ParameterizedContext } from 'koa';
import type { Credentials } from './auth/credentials.js';
import type { Caller } from './model/caller.js';
import type { CookieForm } from './model/session-cookie.js';

/** What middleware may know of the route that a request has found. */
export interface FoundRoute {
  name: string;
  /** Files or icons, which take as long as they are large. */
  moves?: 'upload' | 'download';
  /** How loud its line in the log is; `info` where it is absent. */
  logLevel?: 'debug';
}

interface State {
  /** Where the request comes from, as far as proxies can be believed. */
  address: string;
  /** Of a node, taken out of the path before anything else. */
  pathToken?: string;
  /** The cookie that a session would have. */
  cookie: CookieForm;
  caller: Caller;
  /** Nothing but the address says who the caller is, and it is not trusted. */
  byAddress?: true;
  /** What has proven who the caller is; absent where an address or nothing did. */
  credentials?: Credentials;
  requestId: string;
  /** The uuid of the image that is pulled, where the path may say something else. */
  pulls?: string;
  /** The code of the refusal that was sent, or that a page tells to whom the browser is sent on. */
  refused?: string;
  /** The id of the audit's entry of what the request has changed. */
  entry?: string;
  /** Absent where no route was found, or not yet. */
  route?: FoundRoute;
  /** Whom whenEnded tells. */
  tells?: (() => void)[];
}

interface Extras {
  /** What the path names, such as the `:uuid` of a route. */
  params: Record<string, string | undefined>;
}

/** The connection was closed before the request, or its answer, was complete: nobody is there to be told. */
export class ClientLeft extends Error {
  override name = 'ClientLeft';
}

export type Context = ParameterizedContext<State, Extras>;
export type Middleware = KoaMiddleware<State, Extras>;

/**
 * Tells once when the answer has left or its connection has died, whichever comes first: a response that waits behind
 * another does not hear that its connection has died.
 */
export function whenEnded({ req: { socket }, res, state }: Context, tell: () => void): void {
  state.tells ??= [];
  state.tells.push(tell);
  if (state.tells.length > 1) return;
  const onEnd = () => {
    res.off('close', onEnd);
    socket.off('close', onEnd);
    // The response is closed while the socket tells of its end: taken off its list by then, we are called all the same.
    for (const told of state.tells?.splice(0) ?? []) told();
  };
  res.on('close', onEnd);
  socket.on('close', onEnd);
}

/** Aborted when whoever asks has left: what is done for the answer alone need not go on. */
export function whileThere(ctx: Context): AbortSignal {
  const left = new AbortController();
  whenEnded(ctx, () => left.abort(new ClientLeft('the client left before it was answered')));
  return left.signal;
}

declare module 'node:net' {
  interface Socket {
    /** Bytes that have left without passing through Node, which therefore has not counted them. */
    movedByKernel?: number;
  }
}

declare module 'koa' {
  interface Request {
    /** What the json-body middleware parsed; undefined where there was nothing to parse. */
    body?: unknown;
  }
}
