import { get, type IncomingMessage } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { groups } from '../../server/model/group.js';
import type { Registration } from '../../server/model/registration.js';
import { secrets } from '../../server/model/secret.js';
import { eachSeries } from '../../server/model/series.js';
import { tasks } from '../../server/model/task.js';
import { hashToken, tokens } from '../../server/model/token.js';
import { uploads } from '../../server/model/upload.js';
import { ADMIN } from '../../server/model/user.js';
import { type Vm, vms } from '../../server/model/vm.js';
import { webhooks } from '../../server/model/webhook.js';
import { takeSample } from '../../server/operations/take-sample.js';
import { routes } from '../../server/routes/table.js';
import { addDatacenter, addNodeToken, grant, place } from '../support/datacenters.js';
import { addUser, importImage, numbered } from '../support/fixtures.js';
import { rememberRepository } from '../support/repositories.js';
import { type Answer, type Ask, startServer, type TestServer } from '../support/server.js';
import { metadataText } from '../support/tus.js';

// Two servers that differ in nothing but what the callers are not to know of: whatever is asked, they answer the same.

const NOW = '2030-01-02T03:04:05.678Z';
/** When the figures of the overview begin. */
const BEFORE = '2030-01-02T01:04:05.678Z';

/** What is in D and seen, to have hidden things refer to it, and to be referred to. */
const MINE = numbered(1);
const COMMON = numbered(2);
const MACHINE = numbered(3);

/** What is hidden. */
const hidden = {
  bound: numbered(11),
  shared: numbered(12),
  builtOnCommon: numbered(13),
  arriving: numbered(14),
  internal: numbered(15),
  machine: numbered(16),
  task: numbered(17),
  job: numbered(18),
  failure: numbered(28),
  upload: numbered(29),
};

type Asked = string | [path: string, options: Ask];

const each = (path: (uuid: string) => Asked) =>
  [hidden.bound, hidden.shared, hidden.builtOnCommon, hidden.arriving, hidden.internal].map(path);
/** By their names, as management has them. */
const NAMES = ['hid-bound', 'hid-shared', 'hid-built', 'hid-arriving', 'hid-internal'];
const eachName = (path: (name: string) => Asked) => [...NAMES, hidden.bound, hidden.shared].map(path);

const json = (body: object): Ask => ({ body });
const manifest = (more: object) => ({
  name: 'new',
  version: '1',
  os: 'smartos',
  type: 'zone-dataset',
  public: false,
  ...more,
});
const tusHeaders = (image: string) => ({
  'tus-resumable': '1.0.0',
  'content-type': 'application/offset+octet-stream',
  'upload-offset': '0',
  'upload-length': '5',
  'upload-metadata': metadataText({ image, sha256: 'a'.repeat(64), compression: 'none' }),
});
const png = { body: 'icon', headers: { 'content-type': 'image/png' } };

/**
 * What is asked of each route. One without examples has nothing to hide: nothing that it is asked for, or answers with,
 * is of a data center.
 */
