import { once } from 'node:events';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import test from 'ava';
import { ADMIN } from '../../server/model/user.js';
import { docsRoutes } from '../../server/routes/docs.js';
import { routes } from '../../server/routes/table.js';
import { importImage, numbered } from '../support/fixtures.js';
import { startServer } from '../support/server.js';
import { table } from '../support/table.js';

const ABSENT = numbered(0);
const concrete = (path: string) => path.replace(':uuid', ABSENT).replace(':urn', 'base');
const channels = [{ name: 'dev', description: '', default: true }];
const everything = [...routes, ...docsRoutes(routes)];

test('every answer has the common headers', async (t) => {
  const { ask } = await startServer(t, { channels, serverName: 'imgapi/9.8.7' });
  for (const path of [...everything.map(({ path }) => concrete(path)), '/nowhere', '/images/', '/%zz', '/images/%00']) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const { headers } = await ask(method, path, { as: 'anonymous', headers: { 'x-request-id': 'the id' } });
      const why = `${method} ${path}`;
      t.is(headers.server, 'imgapi/9.8.7', why);
      t.is(headers['x-request-id'], 'the id', why);
      t.is(headers['x-server-name'], hostname(), why);
      t.regex(String(headers['x-response-time']), /^\d+$/, why);
      t.false(Number.isNaN(Date.parse(headers.date ?? '')), why);
      t.is(headers.connection, 'keep-alive', why);
      t.is(headers['content-encoding'], undefined, why);
    }
  }
});

test('every refusal is JSON with a code and a message, of a length that is told', async (t) => {
  const { ask } = await startServer(t);
  for (const [method, path] of [
    ['GET', '/nowhere'],
    ['PATCH', '/images'],
    ['GET', '/%zz'],
    ['GET', '/images?state=x'],
    ['POST', '/images'],
    ['GET', `/images/${ABSENT}/file`],
    ['GET', '/ping?error=InternalError'],
  ] as const) {
    const { status, headers, bytes, json } = await ask(method, path, { as: 'anonymous' });
    t.true(status >= 400, path);
    t.is(headers['content-type'], 'application/json', path);
    t.is(headers['content-length'], String(bytes.length), path);
    t.is(typeof json.code, 'string', path);
    t.is(typeof json.message, 'string', path);
    t.is(bytes.toString(), JSON.stringify(json, null, 2), path);
  }
});

// The id of a request

const FRESH = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const ids = table<'header' | 'value' | 'echoed'>(`
  header        value                                  echoed
  x-request-id  8a5e2d3c-0000-4000-8000-000000000000   yes
  request-id    8a5e2d3c-0000-4000-8000-000000000000   yes
  x-request-id  any string, really: <b>"quoted"</b>    yes
  x-request-id  é                                      no
  x-request-id  LONGEST                                yes
  x-request-id  TOO-LONG                               no
  x-request-id  tab&tab                                no
  x-request-id  -                                      no
`);

test('the id of a request is echoed, or made', async (t) => {
  const { ask } = await startServer(t);
  for (const { header, value, echoed } of ids) {
    const id = value.replace('LONGEST', 'x'.repeat(256)).replace('TOO-LONG', 'x'.repeat(257)).replace('&', '\t');
    const { headers, status } = await ask('GET', '/ping', { headers: { [header]: id } });
    t.is(status, 200, value);
    if (echoed === 'yes') t.is(headers['x-request-id'], id, value);
    else t.regex(String(headers['x-request-id']), FRESH, value);
  }
});

test('request-id goes before x-request-id', async (t) => {
  const { ask } = await startServer(t);
  const { headers } = await ask('GET', '/ping', { headers: { 'x-request-id': 'b', 'request-id': 'a' } });
  t.is(headers['x-request-id'], 'a');
});

test('ids that are made differ', async (t) => {
  const { ask } = await startServer(t);
  const [one, other] = [await ask('GET', '/ping'), await ask('GET', '/ping')];
  t.not(one.headers['x-request-id'], other.headers['x-request-id']);
});

