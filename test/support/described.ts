import type { ErrorCode } from '../../imgapi/errors.js';
import { errors } from '../../imgapi/errors.js';
import type { Policy } from '../../server/deps.js';
import { enveloped, refusal } from '../../server/routes/api/openapi.js';
import type { Description, Route } from '../../server/routes/route.js';
import { routes } from '../../server/routes/table.js';
import type { Answer } from './ask.js';

/** What stands before every call, and is said in the page of errors instead of with each of them. */
const anywhere: ReadonlySet<string> = new Set<ErrorCode>([
  'BadDigest',
  'BadRequestError',
  'ForeignOrigin',
  'InternalError',
  'InvalidContent',
  'InvalidInput',
  'InvalidVersion',
  'MisdirectedRequest',
  'NotPermitted',
  'RequestEntityTooLarge',
  'ServiceUnavailableError',
  'StorageIsDown',
  'TooManyRequests',
  'UnauthorizedError',
]);

const patterns = routes
  .filter(({ description }) => description)
  .map((route) => ({
    route,
    pattern: new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+').replaceAll('.', '\\.')}/?$`),
  }));

/** The first one that fits, as the router has it. */
function routeOf(method: string, path: string): Route | undefined {
  const [asked = ''] = path.split('?');
  const there = patterns.filter(({ pattern }) => pattern.test(asked));
  return there.find(({ route }) => route.method === method)?.route;
}

/** Throws where an answer of the management API is not as the document describes it. */
export function checkDescribed(policy: Policy, method: string, path: string, answer: Answer): void {
  const route = routeOf(method, path);
  if (!route || route.when?.(policy) === false) return;
  const wrong = problemOf(route, answer);
  if (wrong) throw new Error(`${method} ${path} is not answered as described: ${wrong}: ${answer.bytes}`);
}

function problemOf({ description }: Route, { status, json, headers }: Answer): string | undefined {
  if (!description) return undefined;
  if (json.code !== undefined && status >= 400) return refusalProblem(description.refusals, json.code, status, json);
  if (description.tagged === 'shown' && headers.etag === undefined) return 'it has no ETag';
  if (description.tells) return headerProblem(description, status, headers);
  const media = headers['content-type']?.split(';')[0];
  if (description.media !== undefined) return media === description.media ? undefined : `it is ${media}`;
  // Login answers without the envelope, as it must, and a task in the status of its own.
  if (json.task_id === undefined || (json.task_id !== null && json.status !== 'SUCCESS')) return undefined;
  if (status !== description.status && !(description.atOnce && status === 200))
    return `its status is ${status}, not ${description.status}`;
  if (!description.answer) return json.result === null ? undefined : 'it is said to have no result';
  const { success, error } = enveloped(description.answer).safeParse(json);
  return success ? undefined : error.message;
}

function headerProblem({ status: promised, tells = {} }: Description, status: number, headers: Answer['headers']) {
  // the refusal of a HEAD has no body to be looked at
  if (status >= 400) return undefined;
  if (status !== promised) return `its status is ${status}, not ${promised}`;
  return Object.keys(tells).find((name) => headers[name.toLowerCase()] === undefined);
}

function refusalProblem(named: readonly string[], code: string, status: number, json: object): string | undefined {
  if (!anywhere.has(code) && !named.includes(code)) return `it is not said to refuse with ${code}`;
  const [own, , managed = own]: readonly [number, string, number?] = errors[code as ErrorCode];
  if (status !== managed) return `its status is ${status}, not ${managed}`;
  const { success, error } = refusal.safeParse(json);
  return success ? undefined : error.message;
}