const examples: Record<string, Asked[]> = {
  'GET /ping': ['/ping', '/ping?error=Internal'],
  'GET /state': ['/state'],
  'POST /state': ['/state?action=dropcaches'],
  'POST /authkeys/reload': ['/authkeys/reload'],
  'GET /channels': ['/channels'],
  'GET /images': [
    '/images',
    '/images?state=all',
    '/images?state=disabled',
    '/images?limit=2&sort=name',
    '/images?name=~hid',
    `/images?owner=${ADMIN.uuid}`,
    '/images?inclAdminFields=true',
    `/images?account=${ADMIN.uuid}`,
    '/images?account=SELF&state=all',
    ...each((uuid) => `/images?marker=${uuid}`),
    ...each((uuid) => `/images?marker=${uuid}&limit=1&account=SELF`),
  ],
  'POST /images': [
    ...each((origin) => ['/images', json(manifest({ origin }))]),
    ['/images?dc=E1', json(manifest({}))],
    ['/images?dc=E1&action=import-docker-image&repo=x&tag=y', {}],
    ['/images?action=create-from-vm&vm_uuid=x', {}],
    [`/images?action=create-from-vm&vm_uuid=${hidden.machine}`, json({ name: 'new', version: '1' })],
  ],
  'GET /images/:uuid': [
    ...each((uuid) => `/images/${uuid}`),
    ...each((uuid) => `/images/${uuid}?account=SELF`),
    ...each((uuid) => `/images/${uuid}?inclAdminFields=true`),
    ...each((uuid) => `/images/${uuid}?channel=*`),
    `/images/${COMMON}`,
  ],
  'POST /images/:uuid': [
    ...[
      'activate',
      'enable',
      'disable',
      'channel-add',
      'nonsense',
      'export&manta_path=/x/y',
      'change-stor&stor=local',
    ].flatMap((action) => each((uuid) => [`/images/${uuid}?action=${action}`, json({ channel: 'dev' })])),
    ...each((uuid) => [`/images/${uuid}`, json({})]),
    ...each((uuid) => [`/images/${uuid}?action=update`, json({ name: 'other' })]),
    ...each((uuid) => [`/images/${uuid}?action=update&account=SELF`, json({ name: 'other' })]),
    ...each((origin) => [`/images/${MINE}?action=update`, json({ origin })]),
    ...each((uuid) => [`/images/${MINE}?action=update`, json({ uuid })]),
    [`/images/${MINE}?action=update&dc=E1`, json({ description: 'other' })],
    ...each((origin) => [
      `/images/${numbered(30)}?action=import`,
      json(manifest({ v: 2, uuid: numbered(30), origin })),
    ]),
    [`/images/${numbered(31)}?action=import&dc=E1`, json(manifest({ v: 2, uuid: numbered(31) }))],
    [`/images/${numbered(31)}?action=import-remote&source=http://x&dc=E1`, {}],
    [`/images/${hidden.bound}?action=import-from-datacenter&account=SELF&datacenter=E1`, {}],
  ],
  'DELETE /images/:uuid': [...each((uuid) => `/images/${uuid}`), ...each((uuid) => `/images/${uuid}?force=true`)],
  'GET /images/:uuid/file': each((uuid) => `/images/${uuid}/file`),
  'PUT /images/:uuid/file': each((uuid) => [`/images/${uuid}/file?compression=none`, { body: 'bytes' }]),
  'POST /images/:uuid/file/from-url': each((uuid) => [
    `/images/${uuid}/file/from-url?compression=none`,
    json({ file_url: 'https://x' }),
  ]),
  'GET /images/:uuid/icon': each((uuid) => `/images/${uuid}/icon`),
  'PUT /images/:uuid/icon': each((uuid) => [`/images/${uuid}/icon`, png]),
  'DELETE /images/:uuid/icon': each((uuid) => `/images/${uuid}/icon`),
  'POST /images/:uuid/acl': each((uuid) => [`/images/${uuid}/acl`, json([numbered(9)])]),
  'POST /images/:uuid/clone': each((uuid) => `/images/${uuid}/clone?account=SELF`),
  'POST /images/:uuid/push': each((uuid) => [`/images/${uuid}/push`, json({})]),
  'GET /images/:uuid/jobs': [...each((uuid) => `/images/${uuid}/jobs`), `/images/${COMMON}/jobs`],
  // Its id is the proof: only those know it who have started it, or see its image.
  'GET /jobs/:uuid': [`/jobs/${numbered(9)}`],
  'GET /datasets': ['/datasets', ['/datasets', { headers: { 'user-agent': 'imgadm/3' } }]],
  'GET /datasets/:urn': each((uuid) => [`/datasets/${uuid}`, { headers: { 'user-agent': 'imgadm/3' } }]),
  'GET /datasets/:uuid/file': each((uuid) => `/datasets/${uuid}/file`),
  'GET /healthz': ['/healthz'],
  'GET /readyz': ['/readyz'],
  'GET /metrics': ['/metrics'],
  'GET /console/openid/start': ['/console/openid/start', '/console/openid/start?to=/console/images/hid-bound'],
  'GET /console/openid/callback': ['/console/openid/callback?code=x&state=y'],
  'GET /api/session/ways': ['/api/session/ways', '/api/session/ways?error=unknown'],

  'GET /api/openapi.json': ['/api/openapi.json'],
  'GET /api/docs': ['/api/docs'],
  'POST /api/accounts/login': [['/api/accounts/login', json({ username: 'hid', password: 'wrong-password' })]],
  'POST /api/session': [
    ['/api/session', json({ username: 'hid', password: 'wrong-password' })],
    ['/api/session', json({ token: 'wrong-token' })],
  ],
  'DELETE /api/session': ['/api/session'],
  'GET /api/accounts/logout': [],
  'GET /api/account': ['/api/account'],

  'GET /api/user': ['/api/user', '/api/user?full=true'],
  'GET /api/user/:name': ['/api/user/other', '/api/user/nobody', '/api/user/SELFNAME'],
  'POST /api/user/:name': [['/api/user/other', json({})]],
  'PUT /api/user/:name': [['/api/user/other', json({ super_admin: true })]],
  'DELETE /api/user/:name': ['/api/user/other'],
  'GET /api/user/:name/key': ['/api/user/other/key'],
  'POST /api/user/:name/key/:title': [['/api/user/other/key/x', json({ key: 'x' })]],
  'DELETE /api/user/:name/key/:title': ['/api/user/other/key/x'],
  'GET /api/user/:name/session': ['/api/user/other/session'],
  'DELETE /api/user/:name/session': ['/api/user/other/session'],
  'DELETE /api/user/:name/session/:id': ['/api/user/other/session/0', '/api/user/SELFNAME/session/0'],

  'GET /api/group': ['/api/group', '/api/group?full=true', '/api/group?search=hid'],
  'GET /api/group/:name': ['/api/group/hid-group'],
  'POST /api/group/:name': [['/api/group/hid-group', json({})]],
  'PUT /api/group/:name': [['/api/group/hid-group', json({ permissions: ['admin'] })]],
  'DELETE /api/group/:name': ['/api/group/hid-group'],

  'GET /api/dc': ['/api/dc', '/api/dc?full=true', '/api/dc?search=E'],
  'GET /api/dc/:dc': ['/api/dc/E1'],
  'POST /api/dc/:dc': [['/api/dc/E1', json({})]],
  'PUT /api/dc/:dc': [['/api/dc/E1', json({ description: 'x' })]],
  'DELETE /api/dc/:dc': ['/api/dc/E1'],
  'GET /api/dc/:dc/group': ['/api/dc/E1/group', '/api/dc/D/group', '/api/dc/D/group?full=true'],
  'GET /api/dc/:dc/group/:name': ['/api/dc/E1/group/hid-group', '/api/dc/D/group/hid-group'],
  'POST /api/dc/:dc/group/:name': [
    ['/api/dc/E1/group/hid-group', json({})],
    ['/api/dc/D/group/hid-group', json({})],
  ],
  'DELETE /api/dc/:dc/group/:name': ['/api/dc/E1/group/hid-group', '/api/dc/D/group/hid-group'],
  'GET /api/dc/:dc/settings': ['/api/dc/E1/settings', '/api/dc/D/settings'],
  'PUT /api/dc/:dc/settings': [
    ['/api/dc/E1/settings', json({ VMS_IMAGE_LIMIT: 1 })],
    ['/api/dc/D/settings', json({ VMS_DISK_IMAGE_DEFAULT: 'hid-shared' })],
  ],
  'GET /api/dc/:dc/image': [
    '/api/dc/E1/image',
    '/api/dc/D/image',
    '/api/dc/D/image?full=true&extended=true&deleted=true',
    '/api/dc/D/image?search=hid',
    '/api/dc/D/image?order_by=-created&limit=1',
  ],
  'GET /api/dc/:dc/image/:name': [
    ...eachName((name) => `/api/dc/E1/image/${name}`),
    ...eachName((name) => `/api/dc/D/image/${name}`),
    '/api/dc/D/image/common?full=true&extended=true',
  ],
  'POST /api/dc/:dc/image/:name': [
    ...eachName((name) => [`/api/dc/D/image/${name}`, json({})] as Asked),
    ['/api/dc/E1/image/mine', json({})],
  ],
  'DELETE /api/dc/:dc/image/:name': [
    ...eachName((name) => `/api/dc/E1/image/${name}`),
    ...eachName((name) => `/api/dc/D/image/${name}`),
  ],
  'GET /api/dc/:dc/picker': ['/api/dc/E1/picker', '/api/dc/D/picker', '/api/dc/D/picker?user=other'],
  'GET /api/image': [
    '/api/image',
    '/api/image?full=true&extended=true',
    '/api/image?search=hid',
    '/api/image?dc=E1',
    '/api/image?internal=true',
  ],
  'GET /api/image/:name': [
    ...eachName((name) => `/api/image/${name}`),
    ...eachName((name) => `/api/image/${name}?dc=E1`),
    ...eachName((name) => `/api/image/${name}?dc=D`),
    '/api/image/mine?extended=true',
  ],
  'POST /api/image/:name': [
    ['/api/image/hid-bound', json({ manifest: manifest({}), dc: 'E1' })],
    ['/api/image/of-hidden-origin', json({ manifest: manifest({ origin: hidden.bound }), dc: 'D' })],
    ['/api/image/of-hidden-origin', json({ manifest: manifest({ origin: hidden.shared }), dc: 'D' })],
    ['/api/image/hid-bound', json({ manifest: manifest({ name: 'hid-bound', version: '7' }), dc: 'D' })],
  ],
  'PUT /api/image/:name': [
    ...eachName((name) => [`/api/image/${name}`, json({ desc: 'other' })] as Asked),
    ...eachName((name) => [`/api/image/${name}`, json({ access: 7 })] as Asked),
    ['/api/image/mine', json({ groups: ['hid-group'] })],
    ['/api/image/mine', json({ alias: 'hid-bound', version: '1.0.0' })],
  ],
  'DELETE /api/image/:name': eachName((name) => [`/api/image/${name}`, json({})]),
  'GET /api/image/:name/lineage': [
    ...eachName((name) => `/api/image/${name}/lineage`),
    ...eachName((name) => `/api/image/${name}/lineage?dc=E1`),
    '/api/image/common/lineage?dc=D',
    '/api/image/mine/lineage',
  ],
  'GET /api/image/:name/manifest': [
    ...eachName((name) => `/api/image/${name}/manifest`),
    ...eachName((name) => `/api/image/${name}/manifest?dc=E1`),
    '/api/image/common/manifest?dc=D',
    '/api/image/mine/manifest',
  ],
  'GET /api/image/:name/file': [
    ...eachName((name) => `/api/image/${name}/file`),
    ...eachName((name) => `/api/image/${name}/file?dc=E1`),
    '/api/image/common/file?dc=D',
    '/api/image/mine/file',
  ],
  'GET /api/image/:name/export': [
    ...eachName((name) => `/api/image/${name}/export`),
    ...eachName((name) => `/api/image/${name}/export?dc=E1`),
    ...eachName((name) => `/api/image/${name}/export?origins=false`),
  ],
  'POST /api/bundle': [
    ['/api/bundle?dc=E1', { body: 'no tar' }],
    ['/api/bundle?dc=D', { body: 'no tar' }],
  ],
  'GET /api/image/:name/vm': [
    ...eachName((name) => `/api/image/${name}/vm`),
    '/api/image/mine/vm',
    '/api/image/common/vm?full=true',
  ],
  'PUT /api/image/:name/activate': eachName((name) => [`/api/image/${name}/activate`, json({})]),
  'PUT /api/image/:name/deprecate': [
    ...eachName((name) => [`/api/image/${name}/deprecate`, json({})] as Asked),
    ...eachName((replacement) => ['/api/image/mine/deprecate', json({ replacement })] as Asked),
  ],
  'DELETE /api/image/:name/deprecate': eachName((name) => `/api/image/${name}/deprecate`),
  'POST /api/image/:name/copy': eachName((name) => [`/api/image/${name}/copy`, json({ to: 'rep' })]),
  'POST /api/bulk/image': [],
  'POST /api/manifest': [
    ['/api/manifest', json({ manifest_url: 'http://127.0.0.1:1/a.json', dc: 'E1' })],
    ['/api/manifest', json({ manifest_url: 'http://127.0.0.1:1/a.json', secret: 'E1/hid' })],
  ],
  'POST /api/registry/docker': [['/api/registry/docker', json({ image: '127.0.0.1:1/a:1', dc: 'E1' })]],
  'POST /api/registry/lxd': [['/api/registry/lxd', json({ image: 'none:a', dc: 'E1' })]],

  'GET /api/imagestore': ['/api/imagestore', '/api/imagestore?full=true'],
  'PUT /api/imagestore': [['/api/imagestore', json({})]],
  'GET /api/imagestore/:repo': ['/api/imagestore/rep', '/api/imagestore/none'],
  'PUT /api/imagestore/:repo': [['/api/imagestore/rep', json({})]],
  'GET /api/imagestore/:repo/image': [
    '/api/imagestore/rep/image',
    '/api/imagestore/rep/image?full=true',
    '/api/imagestore/rep/image?search=true&full=true',
  ],
  'POST /api/imagestore/:repo/image/:uuid': [[`/api/imagestore/none/image/${numbered(9)}`, json({})]],
  'GET /api/imagestore/:repo/image/:uuid': [MINE, ...Object.values(hidden)].map(
    (uuid) => `/api/imagestore/rep/image/${uuid}`,
  ),
  'GET /api/repository': ['/api/repository', '/api/repository?full=true'],
  'GET /api/repository/:name': ['/api/repository/rep'],
  'POST /api/repository/:name': [['/api/repository/rep', json({ url: 'http://127.0.0.1:1' })]],
  'PUT /api/repository/:name': [['/api/repository/rep', json({ every: 60 })]],
  'DELETE /api/repository/:name': ['/api/repository/none'],

  'GET /api/secret': ['/api/secret', '/api/secret?full=true', '/api/secret?search=hid', '/api/secret?dc=E1'],
  'GET /api/secret/:name': ['/api/secret/hid-secret', '/api/secret/hid-secret?dc=E1', '/api/secret/hid-secret?dc=D'],
  'POST /api/secret/:name': [
    ['/api/secret/hid-secret', json({ dc: 'E1', host: 'a.example', type: 'bearer', value: 'v' })],
    ['/api/secret/hid-secret', json({ dc: 'D', host: 'a.example', type: 'bearer', value: 'v' })],
    ['/api/secret/hid-secret', json({ host: 'a.example', type: 'bearer', value: 'v' })],
  ],
  'PUT /api/secret/:name': [
    ['/api/secret/hid-secret', json({ value: 'v' })],
    ['/api/secret/hid-secret', json({ dc: 'E1', value: 'v' })],
  ],
  'DELETE /api/secret/:name': ['/api/secret/hid-secret', '/api/secret/hid-secret?dc=E1', '/api/secret/hid-secret?dc=D'],

  'GET /api/upload': ['/api/upload', '/api/upload?full=true'],
  'POST /api/upload': [
    ...each((image) => ['/api/upload', { headers: tusHeaders(image) }]),
    ...eachName((image) => ['/api/upload', { headers: tusHeaders(image) }]),
    ['/api/upload', { headers: tusHeaders(MINE) }],
  ],
  'HEAD /api/upload/:id': [[`/api/upload/${hidden.upload}`, { headers: tusHeaders(MINE) }]],
  'PATCH /api/upload/:id': [[`/api/upload/${hidden.upload}`, { headers: tusHeaders(MINE), body: 'bytes' }]],
  'DELETE /api/upload/:id': [[`/api/upload/${hidden.upload}`, { headers: tusHeaders(MINE) }]],

  'GET /api/follow': ['/api/follow', '/api/follow?full=true'],
  'GET /api/follow/:name': ['/api/follow/hid-follow'],
  'POST /api/follow/:name': [['/api/follow/hid-follow', json({ repository: 'rep', dc: 'E1' })]],
  'PUT /api/follow/:name': [['/api/follow/hid-follow', json({ dc: 'E1' })]],
  'DELETE /api/follow/:name': [['/api/follow/hid-follow', json({})]],
  'POST /api/follow/:name/run': [['/api/follow/hid-follow/run', json({ dry_run: true })]],

  'GET /api/task/:id/callback': [`/api/task/${hidden.task}/callback`],
  'PUT /api/account/callback-key': [],
  'GET /api/webhook': ['/api/webhook', '/api/webhook?full=true', '/api/webhook?user=hid'],
  'GET /api/webhook/:name': ['/api/webhook/hid-hook', '/api/webhook/hid-hook?user=hid'],
  'POST /api/webhook/:name': [
    ['/api/webhook/hid-hook', json({ url: 'http://127.0.0.1:1', events: ['*'], dc: 'E1' })],
    ['/api/webhook/hid-hook', json({ url: 'http://127.0.0.1:1', events: ['*'], user: 'hid' })],
  ],
  'PUT /api/webhook/:name': [
    ['/api/webhook/hid-hook', json({ active: false })],
    ['/api/webhook/hid-hook', json({ active: false, user: 'hid' })],
  ],
  'DELETE /api/webhook/:name': ['/api/webhook/hid-hook', '/api/webhook/hid-hook?user=hid'],
  'GET /api/webhook/:name/delivery': ['/api/webhook/hid-hook/delivery', '/api/webhook/hid-hook/delivery?user=hid'],
  'POST /api/webhook/:name/ping': ['/api/webhook/hid-hook/ping', '/api/webhook/hid-hook/ping?user=hid'],

  'GET /api/vm': ['/api/vm', '/api/vm?full=true', '/api/vm?dc=E1', '/api/vm?search=hid'],
  'GET /api/vm/:uuid': [`/api/vm/${hidden.machine}`],
  'PUT /api/vm/:uuid': [
    ...each((image) => [
      `/api/vm/${numbered(40)}`,
      json({ hostname: 'new.example', dc: 'D', images: [{ disk: 1, image }] }),
    ]),
    [`/api/vm/${numbered(40)}`, json({ hostname: 'new.example', dc: 'E1', images: [] })],
    [`/api/vm/${numbered(40)}`, json({ hostname: 'new.example', dc: 'D', node: 'hid-node', images: [] })],
  ],
  'DELETE /api/vm/:uuid': [`/api/vm/${hidden.machine}`],
  'GET /api/vm/:vm/snapshot': [hidden.machine, 'hid.example', MACHINE].map((vm) => `/api/vm/${vm}/snapshot`),
  'POST /api/vm/:vm/snapshot/:snap': [hidden.machine, 'hid.example'].map((vm) => [
    `/api/vm/${vm}/snapshot/s`,
    json({}),
  ]),
  'DELETE /api/vm/:vm/snapshot/:snap': [hidden.machine, 'hid.example'].map((vm) => `/api/vm/${vm}/snapshot/s`),
  'POST /api/vm/:vm/snapshot/:snap/image/:name': [hidden.machine, 'hid.example'].flatMap((vm): Asked[] => [
    [`/api/vm/${vm}/snapshot/s/image/new`, json({})],
    [`/api/vm/${vm}/snapshot/s/image/hid-bound`, json({ take: true })],
    [`/api/vm/${vm}/snapshot/s/image/new`, json({ node: 'hid-node' })],
  ]),
  'GET /api/vm/:uuid/move': [`/api/vm/${hidden.machine}/move?dc=D`, `/api/vm/${MACHINE}/move?dc=E1`],

  'GET /api/node': ['/api/node', '/api/node?full=true'],
  'GET /api/node/:host': ['/api/node/hid-node'],
  'POST /api/node/:host': [['/api/node/hid-node', json({})]],
  'PUT /api/node/:host': [['/api/node/hid-node', json({ dcs: ['D'] })]],
  'DELETE /api/node/:host': ['/api/node/hid-node'],
  'PUT /api/node/:host/inventory': [['/api/node/hid-node/inventory', json({})]],
  'GET /api/node/:host/check': ['/api/node/hid-node/check'],
  'GET /api/node/:host/vm': ['/api/node/hid-node/vm', '/api/node/hid-node/vm?full=true'],
  'GET /api/node/:host/token': ['/api/node/hid-node/token'],
  'GET /api/node/:host/storage': ['/api/node/hid-node/storage', '/api/node/hid-node/storage?full=true'],
  'GET /api/node/:host/storage/:pool/image': ['/api/node/hid-node/storage/zones/image?extended=true'],
  'DELETE /api/node/:host/storage/:pool/image': [['/api/node/hid-node/storage/zones/image', json({})]],
  'GET /api/node/:host/storage/:pool/image/:name': eachName((name) => `/api/node/hid-node/storage/zones/image/${name}`),
  'POST /api/node/:host/storage/:pool/image/:name': eachName((name) => [
    `/api/node/hid-node/storage/zones/image/${name}`,
    json({}),
  ]),
  'DELETE /api/node/:host/storage/:pool/image/:name': eachName((name) => [
    `/api/node/hid-node/storage/zones/image/${name}`,
    json({}),
  ]),
  'GET /api/member': ['/api/member'],
  'GET /api/overview': ['/api/overview', '/api/overview?dc=D', '/api/overview?dc=E1'],
  'GET /api/overview/history': [
    ...eachSeries.map((what) => `/api/overview/history?what=${what}`),
    ...eachSeries.map((what) => `/api/overview/history?what=${what}&dc=D`),
    '/api/overview/history?what=images&dc=E1',
  ],
  'GET /api/nodekey': ['/api/nodekey', '/api/nodekey?from=10.0.0.1&jump'],
  'GET /api/nodesource': ['/api/nodesource', '/api/nodesource?full'],
  'GET /api/campaign': ['/api/campaign', '/api/campaign?full'],
  'GET /api/campaign/:name': ['/api/campaign/hid'],
  'POST /api/campaign/:name': each((image) => ['/api/campaign/new', json({ image, pool: 'zones' })]),
  'PUT /api/campaign/:name': [['/api/campaign/hid', json({ action: 'stop' })]],
  'DELETE /api/campaign/:name': ['/api/campaign/hid'],
  'PUT /api/node/:host/source': [['/api/node/hid-node/source', json({})]],
  'GET /api/node/:host/preflight/:name': [
    ...eachName((name) => `/api/node/hid-node/preflight/${name}`),
    `/api/node/hid-node/preflight/${COMMON}?pool=zones`,
  ],
  'POST /api/node/:host/token/:name': [['/api/node/hid-node/token/x', json({})]],
  'DELETE /api/node/:host/token/:name': ['/api/node/hid-node/token/test'],

  'GET /api/task': ['/api/task', '/api/task?full=true', '/api/task?dc=E1'],
  'GET /api/task/log': ['/api/task/log', '/api/task/log?dc=E1', '/api/task/log?object_name=hid-bound'],
  'GET /api/task/:id': [`/api/task/${hidden.task}`],
  'GET /api/task/:id/status': [`/api/task/${hidden.task}/status`],
  'PUT /api/task/:id/cancel': [`/api/task/${hidden.task}/cancel`],
  'GET /api/events': [],
  'GET /api/audit': [
    '/api/audit',
    '/api/audit?dc=E1',
    '/api/audit?object=hid-bound',
    `/api/audit?object=${hidden.bound}`,
  ],
  'GET /api/audit/export': ['/api/audit/export', '/api/audit/export?dc=E1'],
  'GET /api/audit/head': ['/api/audit/head'],
  'GET /api/backup': ['/api/backup'],
  'GET /api/migration': ['/api/migration'],
  'POST /api/migration': [['/api/migration', json({ config: '/nowhere' })]],
  'DELETE /api/migration': ['/api/migration'],

  'GET /api/token': ['/api/token', '/api/token?user=other'],
  'POST /api/token': [['/api/token', json({ name: 'new', dc: 'E1' })]],
  'GET /api/token/:name': ['/api/token/hid-token'],
  'POST /api/token/:name': [['/api/token/new', json({ dc: 'E1' })]],
  'DELETE /api/token/:name': ['/api/token/hid-token'],
};

