import type { ZodType } from 'zod';
import type { ErrorCode } from '../../imgapi/errors.js';
import type { Context, FoundRoute } from '../context.js';
import type { Deps, Policy } from '../deps.js';
import type { Strictness } from '../middleware/authenticate.js';
import type { Need } from '../model/scope.js';

export type Handler = (ctx: Context, deps: Deps) => Promise<void> | void;

/** What the document of the management API says of a route. */
export interface Description {
  name: string;
  summary: string;
  query: ZodType;
  body: ZodType;
  status: 200 | 201 | 204;
  /** Whether it answers 200 where there is nothing to wait for. */
  atOnce?: true;
  /** What is sent where that is no JSON. */
  sends?: string;
  /** Headers that it reads, and what they mean. */
  takes?: Readonly<Record<string, string>>;
  /** Headers of its answer. */
  tells?: Readonly<Record<string, string>>;
  /** It can be checked without being done. */
  checkable?: true;
  /** One stored record is what it shows, or changes: its tag is told, and If-Match is held against it. */
  tagged?: 'shown' | 'changed' | undefined;
  /** It makes what it would change where that is not there: If-None-Match holds it to that. */
  makes?: true | undefined;
  /** Headers of what OPTIONS of the path answers. */
  announces?(policy: Policy): Record<string, string>;
  /** What it answers; nothing where it is absent. */
  answer?: ZodType;
  /** What it answers where that is no JSON in an envelope. */
  media?: string;
  /** Beside what every call can be refused for. */
  refusals: readonly ErrorCode[];
}

export interface Route extends FoundRoute {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  path: string;
  /** Which credentials it takes; open: nobody is asked who he is or whom he means, and nothing is limited. */
  auth: Strictness | 'open';
  /** Whether the handler wants a parsed body. */
  body: boolean;
  /** What credentials must be good for: reading for GET, else writing, where nothing is said. */
  need?: Need;
  /** It answers also while the daemon does not know what others have written. */
  whileOut?: true;
  /** A GET that changes something all the same. */
  changes?: true;
  /** Browsers are sent there by other sites: no cookie is the proof there, so it may be theirs who send them. */
  fromElsewhere?: true;
  /** The servers on which the route exists; all where it is absent. */
  when?: ((policy: Policy) => boolean) | undefined;
  /** Of the management API's; IMGAPI is described by its contract. */
  description?: Description;
  handler: Handler;
}
