import type { Middleware as KoaMiddleware, ParameterizedContext } from 'koa';
import type { Credentials } from './auth/credentials.js';
import type { Caller } from './model/caller.js';

interface State {
  /** Where the request comes from, as far as proxies can be believed. */
  address: string;
  caller: Caller;
  /** What has proven who the caller is; absent where an address or nothing did. */
  credentials?: Credentials;
  requestId: string;
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

declare module 'koa' {
  interface Request {
    /** What the json-body middleware parsed; undefined where there was nothing to parse. */
    body?: unknown;
  }
}