/** Without examples above, and why: each is held by a test of its own. */
const elsewhere = {
  'GET /api/accounts/logout': 'ends the session of whoever asks',
  'GET /api/events': 'does not end: see "streams of events" below',
  'POST /api/bulk/image': 'answers by a task: see "many at once" below',
  'PUT /api/account/callback-key': 'answers with a new key, and asks for nothing',
};

test('every route has its examples', (t) => {
  const known = routes.map(({ method, path }) => `${method} ${path}`);
  const without = known.filter((route) => !(route in examples));
  t.deepEqual(without, [], 'a route without examples');
  const empty = known.filter((route) => examples[route]?.length === 0);
  t.deepEqual(empty.sort(), Object.keys(elsewhere).sort());
});

// Who asks

const everything = ['admin', 'image_admin', 'image_import_admin', 'share_public'] as const;
const users = {
  outsider: [],
  viewer: ['admin'],
  maker: ['admin', 'image_admin'],
  importer: everything,
} as const;

const callers = [...Object.keys(users), 'member', 'anonymous', 'node', 'limited'];

async function world(t: ExecutionContext, caller: string, { withHidden }: { withHidden: boolean }) {
  const server = await startServer(t, { now: () => new Date(NOW), channels });
  await addDatacenter(server, 'D');
  await addUser(server, 'other');
  const headers: Record<string, Record<string, string>> = { anonymous: {} };
  const self: Record<string, string> = {};
  for (const [name, permissions] of Object.entries({ ...users, member: [] })) {
    const user = await addUser(server, name);
    if (name !== 'outsider') await grant(server, user, 'D', ...permissions);
    headers[name] = user.headers;
    self[name] = user.uuid;
  }
  headers.node = await addNodeToken(server, 'node-of-d', ['D']);
  const root = await addUser(server, 'root', { superAdmin: true });
  headers.root = root.headers;
  self.root = root.uuid;
  self.limited = root.uuid;
  headers.limited = { authorization: 'Bearer limited' };
  const created = NOW;
  await server.deps.catalog.write((tx) =>
    tx.insert(tokens, { hash: hashToken('limited'), name: 'limited', user: root.uuid, created, dc: 'D' }),
  );
  await standing(server, MINE, { name: 'mine', datacenters: ['D'], boundTo: 'D' });
  await standing(server, COMMON, { name: 'common', datacenters: ['D'] });
  await takeSample({ ...server.deps, now: () => new Date(BEFORE) });
  const machine: Machine = { tags: [], state: 'active', created, changed: created };
  await server.deps.catalog.write((tx) =>
    tx.insert(vms, {
      ...machine,
      uuid: MACHINE,
      hostname: 'seen.example',
      datacenter: 'D',
      images: [{ disk: 1, image: COMMON }],
    }),
  );
  const listed = [MINE, COMMON, ...Object.values(hidden)].map((uuid) => ({ uuid, name: 'listed', type: 'other' }));
  await rememberRepository(server, { name: 'rep', url: 'http://127.0.0.1:1' }, listed);
  // Nodes see the internal images of the data centers that they serve.
  if (withHidden) await hide(server, machine, caller === 'node' ? 'E1' : 'D');
  const pulled = [COMMON, ...(withHidden ? [hidden.bound, hidden.shared, hidden.internal] : [])];
  for (const uuid of pulled) await server.ask('GET', `/images/${uuid}/file`, { as: 'admin' });
  await server.deps.audit.flush();
  await takeSample(server.deps);
  return { server, headers, self };
}