test('nothing can be smuggled into the headers of an answer', async (t) => {
  const { raw } = await startServer(t);
  for (const id of ['a\nSet-Cookie: b', 'a\rSet-Cookie: b', 'a\0b', 'a\x7fb']) {
    const answer = await raw(
      `GET /ping HTTP/1.1\r\nHost: localhost\r\nx-request-id: ${id}\r\nConnection: close\r\n\r\n`,
    );
    t.false(/^set-cookie: b/im.test(answer), JSON.stringify(id));
    t.false(answer.includes('a\0b'), JSON.stringify(id));
  }
});

// Paths and methods

const paths = table<'method' | 'path' | 'status' | 'allow'>(`
  method   path                        status  allow
  GET      /nowhere                    404     -
  POST     /nowhere                    404     -
  OPTIONS  /nowhere                    404     -
  GET      /PING                       404     -
  GET      /ping/                      404     -
  GET      //ping                      404     -
  GET      /ping//                     404     -
  GET      /./ping                     404     -
  GET      /images/                    404     -
  POST     /images/                    404     -
  DELETE   /images/                    404     -
  GET      /images/UUID/               404     -
  DELETE   /images/UUID/               404     -
  PUT      /images/UUID/file/          404     -
  GET      /images/UUID/nowhere        404     -
  GET      /images/UUID/file/0         404     -
  GET      /Images                     404     -
  GET      /state/                     404     -
  GET      /datasets/                  404     -
  GET      /datasets/a/b               404     -
  GET      /docs/nowhere               404     -
  GET      /docs/%2e%2e/ping           404     -
  GET      /docs/../ping               404     -
  GET      /%2e%2e/%2e%2e/etc/passwd   404     -
  GET      /images/%2e%2e              404     -
  GET      /images/..                  404     -
  GET      /images/%2e%2e%2fping       404     -
  GET      /images/UUID%2ffile         404     -
  GET      /images/UUID%00             404     -
  GET      /images/%00                 404     -
  GET      /%00                        404     -
  GET      /ping%00                    404     -
  GET      /ping%20                    404     -
  GET      /ping;a=b                   404     -
  GET      /images/UUID%252ffile       404     -
  GET      /%                          400     -
  GET      /%zz                        400     -
  GET      /images/%                   400     -
  GET      /images/%c3                 400     -
  GET      /images/%c3%28              400     -
  DELETE   /images/%zz                 400     -
  GET      /datasets/%ff               400     -
  OPTIONS  /ping                       405     GET, HEAD
  POST     /ping                       405     GET, HEAD
  PUT      /ping                       405     GET, HEAD
  PATCH    /images                     405     GET, HEAD, POST
  DELETE   /images                     405     GET, HEAD, POST
  OPTIONS  /images                     405     GET, HEAD, POST
  PUT      /images/UUID                405     DELETE, GET, HEAD, POST
  OPTIONS  /images/UUID                405     DELETE, GET, HEAD, POST
  POST     /images/UUID/file           405     GET, HEAD, PUT
  DELETE   /images/UUID/file           405     GET, HEAD, PUT
  POST     /images/UUID/icon           405     DELETE, GET, HEAD, PUT
  GET      /images/UUID/acl            405     POST
  HEAD     /images/UUID/acl            405     POST
  GET      /images/UUID/clone          405     POST
  GET      /images/UUID/file/from-url  405     POST
  GET      /images/nonsense/acl        405     POST
  GET      /authkeys/reload            405     POST
  DELETE   /state                      405     GET, HEAD, POST
  POST     /datasets                   405     GET, HEAD
  POST     /docs/                      405     GET, HEAD
  TRACE    /ping                       405     GET, HEAD
`);

const codes: Record<string, string> = { 400: 'BadRequestError', 404: 'ResourceNotFound', 405: 'MethodNotAllowedError' };

