import test, { type ExecutionContext } from 'ava';
import { images } from '../../server/model/image.js';
import { routes } from '../../server/routes/table.js';
import { addDatacenter, grant } from '../support/datacenters.js';
import { addUser, numbered } from '../support/fixtures.js';
import { manifest, said } from '../support/managed.js';
import { rememberRepository } from '../support/repositories.js';
import { startServer } from '../support/server.js';
import { metadataText } from '../support/tus.js';

const other = { ...manifest, name: 'other' };

const CHECK = { 'x-check-only': 'true' };
/** Nobody listens there: whoever asks it is refused for another reason. */
const AWAY = 'http://127.0.0.1:9/images/x';

async function world(t: ExecutionContext) {
  const server = await startServer(t);
  await addDatacenter(server, 'east');
  await addDatacenter(server, 'west');
  const eve = await addUser(server, 'eve');
  await grant(server, eve, 'east', 'admin', 'image_admin', 'image_import_admin');
  const mia = await addUser(server, 'mia');
  await grant(server, mia, 'east');
  await server.ask('POST', '/api/image/taken', { as: 'admin', body: { manifest, dc: 'east' } });
  const check = async (who: 'root' | 'eve' | 'mia', method: string, path: string, body?: object) => {
    const { headers } = { root: { headers: {} }, eve, mia }[who];
    const as = who === 'root' ? 'admin' : 'anonymous';
    const answer = await server.ask(method, path, { as, headers: { ...headers, ...CHECK }, ...(body && { body }) });
    return answer.status === 204 ? `204${answer.bytes}` : said(answer);
  };
  return { server, check };
}

const all = async ({ deps }: Awaited<ReturnType<typeof startServer>>) => {
  const found: object[] = [];
  for await (const image of deps.catalog.list(images)) found.push(image);
  return found;
};

test('what would be refused is refused in the same way, and nothing is done', async (t) => {
  const { server, check } = await world(t);
  const before = await all(server);
  const url = { manifest_url: AWAY };
  // biome-ignore format: a table is read down its columns
  const calls = [
    ['eve',  'POST', '/api/image/new',   { ...url },                             '204'],
    ['eve',  'POST', '/api/image/new',   { file_url: AWAY, os: 'linux' },        '204'],
    ['eve',  'POST', '/api/image/new',   { manifest: other },                    '204'],
    ['eve',  'POST', '/api/image/new',   { manifest },                           '400 InvalidInput alias'],
    ['eve',  'POST', '/api/image/new',   { ...url, alias: '<b>', version: '' },  '400 InvalidInput alias version'],
    ['eve',  'POST', '/api/image/new',   { ...url, nonsense: 1 },                '400 InvalidInput nonsense'],
    ['eve',  'POST', '/api/image/new',   { ...url, os: 'linux' },                '400 InvalidInput os'],
    ['eve',  'POST', '/api/image/new',   { manifest_url: 'ftp://x/y' },          '400 InvalidInput manifest_url'],
    ['eve',  'POST', '/api/image/new',   { ...url, file_url: 'gopher://x' },     '400 InvalidInput file_url'],
    ['eve',  'POST', '/api/image/new',   { ...url, secret: 'none' },             '400 InvalidInput secret'],
    ['eve',  'POST', '/api/image/new',   { ...url, owner: 'nobody' },            '400 InvalidInput owner'],
    ['eve',  'POST', '/api/image/new',   { ...url, dc: 'west' },                 '400 InvalidInput dc'],
    ['eve',  'POST', '/api/image/new',   { manifest: { ...manifest, os: 'x' } }, '400 ValidationFailed os'],
    ['eve',  'POST', '/api/image/-x',    { ...url },                             '400 InvalidInput name'],
    ['eve',  'POST', '/api/image/taken', { ...url },                             '406 ObjectAlreadyExists'],
    ['eve',  'POST', '/api/image/taken', { manifest },                           '406 ObjectAlreadyExists'],
    ['eve',  'PUT',  '/api/image/taken', { alias: 'other' },                     '204'],
    ['eve',  'PUT',  '/api/image/taken', { owner: 'nobody' },                    '400 InvalidInput owner'],
    ['eve',  'PUT',  '/api/image/none',  { alias: 'other' },                     '404 ResourceNotFound'],
    ['eve',  'POST', '/api/registry/docker', { image: 'busybox:latest' },        '204'],
    ['eve',  'POST', '/api/registry/docker', { image: 'Busy box' },              '400 InvalidInput image'],
    ['eve',  'POST', '/api/registry/lxd',    { image: 'images:alpine/3.18' },    '204'],
    ['eve',  'POST', '/api/registry/lxd',    { image: 'alpine' },                '400 InvalidInput image'],
    ['mia',  'POST', '/api/image/new',   { ...url },                             '403 NotPermitted'],
    ['root', 'POST', '/api/dc/north',    {},                                     '204'],
    ['root', 'POST', '/api/dc/north',    { nonsense: 1 },                        '400 InvalidInput nonsense'],
    ['eve',  'POST', '/api/dc/north',    {},                                     '403 NotPermitted'],
  ] as const;
  for (const [who, method, path, body, expected] of calls) {
    t.is(await check(who, method, path, body), expected, `${who} ${path} ${JSON.stringify(body)}`);
  }
  t.deepEqual(await all(server), before);
  t.is((await server.ask('GET', '/api/dc/north', { as: 'admin' })).status, 404);
  t.deepEqual((await server.ask('GET', '/api/task', { as: 'admin' })).json.result, []);
});