type Machine = Pick<Vm, 'tags' | 'state' | 'created' | 'changed'>;

const channels = [{ name: 'dev', description: '', default: true }];

async function standing(
  server: TestServer,
  uuid: string,
  change: Partial<Registration>,
  more: object = {},
  activate = true,
) {
  const { access = 'public' } = change;
  await importImage(
    server,
    { uuid, name: change.name ?? 'image', owner: ADMIN.uuid, ...more },
    { file: uuid, activate },
  );
  await place(server, uuid, { access, created: NOW, changed: NOW, ...change });
}

async function hide(server: TestServer, machine: Machine, internalIn: string) {
  const { catalog } = server.deps;
  await addDatacenter(server, 'E1');
  const ofE = { datacenters: ['E1'], boundTo: 'E1' };
  await standing(server, hidden.bound, { name: 'hid-bound', ...ofE });
  await standing(server, hidden.shared, { name: 'hid-shared', datacenters: ['E1'] });
  await standing(server, hidden.builtOnCommon, { name: 'hid-built', ...ofE }, { origin: COMMON });
  await standing(server, hidden.arriving, { name: 'hid-arriving', datacenters: ['E1'] }, {}, false);
  await standing(server, hidden.internal, { name: 'hid-internal', access: 'internal', datacenters: [internalIn] });
  await addNodeToken(server, 'hid-node', ['E1']);
  const created = NOW;
  const { uuid: other } = await addUser(server, 'hid');
  const begun = {
    what: 'bulk',
    who: { name: 'hid', uuid: other },
    datacenter: 'E1',
    objects: [{ kind: 'images', id: hidden.bound, name: 'hid-bound' }],
    result: [],
    created,
    params: {},
  };
  await catalog.write(async (tx) => {
    const group = { name: 'hid-group', alias: 'hid-group', permissions: [], members: [other], created };
    await tx.insert(groups, { ...group, datacenters: ['E1'] });
    await tx.insert(vms, {
      ...machine,
      uuid: hidden.machine,
      hostname: 'hid.example',
      datacenter: 'E1',
      images: [hidden.shared, hidden.bound].map((image, at) => ({ disk: at + 1, image })),
    });
    const hook = { owner: other, name: 'hid-hook', url: 'http://127.0.0.1:1', events: ['none.*'], active: false };
    await tx.insert(webhooks, { ...hook, sealed: '', created });
    const secret = { name: 'hid-secret', datacenter: 'E1', host: 'hid.example', type: 'bearer' as const, sealed: '' };
    await tx.insert(secrets, { ...secret, created, changed: created });
    await tx.insert(uploads, {
      id: hidden.upload,
      user: other,
      image: hidden.arriving,
      size: 5,
      sha256: 'a'.repeat(64),
      compression: 'none',
      metadata: '',
      key: 'f'.repeat(32),
      created,
      expires: '2031-01-02T03:04:05.678Z',
    });
    await tx.insert(tokens, { hash: hashToken('hid'), name: 'hid-token', user: other, created });
    const task = { ...begun, id: hidden.task, status: 'SUCCESS' as const, finished: created };
    await tx.insert(tasks, task);
    await tx.insert(tasks, { ...task, id: hidden.job, what: 'import', params: { steps: [] } });
    await tx.insert(tasks, { ...begun, id: hidden.failure, status: 'STARTED' });
  });
  await catalog.write((tx) =>
    tx.replace(tasks, { ...begun, id: hidden.failure, status: 'FAILURE', finished: created }),
  );
}

