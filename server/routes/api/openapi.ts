import { z } from 'zod';
import { type ErrorCode, errors, type Row } from '../../../imgapi/errors.js';
import { sendJson } from '../reply.js';
import type { Description, Route } from '../route.js';
import { describedCallback } from './callback-named.js';
import { takenToCheck } from './check-only.js';
import { DATACENTER, described, takesDatacenter } from './datacenter-named.js';
import { type Endpoint, noBody, noQuery, streamed } from './endpoint.js';
import { takenToMake, takenWithTags, toldWithTags } from './tags.js';

/** The document that describes the server to programs, made from its routes. */
export function openApi(routes: readonly Route[]) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Slipway',
      version: '1',
      description:
        'The management API in full, and the names of all else. Paths below /api are the same with a slash at their end.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: { securitySchemes, schemas: { Refusal: jsonSchema(refusal) } },
  };
}

export const openApiPage = (routes: readonly Route[]) => `${JSON.stringify(openApi(routes), null, 2)}\n`;

/** As it is and not in an envelope: programs that read such documents expect nothing else. */
export const openApiEndpoint = (routes: () => readonly Route[]): Endpoint =>
  streamed({
    name: 'GetOpenApi',
    summary: 'this document',
    query: noQuery,
    body: noBody,
    status: 200,
    media: 'application/json',
    refusals: [],
    send: async (ctx) => sendJson(ctx, openApi(routes())),
  });

const securitySchemes = {
  token: { type: 'http', scheme: 'bearer' },
  signature: { type: 'http', scheme: 'signature', description: 'http-signature with an ssh key' },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-slipway',
    description:
      '__Secure-slipway where publicUrl has a path, slipway without TLS; changes by pages of the server only',
  },
};

const proven = [{ token: [] }, { signature: [] }];
const byBrowsers = [...proven, { session: [] }];

const security: Record<Route['auth'], object[]> = {
  credentials: byBrowsers,
  strict: proven,
  passive: [{}, ...proven],
  lenient: [{}, ...proven],
  open: [{}],
};

/** What every answer of the management API comes in; `total` and `offset` are those of lists. */
export const enveloped = (answer: z.ZodType) =>
  z.strictObject({
    task_id: z.string().nullable(),
    status: z.enum(['PENDING', 'STARTED', 'SUCCESS', 'FAILURE', 'REVOKED']),
    result: answer,
    total: z.number().optional(),
    offset: z.number().optional(),
    next: z.string().optional().describe('`after` of the next part'),
  });

export const refusal = z.strictObject({
  code: z.string(),
  message: z.string(),
  detail: z.string(),
  task_id: z.null().optional(),
  status: z.literal('FAILURE').optional(),
  result: z.record(z.string(), z.array(z.string())).optional().describe('what is wrong, by field'),
  errors: z.array(z.strictObject({ field: z.string(), code: z.string(), message: z.string().optional() })).optional(),
});

function operation({ method, name, path, auth, description }: Route) {
  const named = [...path.matchAll(/:(\w+)/g)].map(([, parameter]) => ({
    name: parameter,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const parameters = [
    ...named,
    ...(description ? queryParameters(method, description) : []),
    ...headerParameters(method, description),
  ];
  return {
    operationId: name,
    tags: [description ? 'management' : 'IMGAPI and monitoring'],
    summary: description?.summary ?? name,
    ...(parameters.length > 0 && { parameters }),
    ...(description && requestBody(description, auth)),
    responses: description ? responses(method, description) : { default: { description: 'not described here' } },
    security: security[auth],
  };
}

function queryParameters(method: Route['method'], { query }: Description) {
  const { properties = {}, required = [] } = method === 'GET' ? withDatacenter(query) : jsonSchema(query);
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

/** What only reads can be asked for as well as be checked. */
const canBeChecked = (method: Route['method'], { checkable }: Pick<Description, 'checkable'>) =>
  checkable && method !== 'GET';

function headerParameters(method: Route['method'], description: Partial<Description> = {}) {
  const { takes, tagged, makes } = description;
  const all = {
    ...takes,
    ...(tagged && takenWithTags),
    ...(makes && takenToMake),
    ...(canBeChecked(method, description) && takenToCheck),
  };
  return Object.entries(all).map(([name, description]) => ({
    name,
    in: 'header',
    required: !description.endsWith('not needed'),
    schema: { type: 'string', description },
  }));
}

function requestBody({ body, sends }: Description, auth: Route['auth']) {
  if (sends) return { requestBody: { content: { [sends]: { schema: { type: 'string', format: 'binary' } } } } };
  if (body === noBody) return {};
  const { properties, ...rest } = withDatacenter(body);
  // Whoever has to prove who it is can be called back.
  const all = auth === 'open' ? properties : { ...properties, ...describedCallback };
  return { requestBody: { required: true, content: inJson({ ...rest, properties: all }) } };
}

/** Nearly every call has no use for it, and says so here only. */
function withDatacenter(schema: z.ZodType) {
  const { properties, ...rest } = jsonSchema(schema);
  return { ...rest, properties: takesDatacenter(schema) ? properties : { ...properties, [DATACENTER]: described } };
}

/** What every call of the management API can be refused for. */
const always: ErrorCode[] = ['InvalidInput', 'UnauthorizedError', 'NotPermitted'];

function responses(method: Route['method'], description: Description) {
  const { status, atOnce, answer, media, tells, tagged, refusals } = description;
  const refused = new Map<number, string[]>();
  for (const name of [...always, ...refusals]) {
    const [status, meaning, code = status]: Row = errors[name];
    refused.set(code, [...(refused.get(code) ?? []), `${name}: ${meaning}`]);
  }
  const content = inJson({ $ref: '#/components/schemas/Refusal' });
  const headers = headersOf({ ...tells, ...(tagged && toldWithTags) });
  const done = { ...contentOf(answer, media), ...headers };
  return {
    [status]: { description: 'done', ...done },
    ...(atOnce && { 200: { description: 'done at once: there is nothing to wait for', ...done } }),
    ...(canBeChecked(method, description) && { 204: { description: 'only checked: nothing known refuses it' } }),
    ...Object.fromEntries(
      [...refused].map(([code, lines]) => [
        code,
        { description: lines.join('\n'), content, ...(code === PRECONDITION && tagged && headersOf(toldWithTags)) },
      ]),
    ),
  };
}

const [PRECONDITION] = errors.PreconditionFailed;

function headersOf(tells: Readonly<Record<string, string>>) {
  const told = Object.entries(tells).map(([name, description]) => [name, { description, schema: { type: 'string' } }]);
  return told.length > 0 ? { headers: Object.fromEntries(told) } : {};
}

function contentOf(answer: z.ZodType | undefined, media: string | undefined) {
  if (media !== undefined) return { content: { [media]: { schema: { type: 'string' } } } };
  return answer && { content: inJson(jsonSchema(enveloped(answer), 'output')) };
}

const inJson = (schema: object) => ({ 'application/json': { schema } });

export function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'input') {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, override: withoutPatternsOfFormats });
  return rest;
}

function withoutPatternsOfFormats({ jsonSchema }: { jsonSchema: { format?: string; pattern?: string } }): void {
  if (jsonSchema.format) delete jsonSchema.pattern;
}