test('an import from a repository is checked without the repository', async (t) => {
  const { server, check } = await world(t);
  await rememberRepository(server, { name: 'rep', url: 'http://127.0.0.1:9' }, [{ ...manifest, uuid: numbered(1) }]);
  const path = `/api/imagestore/rep/image/${numbered(1)}`;
  t.is(await check('eve', 'POST', path, { name: 'fresh' }), '204');
  t.is(await check('eve', 'POST', path, { name: 'taken' }), '406 ObjectAlreadyExists');
  t.is(await check('eve', 'POST', path, { name: 'no name' }), '400 InvalidInput name');
  t.is(await check('eve', 'POST', path, { owner: 'nobody' }), '400 InvalidInput owner');
  t.is(await check('eve', 'POST', '/api/imagestore/none/image/x', {}), '404 ResourceNotFound');
  await server.ask('POST', '/api/image/here', {
    as: 'admin',
    body: { manifest: { ...manifest, v: 2, uuid: numbered(1), name: 'here', version: '7' }, dc: 'east' },
  });
  t.is(await check('eve', 'POST', path, { name: 'fresh' }), '406 ImageUuidAlreadyExists');
});

test('a tag is held against what is there, and not changed', async (t) => {
  const { server, check } = await world(t);
  const { headers } = await server.ask('GET', '/api/image/taken', { as: 'admin' });
  const put = async (tag: string) =>
    (
      await server.ask('PUT', '/api/image/taken', {
        as: 'admin',
        headers: { ...CHECK, 'if-match': tag },
        body: { desc: 'other' },
      })
    ).status;
  t.is(await put(String(headers.etag)), 204);
  t.is(await put('"other"'), 412);
  t.is(await check('root', 'PUT', '/api/image/taken', { desc: 'other' }), '204');
  t.is((await server.ask('GET', '/api/image/taken', { as: 'admin' })).headers.etag, headers.etag);
});

test('nobody believes that something was only checked', async (t) => {
  const { server, check } = await world(t);
  const maybe = await server.ask('POST', '/api/image/new', {
    as: 'admin',
    headers: { 'x-check-only': 'maybe' },
    body: { manifest },
  });
  t.is(said(maybe), '400 InvalidInput X-Check-Only');
  const upload = await server.ask('POST', '/api/upload', {
    as: 'admin',
    headers: {
      ...CHECK,
      'tus-resumable': '1.0.0',
      'upload-length': '5',
      'upload-metadata': metadataText({ image: 'taken', compression: 'none' }),
    },
  });
  t.is(said(upload), '400 InvalidInput X-Check-Only');
  t.is(await check('root', 'POST', '/api/image/new', { manifest: other, dc: 'east' }), '204');
  const { status } = await server.ask('GET', '/api/image/new', { as: 'admin' });
  t.is(status, 404);
});

test('whatever can not be checked alone refuses to be, and does nothing', async (t) => {
  const { server } = await world(t);
  const signedIn = await server.ask('POST', '/api/session', { as: 'anonymous', body: { token: server.token } });
  const cookie = String(signedIn.headers['set-cookie']).split(';')[0]!;
  const asWhole = routes.filter(({ description }) => description && !description.checkable);
  t.true(asWhole.length > 5);
  for (const { method, path } of asWhole) {
    const headers = { ...CHECK, cookie, 'sec-fetch-site': 'same-origin' };
    const answer = await server.ask(method, path.replaceAll(/:\w+/g, 'x'), { as: 'admin', headers });
    if (method === 'HEAD') t.is(answer.status, 400, path);
    else t.is(said(answer), '400 InvalidInput X-Check-Only', `${method} ${path}`);
  }
  const account = await server.ask('GET', '/api/account', { as: 'anonymous', headers: { cookie } });
  t.is(account.status, 200);
});

test('the document tells which calls can be checked', async (t) => {
  const { server } = await world(t);
  const { json } = await server.ask('GET', '/api/openapi.json', { as: 'admin' });
  const paths = json.paths as Record<string, Record<string, { parameters?: { name: string }[]; responses: object }>>;
  const isCheckable = (path: string, method: string) =>
    paths[path]?.[method]?.parameters?.some(({ name }) => name === 'X-Check-Only') ?? false;
  t.true(isCheckable('/api/image/{name}', 'post'));
  t.true('204' in (paths['/api/image/{name}']?.post?.responses ?? {}));
  t.false(isCheckable('/api/image/{name}', 'get'));
  t.false(isCheckable('/api/upload', 'post'));
});