const CHANGING = new Set(['date', 'x-request-id', 'x-response-time', 'es_task_id']);

/** An answer without what no two answers have in common: uuids and hashes that were made for it, and tags of records. */
function comparable({ status, headers, bytes }: Answer) {
  const known = new Set([...Array(50).keys()].map((n) => numbered(n)));
  const text = bytes
    .toString()
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, (uuid) =>
      known.has(uuid) ? uuid : 'UUID',
    );
  const told = text.replace(/\\"[\w-]{22}\\"/g, 'TAG');
  const isNew = text !== bytes.toString();
  const kept = Object.entries(headers)
    .filter(([name]) => !CHANGING.has(name) && !(isNew && name === 'etag'))
    .map(([name, value]) => [name, name === 'etag' ? String(value).replace(/^"[\w-]{22}"$/, 'TAG') : value]);
  return { status, headers: Object.fromEntries(kept), text: told };
}

type World = Awaited<ReturnType<typeof world>>;

/** All that the two servers answer differently. */
async function differences(t: ExecutionContext, caller: string): Promise<object[]> {
  const full = await world(t, caller, { withHidden: true });
  const bare = await world(t, caller, { withHidden: false });
  const found: object[] = [];
  for (const { method, path: route } of routes) {
    for (const example of examples[`${method} ${route}`] ?? []) {
      const [path, options] = typeof example === 'string' ? [example, {}] : example;
      const ask = ({ server, headers, self }: World) =>
        server.ask(method, path.replace('SELFNAME', caller).replace('SELF', self[caller] ?? numbered(8)), {
          ...options,
          headers: { ...options.headers, ...headers[caller] },
          as: 'anonymous',
        });
      const [there, absent] = [comparable(await ask(full)), comparable(await ask(bare))];
      if (!isDeepStrictEqual(there, absent)) found.push({ asked: `${method} ${path}`, options, there, absent });
    }
  }
  return found;
}