for (const as of ['admin', 'anonymous'] as const) {
  test(`${as}: paths and methods that are not there`, async (t) => {
    const { ask } = await startServer(t);
    for (const { method, path, status, allow } of paths) {
      const answer = await ask(method, path.replace('UUID', ABSENT), { as });
      const why = `${method} ${path}`;
      t.is(answer.status, Number(status), why);
      t.is(answer.headers.allow ?? '', allow, why);
      if (method !== 'HEAD') t.is(answer.json.code, codes[status], why);
      t.falsy(answer.headers['access-control-allow-origin'], why);
    }
  });
}

test('a path that is not there is named', async (t) => {
  const { ask } = await startServer(t);
  t.is((await ask('GET', '/nowhere?a=b')).json.message, '/nowhere does not exist');
});

test('modes without clones do not have their path', async (t) => {
  for (const mode of ['public', 'private'] as const) {
    const { ask } = await startServer(t, { mode });
    for (const method of ['GET', 'POST', 'OPTIONS']) t.is((await ask(method, `/images/${ABSENT}/clone`)).status, 404);
  }
});

test('a uuid in upper case is none', async (t) => {
  const server = await startServer(t);
  const uuid = 'abcdef00-0000-4000-8000-000000000000';
  await importImage(server, { uuid, owner: ADMIN.uuid, public: true });
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/file'],
    ['GET', '/icon'],
    ['POST', '?action=disable'],
    ['DELETE', ''],
  ] as const) {
    t.is((await server.ask(method, `/images/${uuid.toUpperCase()}${path}`)).status, 404, `${method} ${path}`);
  }
  t.is((await server.ask('GET', `/images/${uuid}`)).json.state, 'active');
});

test('escapes that need not be change nothing', async (t) => {
  const { ask, image } = await startServer(t);
  const { uuid } = await image();
  t.is((await ask('GET', `/images/${uuid.replaceAll('-', '%2D')}`)).json.uuid, uuid);
  t.is((await ask('GET', `/im%61ges`)).status, 404);
});

test('bad escapes in a query are text', async (t) => {
  const { ask, image } = await startServer(t);
  await image();
  for (const query of ['?name=%zz', '?name=%', '?name=%c3%28', '?%zz=%zz&name=x', '?name=%00']) {
    const { status, list } = await ask('GET', `/images${query}`);
    t.is(status, 200, query);
    t.is(list.length, 0, query);
  }
});

// Negotiation

test('Accept is ignored, and nothing is ever compressed', async (t) => {
  const { ask, image } = await startServer(t);
  const { uuid } = await image({ description: 'x'.repeat(5000) });
  for (const path of ['/ping', '/images', `/images/${uuid}`, '/nowhere', '/images?state=x']) {
    const plain = await ask('GET', path);
    for (const accept of ['text/html', 'image/png', 'text/plain', 'application/octet-stream', 'nonsense', 'a/b;q=0']) {
      const headers = {
        accept,
        'accept-encoding': 'gzip, deflate, br',
        'accept-language': 'fi',
        'accept-charset': 'x',
      };
      const answer = await ask('GET', path, { headers });
      t.is(answer.status, plain.status, path);
      t.is(answer.headers['content-type'], 'application/json', path);
      t.is(answer.headers['content-encoding'], undefined, path);
      t.is(answer.headers.vary, undefined, path);
      t.deepEqual(answer.bytes, plain.bytes, path);
    }
  }
});

// Request lines that Node can not read, or nobody should

const malformed = table<'request' | 'status'>(`
  request                                                      status
  nonsense                                                     400
  GET /ping HTTP/9.9|Host: x                                   400
  GET ping HTTP/1.1|Host: x                                    400
  GET /pi ng HTTP/1.1|Host: x                                  400
  GET /ping HTTP/1.1|no colon                                  400
  GET /ping HTTP/1.1|bad name: x                               400
  GET /ping HTTP/1.1|Host: x|Content-Length: x                 400
  GET /ping HTTP/1.1|Host: x|Content-Length: -1                400
  GET /ping HTTP/1.1|Host: x|Content-Length: 1|Content-Length: 2   400
  POST /images HTTP/1.1|Host: x|Content-Length: 1|Transfer-Encoding: chunked   400
  FROB /ping HTTP/1.1|Host: x                                  400
  GET http://[x/ping HTTP/1.1|Host: x                          400
`);

