import { readFileSync } from 'node:fs';
import test from 'ava';
import { openApi, openApiPage } from '../../server/routes/api/openapi.js';
import type { Description, Route } from '../../server/routes/route.js';
import { routes } from '../../server/routes/table.js';
import type { Answer } from '../support/ask.js';
import { checkDescribed } from '../support/described.js';
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
    const proven = [{ token: [] }, { signature: [] }, { session: [] }];
    t.deepEqual(security, isOpen(operationId) ? [{}] : proven, operationId);
    for (const code of ['400', '401', '403']) t.truthy(responses[code]?.content, operationId);
    // What becomes a task, or is done at once where there is nothing to fetch.
    const ends = ['CreateManagedImage', 'ImportFromRepository', 'DeleteManagedImage'].includes(operationId) ? 2 : 1;
    const isChecked = parameters.some(({ name }) => name === 'X-Check-Only') ? 1 : 0;
    t.is(Object.keys(responses).filter((code) => code < '300').length, ends + isChecked, operationId);
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

test('whatever can be looked at is answered as described, and so is what is not there', async (t) => {
  const { ask } = await startServer(t);
  let asked = 0;
  // What is not as described throws, here and in every other test.
  for (const { method, path } of described) {
    if (method !== 'GET' || path === '/api/accounts/logout') continue;
    const { status } = await ask('GET', path.replace(/:\w+/g, 'nothing'), { as: 'admin' });
    t.true([200, 400, 404].includes(status), `${path}: ${status}`);
    asked += 1;
  }
  t.true(asked > 20);
});

const answer = (status: number, json: object, type = 'application/json'): Answer => ({
  status,
  headers: { 'content-type': type },
  bytes: Buffer.from(JSON.stringify(json)),
  json: json as Answer['json'],
  list: [],
});

const done = (result: unknown, more = {}) => ({ task_id: null, status: 'SUCCESS', result, ...more });
const refused = (code: string, more = {}) => ({ code, message: 'no', detail: 'no', ...more });

for (const [why, method, path, wrong] of [
  ['a field too many', 'GET', '/api/token', answer(200, done([], { page: 1 }))],
  ['a result of another form', 'GET', '/api/token', answer(200, done([{ name: 'ci' }]))],
  ['another status', 'GET', '/api/token/', answer(201, done([]))],
  ['a result where there is none', 'DELETE', '/api/token/ci', answer(200, done('gone'))],
  ['a refusal that is not named', 'GET', '/api/token', answer(428, refused('ImageInUse'))],
  ['a refusal with another status', 'DELETE', '/api/token/ci', answer(410, refused('ResourceNotFound'))],
  ['a refusal of another form', 'DELETE', '/api/token/ci', answer(404, { code: 'ResourceNotFound' })],
  ['another type', 'GET', '/api/audit/export', answer(200, {})],
] as const) {
  test(`an answer that is not as described is found out: ${why}`, async (t) => {
    const { deps } = await startServer(t);
    t.throws(() => checkDescribed(deps.policy, method, path, wrong), { message: /not answered as described/ });
  });
}

test('the page for people names every call, and asks for nothing from elsewhere', async (t) => {
  const { ask } = await startServer(t);
  const { status, headers, bytes } = await ask('GET', '/api/docs', { as: 'admin' });
  t.is(status, 200);
  t.regex(String(headers['content-type']), /^text\/html/);
  const page = String(bytes);
  for (const { name, path } of described) {
    t.true(page.includes(`id="${name}"`), name);
    t.true(page.includes(path.replace(/:(\w+)/g, '{$1}')), path);
  }
  t.notRegex(page, /<script|<link|<img|src=|https?:/);
});

/** They are what credentials come of, or end. */
const isOpen = (operation: string) => ['LogIn', 'OpenSession', 'CloseSession', 'ListSignInWays'].includes(operation);

test('nobody gets in without credentials, wherever they ask from', async (t) => {
  for (const options of [{}, { trusts: () => true }, { authType: 'none' as const }]) {
    const { ask } = await startServer(t, options);
    for (const { method, path, name } of described) {
      if (isOpen(name)) continue;
      for (const target of [path, `${path}/`]) {
        const { status, json } = await ask(method, target, { as: 'anonymous', ...(method === 'POST' && { body: {} }) });
        t.is(status, 401, `${method} ${target}`);
        if (method !== 'HEAD') t.is(json.code, 'UnauthorizedError');
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