for (const caller of callers) {
  test(`to ${caller}, what is hidden is absent`, async (t) => t.deepEqual(await differences(t, caller), []));
}

test('to whom nothing is hidden, the servers differ', async (t) => {
  t.true((await differences(t, 'root')).length > 100);
});

test('streams of events tell of what is seen, and of nothing else', async (t) => {
  const { server, headers } = await world(t, 'viewer', { withHidden: true });
  let heard = '';
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = get({ port: server.port, path: '/api/events', headers: headers.viewer, agent: false }, resolve);
    asked.once('error', reject);
  });
  for (const image of ['hid-bound', 'hid-shared', 'hid-built', 'hid-internal']) {
    const told = await server.ask('PUT', `/api/image/${image}`, { body: { desc: 'hid-change' } });
    t.is(told.status, 200, image);
  }
  await server.ask('PUT', '/api/dc/E1', { body: { description: 'hid-change' } });
  await server.ask('PUT', '/api/image/mine', { body: { alias: 'seen-at-last' } });
  for await (const chunk of response) {
    heard += chunk;
    if (heard.includes('mine')) break;
  }
  t.notRegex(heard, /hid-|E1|hid\./);
});

test('many at once: each hidden image is told of like an absent one', async (t) => {
  const rows: string[] = [];
  for (const withHidden of [true, false]) {
    const { server, headers } = await world(t, 'maker', { withHidden });
    const body = { action: 'label', label: 'red', images: ['mine', ...NAMES, hidden.bound, hidden.internal] };
    const answer = await server.ask('POST', '/api/bulk/image', {
      body,
      headers: { ...headers.maker, 'es-stream': 'es' },
    });
    t.is(answer.status, 201);
    const told = answer.bytes.toString();
    rows.push(told.replace(/"task_id": ?"[^"]*"/, ''));
    t.regex(told, /mine/);
  }
  t.is(rows[0], rows[1]);
});

test('that a uuid is taken is told to whoever imports it, but by what only to those who see it', async (t) => {
  const { server, headers } = await world(t, 'importer', { withHidden: true });
  const importing = (uuid: string) =>
    server.ask('POST', `/images/${uuid}?action=import`, {
      body: manifest({ v: 2, uuid }),
      headers: headers.importer ?? {},
    });
  for (const uuid of [hidden.bound, hidden.shared, hidden.arriving, hidden.internal]) {
    const { status, json } = await importing(uuid);
    t.is(status, 409);
    t.is(json.message, `uuid ${uuid} is already registered; a SuperAdmin can attach its image`);
  }
  for (const [uuid, name] of [
    [MINE, 'mine'],
    [COMMON, 'common'],
  ] as const) {
    const { status, json } = await importing(uuid);
    t.is(status, 409);
    t.regex(json.message ?? '', new RegExp(`: ${name} 1.0.0$`));
  }
});

test('an image that is announced in one data center is not filled from another', async (t) => {
  const { server, headers } = await world(t, 'importer', { withHidden: true });
  for (const uuid of [hidden.bound, hidden.shared]) {
    await place(server, uuid, {}, { state: 'creating', activated: false, files: [] });
    const before = await server.stored(uuid);
    const body = manifest({ v: 2, uuid });
    const { status } = await server.ask('POST', `/images/${uuid}?action=import`, {
      body,
      headers: headers.importer ?? {},
    });
    t.is(status, 409);
    t.deepEqual(await server.stored(uuid), before);
  }
});

test('what stands in the way of deleting is counted, and named only as far as it is seen', async (t) => {
  const { server, headers } = await world(t, 'maker', { withHidden: true });
  await importImage(server, { uuid: numbered(21), owner: ADMIN.uuid, origin: MINE });
  await place(server, numbered(21), { datacenters: ['E1'], boundTo: 'E1' });
  const { status, json } = await server.ask('DELETE', `/images/${MINE}`, { headers: headers.maker ?? {} });
  t.is(status, 422);
  t.is(json.message, `image ${MINE} is the origin of 1 others`);
});
