import type { Context } from '../context.js';
import type { Deps, Policy } from '../deps.js';
import type { Strictness } from '../middleware/authenticate.js';
import type { Need } from '../model/scope.js';

export type Handler = (ctx: Context, deps: Deps) => Promise<void> | void;

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  name: string;
  /** Which credentials it takes, and whether the handler wants a parsed body. */
  auth: Strictness;
  body: boolean;
  /** What credentials must be good for: reading for GET, else writing, where nothing is said. */
  need?: Need;
  /** The servers on which the route exists; all where it is absent. */
  when?: ((policy: Policy) => boolean) | undefined;
  handler: Handler;
}
