import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { docsRoutes } from '../../server/routes/docs.js';
import { routes } from '../../server/routes/table.js';
import { numbered } from '../support/fixtures.js';
import { keptLog } from '../support/log.js';
import { startServer } from '../support/server.js';
import { signedHeaders, sshKey } from '../support/ssh-keys.js';
import { table } from '../support/table.js';

const channels = [{ name: 'dev', description: '', default: true }];

const key = sshKey('ed25519');
const stranger = sshKey('ed25519', 'stranger');
const signing = { keyId: 'ops', algorithm: 'ed25519-sha512' };

const credentials = {
  none: () => ({}),
  token: () => ({ authorization: 'Bearer test-token' }),
  signature: () => signedHeaders({ ...signing, key }),
  forged: () => signedHeaders({ ...signing, key: stranger }),
  basic: () => ({ authorization: `Basic ${Buffer.from('ops:secret').toString('base64')}` }),
};

type Given = keyof typeof credentials;
const sorts = Object.keys(credentials) as Given[];

/** Who the caller is on each route, with each sort of credentials; `-` is nobody in particular. */
const strictness = table<'route' | Given>(`
  route                                 none  token  signature  forged  basic
  GET /ping                             -     admin  ops        401     401
  GET /channels                         -     admin  ops        401     401
  GET /images                           -     admin  ops        401     401
  GET /images/:uuid                     -     admin  ops        401     401

  GET /state                            401   admin  ops        401     401
  POST /state                           401   admin  ops        401     401
  POST /authkeys/reload                 401   admin  ops        401     401
  POST /images                          401   admin  ops        401     401
  POST /images/:uuid                    401   admin  ops        401     401
  DELETE /images/:uuid                  401   admin  ops        401     401
  PUT /images/:uuid/file                401   admin  ops        401     401
  POST /images/:uuid/file/from-url      401   admin  ops        401     401
  PUT /images/:uuid/icon                401   admin  ops        401     401
  DELETE /images/:uuid/icon             401   admin  ops        401     401
  POST /images/:uuid/acl                401   admin  ops        401     401
  POST /images/:uuid/clone              401   admin  ops        401     401
  POST /images/:uuid/push               401   admin  ops        401     401

  GET /images/:uuid/file                -     admin  ops        -       -
  GET /images/:uuid/icon                -     admin  ops        -       -
  GET /images/:uuid/jobs                -     admin  ops        -       -
  GET /jobs/:uuid                       -     admin  ops        -       -
  POST /api/imagestore/:repo/image/:uuid  401   admin  ops        401     401
  GET /datasets                         -     admin  ops        -       -
  GET /datasets/:urn                    -     admin  ops        -       -
  GET /datasets/:uuid/file              -     admin  ops        -       -

  GET /healthz                          -     -      -          -       -
  GET /readyz                           -     -      -          -       -
  GET /metrics                          401   admin  ops        401     401

  GET /console/openid/start             -     -      -          -       -
  GET /console/openid/callback          -     -      -          -       -
  GET /api/session/ways                 -     -      -          -       -

  GET /api/openapi.json                 401   admin  ops        401     401
  GET /api/docs                     401   admin  ops        401     401
  GET /api/task                         401   admin  ops        401     401
  GET /api/task/log                     401   admin  ops        401     401
  GET /api/task/:id                     401   admin  ops        401     401
  GET /api/task/:id/status              401   admin  ops        401     401
  PUT /api/task/:id/cancel              401   admin  ops        401     401
  GET /api/events                       401   admin  ops        401     401
  GET /api/task/:id/callback            401   admin  ops        401     401
  PUT /api/account/callback-key         401   admin  ops        401     401
  GET /api/webhook                      401   admin  ops        401     401
  GET /api/webhook/:name                401   admin  ops        401     401
  POST /api/webhook/:name               401   admin  ops        401     401
  PUT /api/webhook/:name                401   admin  ops        401     401
  DELETE /api/webhook/:name             401   admin  ops        401     401
  GET /api/webhook/:name/delivery       401   admin  ops        401     401
  POST /api/webhook/:name/ping          401   admin  ops        401     401
  GET /api/audit                        401   admin  ops        401     401
  GET /api/audit/export                 401   admin  ops        401     401
  GET /api/audit/head                   401   admin  ops        401     401
  GET /api/backup                       401   admin  ops        401     401
  GET /api/migration                    401   admin  ops        401     401
  POST /api/migration                   401   admin  ops        401     401
  DELETE /api/migration                 401   admin  ops        401     401
  GET /api/image/:name/export           401   admin  ops        401     401
  GET /api/image/:name/file             401   admin  ops        401     401
  GET /api/image/:name/lineage          401   admin  ops        401     401
  GET /api/image/:name/manifest         401   admin  ops        401     401
  POST /api/bundle                      401   admin  ops        401     401
  POST /api/accounts/login              -     -      -          -       -
  POST /api/session                     -     -      -          -       -
  DELETE /api/session                   -     -      -          -       -
  GET /api/accounts/logout              401   admin  ops        401     401
  GET /api/account                      401   admin  ops        401     401
  GET /api/token/:name                  401   admin  ops        401     401
  POST /api/token/:name                 401   admin  ops        401     401
  GET /api/token                        401   admin  ops        401     401
  POST /api/token                       401   admin  ops        401     401
  DELETE /api/token/:name               401   admin  ops        401     401
  GET /api/user                         401   admin  ops        401     401
  GET /api/user/:name                   401   admin  ops        401     401
  POST /api/user/:name                  401   admin  ops        401     401
  PUT /api/user/:name                   401   admin  ops        401     401
  DELETE /api/user/:name                401   admin  ops        401     401
  GET /api/user/:name/key               401   admin  ops        401     401
  POST /api/user/:name/key/:title       401   admin  ops        401     401
  DELETE /api/user/:name/key/:title     401   admin  ops        401     401
  GET /api/user/:name/session           401   admin  ops        401     401
  DELETE /api/user/:name/session        401   admin  ops        401     401
  DELETE /api/user/:name/session/:id    401   admin  ops        401     401
  GET /api/group                        401   admin  ops        401     401
  GET /api/group/:name                  401   admin  ops        401     401
  POST /api/group/:name                 401   admin  ops        401     401
  PUT /api/group/:name                  401   admin  ops        401     401
  DELETE /api/group/:name               401   admin  ops        401     401
  GET /api/dc                           401   admin  ops        401     401
  GET /api/dc/:dc                       401   admin  ops        401     401
  POST /api/dc/:dc                      401   admin  ops        401     401
  PUT /api/dc/:dc                       401   admin  ops        401     401
  DELETE /api/dc/:dc                    401   admin  ops        401     401
  GET /api/dc/:dc/group                 401   admin  ops        401     401
  GET /api/dc/:dc/group/:name           401   admin  ops        401     401
  POST /api/dc/:dc/group/:name          401   admin  ops        401     401
  DELETE /api/dc/:dc/group/:name        401   admin  ops        401     401
  GET /api/dc/:dc/settings              401   admin  ops        401     401
  PUT /api/dc/:dc/settings              401   admin  ops        401     401
  GET /api/dc/:dc/image                 401   admin  ops        401     401
  GET /api/dc/:dc/image/:name           401   admin  ops        401     401
  POST /api/dc/:dc/image/:name          401   admin  ops        401     401
  DELETE /api/dc/:dc/image/:name        401   admin  ops        401     401
  GET /api/dc/:dc/picker                401   admin  ops        401     401
  GET /api/image                        401   admin  ops        401     401
  GET /api/image/:name                  401   admin  ops        401     401
  POST /api/image/:name                 401   admin  ops        401     401
  PUT /api/image/:name                  401   admin  ops        401     401
  DELETE /api/image/:name               401   admin  ops        401     401
  GET /api/image/:name/vm               401   admin  ops        401     401
  PUT /api/image/:name/activate         401   admin  ops        401     401
  PUT /api/image/:name/deprecate        401   admin  ops        401     401
  DELETE /api/image/:name/deprecate     401   admin  ops        401     401
  POST /api/image/:name/copy            401   admin  ops        401     401
  POST /api/registry/docker             401   admin  ops        401     401
  POST /api/registry/lxd                401   admin  ops        401     401
  POST /api/manifest                    401   admin  ops        401     401
  POST /api/bulk/image                  401   admin  ops        401     401
  GET /api/vm/:vm/snapshot              401   admin  ops        401     401
  POST /api/vm/:vm/snapshot/:snap       401   admin  ops        401     401
  DELETE /api/vm/:vm/snapshot/:snap     401   admin  ops        401     401
  POST /api/vm/:vm/snapshot/:snap/image/:name  401  admin  ops  401     401
  GET /api/imagestore                   401   admin  ops        401     401
  PUT /api/imagestore                   401   admin  ops        401     401
  GET /api/imagestore/:repo             401   admin  ops        401     401
  PUT /api/imagestore/:repo             401   admin  ops        401     401
  GET /api/imagestore/:repo/image       401   admin  ops        401     401
  GET /api/imagestore/:repo/image/:uuid  401   admin  ops        401     401
  GET /api/follow                       401   admin  ops        401     401
  GET /api/follow/:name                 401   admin  ops        401     401
  POST /api/follow/:name                401   admin  ops        401     401
  PUT /api/follow/:name                 401   admin  ops        401     401
  DELETE /api/follow/:name              401   admin  ops        401     401
  POST /api/follow/:name/run            401   admin  ops        401     401
  GET /api/repository                   401   admin  ops        401     401
  GET /api/repository/:name             401   admin  ops        401     401
  POST /api/repository/:name            401   admin  ops        401     401
  PUT /api/repository/:name             401   admin  ops        401     401
  DELETE /api/repository/:name          401   admin  ops        401     401
  GET /api/secret                       401   admin  ops        401     401
  GET /api/secret/:name                 401   admin  ops        401     401
  POST /api/secret/:name                401   admin  ops        401     401
  PUT /api/secret/:name                 401   admin  ops        401     401
  DELETE /api/secret/:name              401   admin  ops        401     401
  GET /api/upload                       401   admin  ops        401     401
  POST /api/upload                      401   admin  ops        401     401
  HEAD /api/upload/:id                  401   admin  ops        401     401
  PATCH /api/upload/:id                 401   admin  ops        401     401
  DELETE /api/upload/:id                401   admin  ops        401     401
  GET /api/vm                           401   admin  ops        401     401
  GET /api/vm/:uuid                     401   admin  ops        401     401
  PUT /api/vm/:uuid                     401   admin  ops        401     401
  DELETE /api/vm/:uuid                  401   admin  ops        401     401
  GET /api/vm/:uuid/move                401   admin  ops        401     401
  GET /api/node                         401   admin  ops        401     401
  GET /api/node/:host                   401   admin  ops        401     401
  POST /api/node/:host                  401   admin  ops        401     401
  PUT /api/node/:host                   401   admin  ops        401     401
  DELETE /api/node/:host                401   admin  ops        401     401
  PUT /api/node/:host/inventory         401   admin  ops        401     401
  GET /api/node/:host/check             401   admin  ops        401     401
  GET /api/node/:host/vm                401   admin  ops        401     401
  GET /api/node/:host/token             401   admin  ops        401     401
  POST /api/node/:host/token/:name      401   admin  ops        401     401
  DELETE /api/node/:host/token/:name    401   admin  ops        401     401
  GET /api/node/:host/storage           401   admin  ops        401     401
  GET /api/node/:host/storage/:pool/image  401   admin  ops        401     401
  DELETE /api/node/:host/storage/:pool/image  401   admin  ops        401     401
  GET /api/node/:host/storage/:pool/image/:name  401   admin  ops        401     401
  POST /api/node/:host/storage/:pool/image/:name  401   admin  ops        401     401
  DELETE /api/node/:host/storage/:pool/image/:name  401   admin  ops        401     401
  GET /api/nodekey                      401   admin  ops        401     401
  GET /api/member                       401   admin  ops        401     401
  GET /api/overview                     401   admin  ops        401     401
  GET /api/overview/history             401   admin  ops        401     401
  GET /api/nodesource                   401   admin  ops        401     401
  GET /api/campaign                     401   admin  ops        401     401
  GET /api/campaign/:name               401   admin  ops        401     401
  POST /api/campaign/:name              401   admin  ops        401     401
  PUT /api/campaign/:name               401   admin  ops        401     401
  DELETE /api/campaign/:name            401   admin  ops        401     401
  PUT /api/node/:host/source            401   admin  ops        401     401
  GET /api/node/:host/preflight/:name   401   admin  ops        401     401
`);

