import { readFileSync } from 'node:fs';
import test from 'ava';
import { openApi, openApiPage } from '../../server/routes/api/openapi.js';
import type { Description, Route } from '../../server/routes/route.js';
import { routes } from '../../server/routes/table.js';
import { startServer } from '../support/server.js';

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; required: boolean }[];
  requestBody?: object;
  responses: Record<string, { content?: object }>;
  security: object[];
}

const document = openApi(routes);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, ...(operation as Operation) })),
);

const isManagement = ({ path }: { path: string }) => path.startsWith('/api/');
const described = routes.filter(
  (route): route is Route & { description: Description } => route.description !== undefined,
);

test('the management API is what stands below /api, and all of it is described', (t) => {
  t.deepEqual(described, routes.filter(isManagement));
  t.true(described.length >= 4);
});

test('the document and the routes are the same', (t) => {
  const spelled = operations.map(({ method, path, operationId }) => `${method} ${path} ${operationId}`);
  const routed = routes.map(
    ({ method, path, name }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')} ${name}`,
  );
  t.deepEqual(spelled.sort(), routed.sort());
  t.is(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
});

test('every part of a path is a parameter, and every call of the management API says how it ends', (t) => {
  for (const { path, parameters = [], responses, security, operationId } of operations) {
    const named = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`);
    t.deepEqual(named, path.match(/\{\w+\}/g) ?? [], operationId);
    if (!isManagement({ path })) continue;
    t.deepEqual(security, [{ token: [] }, { signature: [] }], operationId);
    for (const code of ['400', '401', '403']) t.truthy(responses[code]?.content, operationId);
    t.is(Object.keys(responses).filter((code) => code < '300').length, 1, operationId);
  }
});

test('what the document refers to is in it', (t) => {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path.split('/'));
  t.true(refs.length > 0);
  for (const keys of refs) {
    const found = keys.reduce<unknown>((value, key) => Object(value)[key], document);
    t.is(typeof found, 'object', keys.join('/'));
  }
});

test('docs/openapi.json is what `npm run docs` writes', (t) => {
  const file = readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8');
  t.is(file, openApiPage(routes));
});

test('the server hands it out', async (t) => {
  const { ask } = await startServer(t);
  for (const path of ['/api/openapi.json', '/api/openapi.json/']) {
    const { status, headers, json } = await ask('GET', path, { as: 'admin' });
    t.is(status, 200);
    t.is(headers['content-type'], 'application/json');
    t.deepEqual(json as object, document as object);
  }
});

test('answers are as described', async (t) => {
  const { ask } = await startServer(t);
  const requests: Record<string, string> = {
    CreateToken: '/api/token',
    ListTokens: '/api/token',
    GetOpenApi: '/api/openapi.json',
    RevokeToken: '/api/token/ci',
  };
  const order = Object.keys(requests);
  t.deepEqual([...order].sort(), described.map(({ name }) => name).sort());
  for (const { method, name, description } of described.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name))) {
    const body = { name: 'ci', expires: '1h' };
    const answer = await ask(method, requests[name]!, { as: 'admin', ...(method === 'POST' && { body }) });
    t.is(answer.status, description.status, name);
    if (!description.answer) t.is(answer.bytes.length, 0, name);
    else t.deepEqual(description.answer.safeParse(JSON.parse(answer.bytes.toString())).error, undefined, name);
  }
});

test('nobody gets in without credentials, wherever they ask from', async (t) => {
  for (const options of [{}, { trusts: () => true }, { authType: 'none' as const }]) {
    const { ask } = await startServer(t, options);
    for (const { method, path } of described) {
      for (const target of [path, `${path}/`]) {
        const { status, json } = await ask(method, target, { as: 'anonymous', ...(method === 'POST' && { body: {} }) });
        t.is(status, 401, `${method} ${target}`);
        t.is(json.code, 'UnauthorizedError');
      }
    }
  }
});

test('methods and paths that are not there', async (t) => {
  const { ask } = await startServer(t);
  for (const path of ['/api/token', '/api/token/']) {
    const { status, headers } = await ask('PUT', path, { body: {} });
    t.is(status, 405, path);
    t.is(headers.allow, 'GET, HEAD, OPTIONS, POST', path);
  }
  for (const path of ['/api', '/api/', '/api/tokens', '/api//token', '/api/token//', '/API/token', '/api/token/a/b']) {
    t.is((await ask('GET', path, { as: 'admin' })).status, 404, path);
  }
});