test('requests that can not be read are refused, and the server goes on', async (t) => {
  const { raw, ask } = await startServer(t);
  for (const { request, status } of malformed) {
    const answer = await raw(`${request.split('|').join('\r\n')}\r\nConnection: close\r\n\r\n`);
    t.is(answer.split(' ')[1], status, request);
    t.regex(answer, /\r\nContent-Type: application\/json\r\n/i, request);
    const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
    t.is(body.code, 'BadRequestError', request);
    t.is(typeof body.message, 'string', request);
  }
  t.is((await ask('GET', '/ping')).status, 200);
});

const targets = table<'target' | 'status'>(`
  target                        status
  http://anywhere/ping          200
  http://anywhere:1234/ping?a=b  200
  HTTP://ANYWHERE/ping          200
  http://user:word@anywhere/ping  200
  http://anywhere               301
  http://anywhere/PING          404
  *                             404
  //anywhere/ping               404
  /\\ping                       404
  /ping#fragment                200
`);

test('forms of the request target', async (t) => {
  const { raw } = await startServer(t);
  for (const { target, status } of targets) {
    const answer = await raw(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    t.is(answer.split(' ')[1], status, target);
  }
});

for (const [what, request] of [
  ['a header', `GET /ping HTTP/1.1\r\nHost: localhost\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`],
  ['a request line', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
] as const) {
  test(`${what} that is too large is refused`, async (t) => {
    const { raw, ask } = await startServer(t);
    const answer = await raw(request);
    t.true(answer.startsWith('HTTP/1.1 431 '), answer.slice(0, 40));
    t.is(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).code, 'RequestHeaderFieldsTooLarge');
    t.is((await ask('GET', '/ping')).status, 200);
  });
}

test('nobody is led to another protocol', async (t) => {
  const { raw, ask } = await startServer(t);
  const upgrade = 'Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAA\r\n';
  t.true((await raw(`GET /ping HTTP/1.1\r\nHost: localhost\r\n${upgrade}\r\n`)).startsWith('HTTP/1.1 200 OK'));
  t.true((await raw('CONNECT example.com:443 HTTP/1.1\r\nHost: localhost\r\n\r\n')).startsWith('HTTP/1.1 400 '));
  t.is((await ask('GET', '/ping')).status, 200);
});

test('HTTP/1.0 is understood', async (t) => {
  const { raw } = await startServer(t);
  const answer = await raw('GET /ping HTTP/1.0\r\n\r\n');
  t.true(answer.startsWith('HTTP/1.1 200 OK'));
  t.regex(answer, /\r\nConnection: close\r\n/i);
});

test('several requests on one connection are answered in turn', async (t) => {
  const { raw } = await startServer(t);
  const get = (id: string, last = false) =>
    `GET /ping HTTP/1.1\r\nHost: localhost\r\nx-request-id: ${id}\r\n${last ? 'Connection: close\r\n' : ''}\r\n`;
  const answer = await raw(get('first') + get('second') + get('third', true));
  const order = [...answer.matchAll(/^x-request-id: (.*)\r$/gim)].map(([, id]) => id);
  t.deepEqual(order, ['first', 'second', 'third']);
});

test('a body that nobody asked for is no obstacle', async (t) => {
  const { ask, image } = await startServer(t);
  const { uuid } = await image();
  for (const path of ['/ping', '/images', `/images/${uuid}`, `/images/${uuid}/file`]) {
    t.is((await ask('GET', path, { body: '{not json' })).status, 200, path);
    t.is((await ask('GET', path)).status, 200, path);
  }
});

test('a CONNECT whose client resets the connection harms nobody', async (t) => {
  const { ask, port } = await startServer(t);
  for (let i = 0; i < 50; i += 1) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    socket.write('CONNECT example.com:443 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    if (i % 2 === 0) await once(socket, 'readable');
    socket.resetAndDestroy();
    t.is((await ask('GET', '/ping')).status, 200);
  }
});