const docs = docsRoutes(routes);
const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;
const target = (path: string) => path.replace(/:(uuid|urn|id|name|dc|host|title|repo)/g, numbered(0));

test('every route is in the table, and nothing else', (t) => {
  t.deepEqual(strictness.map(({ route }) => route).sort(), routes.map(nameOf).sort());
});

test('who the caller is, route by route', async (t) => {
  const { log, lines } = keptLog();
  const { ask } = await startServer(t, { mode: 'dc', channels, log, keys: { authKeys: { ops: [key.line] } } });
  const rows = [...strictness, ...docs.map((route) => ({ route: nameOf(route), ...lenient }))];
  for (const { route, ...expected } of rows) {
    const [method = '', path = ''] = route.split(' ');
    for (const sort of sorts) {
      const id = `${route} with ${sort}`;
      const headers = { ...credentials[sort](), 'x-request-id': id };
      const answer = await ask(method, target(path), { as: 'anonymous', headers });
      while (!lines.some((line) => line.id === id)) await setImmediate();
      const { caller } = lines.find((line) => line.id === id)!;
      t.is(answer.status === 401 ? '401' : (caller ?? 'anonymous'), expected[sort] || 'anonymous', id);
      if (answer.status === 401 && method !== 'HEAD') t.is(answer.json.code, 'UnauthorizedError', id);
      t.is(answer.headers['www-authenticate'], undefined, id);
      t.true(answer.status < 500 || answer.status === 501 || answer.status === 503, `${id}: ${answer.status}`);
    }
  }
});

const lenient = { none: '', token: 'admin', signature: 'ops', forged: '', basic: '' };

test('changing: a forged signature is refused before uuid, channel, account and body are looked at', async (t) => {
  const { ask, image } = await startServer(t, { channels, keys: { authKeys: { ops: [key.line] } } });
  const { uuid } = await image();
  for (const { method, path, auth } of routes) {
    if (auth !== 'strict' && auth !== 'credentials') continue;
    for (const name of [uuid, numbered(0), 'nonsense']) {
      const url = `${path.replace(':uuid', name)}?channel=nope&account=nope&action=nope`;
      const headers = { ...credentials.forged(), 'content-type': 'application/json' };
      const { status } = await ask(method, url, { headers, ...(method !== 'GET' && { body: '{not json' }) });
      t.is(status, 401, `${method} ${url}`);
    }
  }
  t.is((await ask('GET', `/images/${uuid}`)).json.state, 'active', 'it is as it was');
});

test('reading: the form of the uuid comes before the signature', async (t) => {
  const { ask } = await startServer(t);
  t.is((await ask('GET', '/images/nonsense', { headers: credentials.forged() })).status, 404);
  t.is((await ask('GET', `/images/${numbered(0)}`, { headers: credentials.forged() })).status, 401);
});
