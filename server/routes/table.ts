import type { Policy } from '../deps.js';
import { modeLaw } from '../model/modes.js';
import * as account from './api/account.js';
import * as accounts from './api/accounts.js';
import * as audit from './api/audit.js';
import * as backup from './api/backup.js';
import * as bulk from './api/bulk.js';
import * as bundles from './api/bundles.js';
import * as campaigns from './api/campaigns.js';
import { unchecked } from './api/check-only.js';
import { copy } from './api/copy.js';
import * as datacenterImages from './api/datacenter-images.js';
import * as datacenters from './api/datacenters.js';
import { docsPageEndpoint } from './api/docs-page.js';
import { type Endpoint, noBody } from './api/endpoint.js';
import * as events from './api/events.js';
import * as follows from './api/follows.js';
import * as groups from './api/groups.js';
import * as reading from './api/image-reading.js';
import * as managed from './api/images.js';
import * as imagestore from './api/imagestore.js';
import * as imports from './api/imports.js';
import * as inventory from './api/inventory.js';
import * as manifest from './api/manifest.js';
import * as members from './api/members.js';
import * as migration from './api/migration.js';
import * as nodeKey from './api/node-key.js';
import * as nodeSources from './api/node-sources.js';
import * as nodeStorage from './api/node-storage.js';
import * as nodes from './api/nodes.js';
import { openApiEndpoint } from './api/openapi.js';
import * as overview from './api/overview.js';
import * as picker from './api/picker.js';
import * as preflight from './api/preflight.js';
import * as registries from './api/registries.js';
import * as repositories from './api/repositories.js';
import * as secrets from './api/secrets.js';
import * as session from './api/session.js';
import * as sessionWays from './api/session-ways.js';
import * as settings from './api/settings.js';
import * as snapshots from './api/snapshots.js';
import { untagged } from './api/tags.js';
import * as tasks from './api/tasks.js';
import * as tokens from './api/tokens.js';
import * as partwise from './api/uploads.js';
import * as users from './api/users.js';
import * as vms from './api/vms.js';
import * as webhooks from './api/webhooks.js';
import { getHealth, getReadiness } from './health.js';
import { changeImageAcl } from './imgapi/acl.js';
import { actOnImage } from './imgapi/actions.js';
import { cloneImage } from './imgapi/clone.js';
import { createImage } from './imgapi/create.js';
import { getDataset, listDatasets } from './imgapi/datasets.js';
import { addImageFile, addImageFileFromUrl, getImageFile } from './imgapi/files.js';
import { addImageIcon, deleteImageIcon, getImageIcon } from './imgapi/icons.js';
import { deleteImage, getImage, listImages } from './imgapi/images.js';
import { getJob, listImageJobs } from './imgapi/jobs.js';
import { pushDockerImage } from './imgapi/push.js';
import { getState, listChannels, ping, reloadAuthKeys, updateState } from './imgapi/status.js';
import { getMetrics, sendMetrics } from './metrics.js';
import * as openid from './openid.js';
import type { Handler, Route } from './route.js';

type Traits = Partial<Pick<Route, 'auth'>> &
  Pick<Route, 'when' | 'changes' | 'fromElsewhere' | 'need' | 'moves' | 'logLevel' | 'whileOut'>;

const hasChannels: Traits = { when: ({ channels }: Policy) => channels.length > 0 };
const clones: Traits = { when: ({ mode }: Policy) => modeLaw[mode].clones };
const uploads: Traits = { moves: 'upload' };
const downloads: Traits = { moves: 'download' };
const whileOut: Traits = { whileOut: true };
const quiet: Traits = { logLevel: 'debug', ...whileOut };
const fleet: Traits = { when: ({ mode }: Policy) => modeLaw[mode].fleet };
const administers: Traits = { need: 'admin' };
/** Whoever asks is about to prove who it is. */
const toEverybody: Traits = { auth: 'open' };
const changes: Traits = { changes: true };
/** Another site sends a browser there, which proves by itself what it has begun. */
const comesBack: Traits = { ...changes, fromElsewhere: true };
const rules: Traits = { ...fleet, ...administers };
const scrape: Traits = { need: 'metrics', logLevel: 'debug' };

const row = (
  method: Route['method'],
  path: string,
  name: string,
  auth: Route['auth'],
  body: 'json' | '-',
  handler: Handler,
  traits: Traits = {},
): Route => ({ method, path, name, auth, body: body === 'json', handler, ...traits });

/** The management API asks everybody for credentials. */
const api = (
  method: Route['method'],
  path: string,
  { description, handler: own }: Endpoint,
  traits: Traits = {},
): Route => {
  const { name, body, tagged, checkable } = description;
  const held = tagged ? own : untagged(description, own);
  const handler = checkable ? held : unchecked(description, held);
  return { method, path, name, auth: 'credentials', body: body !== noBody, description, handler, ...traits };
};

/** Every route of the server. */
// biome-ignore format: a table is read down its columns
export const routes: Route[] = [
  row('GET',    '/ping',                       'Ping',                'passive', '-',    ping, whileOut),
  row('GET',    '/state',                      'AdminGetState',       'strict',  '-',    getState),
  row('POST',   '/state',                      'AdminUpdateState',    'strict',  '-',    updateState),
  row('POST',   '/authkeys/reload',            'AdminReloadAuthKeys', 'strict',  '-',    reloadAuthKeys),
  row('GET',    '/channels',                   'ListChannels',        'passive', '-',    listChannels, hasChannels),

  row('GET',    '/images',                     'ListImages',          'passive', '-',    listImages),
  row('POST',   '/images',                     'CreateImage',         'strict',  'json', createImage),
  row('GET',    '/images/:uuid',               'GetImage',            'passive', '-',    getImage),
  row('POST',   '/images/:uuid',               'ActOnImage',          'strict',  'json', actOnImage),
  row('DELETE', '/images/:uuid',               'DeleteImage',         'strict',  '-',    deleteImage),
  row('GET',    '/images/:uuid/file',          'GetImageFile',        'lenient', '-',    getImageFile, downloads),
  row('PUT',    '/images/:uuid/file',          'AddImageFile',        'strict',  '-',    addImageFile, uploads),
  row('POST',   '/images/:uuid/file/from-url', 'AddImageFileFromUrl', 'strict',  'json', addImageFileFromUrl),
  row('GET',    '/images/:uuid/icon',          'GetImageIcon',        'lenient', '-',    getImageIcon, downloads),
  row('PUT',    '/images/:uuid/icon',          'AddImageIcon',        'strict',  '-',    addImageIcon, uploads),
  row('DELETE', '/images/:uuid/icon',          'DeleteImageIcon',     'strict',  '-',    deleteImageIcon),
  row('POST',   '/images/:uuid/acl',           'ChangeImageAcl',      'strict',  'json', changeImageAcl),
  row('POST',   '/images/:uuid/clone',         'CloneImage',          'strict',  '-',    cloneImage, clones),
  row('POST',   '/images/:uuid/push',          'PushDockerImage',     'strict',  'json', pushDockerImage),
  row('GET',    '/images/:uuid/jobs',          'ListImageJobs',       'lenient', '-',    listImageJobs),

  row('GET',    '/jobs/:uuid',                 'GetJob',              'lenient', '-',    getJob),

  row('GET',    '/datasets',                   'ListDatasets',        'lenient', '-',    listDatasets),
  row('GET',    '/datasets/:urn',              'GetDataset',          'lenient', '-',    getDataset),
  row('GET',    '/datasets/:uuid/file',        'GetDatasetFile',      'lenient', '-',    getImageFile, downloads),

  row('GET',    '/healthz',                    'GetHealth',           'open',    '-',    getHealth, quiet),
  row('GET',    '/readyz',                     'GetReadiness',        'open',    '-',    getReadiness, quiet),
  row('GET',    '/metrics',                    'GetMetrics',          'strict',  '-',    getMetrics, scrape),

  row('GET',    '/console/openid/start',       'StartOpenIdSignIn',   'open',    '-',    openid.start),
  row('GET',    '/console/openid/callback',    'FinishOpenIdSignIn',  'open',    '-',    openid.callback, comesBack),

  api('GET',    '/api/openapi.json',   openApiEndpoint(() => routes)),
  api('GET',    '/api/docs',           docsPageEndpoint(() => routes)),
  api('POST',   '/api/accounts/login',              accounts.login,       toEverybody),
  api('GET',    '/api/accounts/logout',             accounts.logout,      changes),
  api('POST',   '/api/session',                     session.open,        toEverybody),
  api('DELETE', '/api/session',                     session.close,       toEverybody),
  api('GET',    '/api/session/ways',                sessionWays.show,    toEverybody),
  api('GET',    '/api/account',                     account.show),
  api('PUT',    '/api/account/callback-key',        webhooks.callbackKey),
  api('GET',    '/api/user',                        users.list),
  api('GET',    '/api/user/:name',                  users.show),
  api('POST',   '/api/user/:name',                  users.create,         administers),
  api('PUT',    '/api/user/:name',                  users.update,         administers),
  api('DELETE', '/api/user/:name',                  users.remove,         administers),
  api('GET',    '/api/user/:name/key',              users.listKeys),
  api('POST',   '/api/user/:name/key/:title',       users.addKey,         administers),
  api('DELETE', '/api/user/:name/key/:title',       users.removeKey,      administers),
  api('GET',    '/api/user/:name/session',          users.sessions),
  api('DELETE', '/api/user/:name/session',          users.endAllSessions, administers),
  api('DELETE', '/api/user/:name/session/:id',      users.endSession,     administers),

  api('GET',    '/api/group',                       groups.list,          fleet),
  api('GET',    '/api/group/:name',                 groups.show,          fleet),
  api('POST',   '/api/group/:name',                 groups.create,        rules),
  api('PUT',    '/api/group/:name',                 groups.update,        rules),
  api('DELETE', '/api/group/:name',                 groups.remove,        rules),

  api('GET',    '/api/dc',                          datacenters.list,     fleet),
  api('GET',    '/api/dc/:dc',                      datacenters.show,     fleet),
  api('POST',   '/api/dc/:dc',                      datacenters.create,   rules),
  api('PUT',    '/api/dc/:dc',                      datacenters.update,   rules),
  api('DELETE', '/api/dc/:dc',                      datacenters.remove,   rules),
  api('GET',    '/api/dc/:dc/group',                groups.listAttached,  fleet),
  api('GET',    '/api/dc/:dc/group/:name',          groups.showAttached,  fleet),
  api('POST',   '/api/dc/:dc/group/:name',          groups.attach,        rules),
  api('DELETE', '/api/dc/:dc/group/:name',          groups.detach,        rules),
  api('GET',    '/api/dc/:dc/settings',             settings.show,        fleet),
  api('PUT',    '/api/dc/:dc/settings',             settings.update,      rules),

  api('GET',    '/api/dc/:dc/image',                datacenterImages.list,   fleet),
  api('GET',    '/api/dc/:dc/image/:name',          datacenterImages.show,   fleet),
  api('POST',   '/api/dc/:dc/image/:name',          datacenterImages.attach, fleet),
  api('DELETE', '/api/dc/:dc/image/:name',          datacenterImages.detach, fleet),
  api('GET',    '/api/dc/:dc/picker',               picker.pick,             fleet),

  api('GET',    '/api/image',                       managed.list,         fleet),
  api('GET',    '/api/image/:name',                 managed.show,         fleet),
  api('POST',   '/api/image/:name',                 managed.create,       fleet),
  api('PUT',    '/api/image/:name',                 managed.update,       fleet),
  api('DELETE', '/api/image/:name',                 managed.remove,       fleet),
  api('GET',    '/api/image/:name/vm',              vms.ofImage,          fleet),
  api('GET',    '/api/image/:name/lineage',         reading.lineage,      fleet),
  api('GET',    '/api/image/:name/manifest',        reading.manifest,     fleet),
  api('GET',    '/api/image/:name/file',            reading.file,         { ...fleet, ...downloads }),
  api('GET',    '/api/image/:name/export',          bundles.exported,     { ...fleet, ...downloads }),
  api('POST',   '/api/bundle',                      bundles.imported,     { ...fleet, ...uploads }),
  api('PUT',    '/api/image/:name/activate',        managed.activate,     fleet),
  api('PUT',    '/api/image/:name/deprecate',       managed.deprecate,    fleet),
  api('DELETE', '/api/image/:name/deprecate',       managed.undeprecate,  fleet),
  api('POST',   '/api/image/:name/copy',            copy,                   fleet),
  api('POST',   '/api/manifest',                    manifest.read,        fleet),
  api('POST',   '/api/bulk/image',                  bulk.images,          fleet),

  api('GET',    '/api/imagestore',                  imagestore.list,        fleet),
  api('PUT',    '/api/imagestore',                  imagestore.refreshEach, fleet),
  api('GET',    '/api/imagestore/:repo',            imagestore.show,        fleet),
  api('PUT',    '/api/imagestore/:repo',            imagestore.refresh,     fleet),
  api('GET',    '/api/imagestore/:repo/image',      imagestore.images,      fleet),
  api('GET',    '/api/imagestore/:repo/image/:uuid', imagestore.showImage,  fleet),
  api('POST',   '/api/imagestore/:repo/image/:uuid', imports.fromRepository, fleet),
  api('GET',    '/api/repository',                  repositories.list,    fleet),
  api('GET',    '/api/repository/:name',            repositories.show,    fleet),
  api('POST',   '/api/repository/:name',            repositories.create,  rules),
  api('PUT',    '/api/repository/:name',            repositories.update,  rules),
  api('DELETE', '/api/repository/:name',            repositories.remove,  rules),
  api('GET',    '/api/follow',                      follows.list,         fleet),
  api('GET',    '/api/follow/:name',                follows.show,         fleet),
  api('POST',   '/api/follow/:name',                follows.create,       rules),
  api('PUT',    '/api/follow/:name',                follows.update,       rules),
  api('DELETE', '/api/follow/:name',                follows.remove,       rules),
  api('POST',   '/api/follow/:name/run',            follows.run,          rules),

  api('GET',    '/api/secret',                      secrets.list,         fleet),
  api('GET',    '/api/secret/:name',                secrets.show,         fleet),
  api('POST',   '/api/secret/:name',                secrets.create,       fleet),
  api('PUT',    '/api/secret/:name',                secrets.update,       fleet),
  api('DELETE', '/api/secret/:name',                secrets.remove,       fleet),

  api('GET',    '/api/upload',                      partwise.list),
  api('POST',   '/api/upload',                      partwise.create,      uploads),
  api('HEAD',   '/api/upload/:id',                  partwise.stand),
  api('PATCH',  '/api/upload/:id',                  partwise.append,      uploads),
  api('DELETE', '/api/upload/:id',                  partwise.terminate),

  api('POST',   '/api/registry/docker',             registries.docker,        fleet),
  api('POST',   '/api/registry/lxd',                registries.lxd,           fleet),

  api('GET',    '/api/vm',                          vms.list,             fleet),
  api('GET',    '/api/vm/:uuid',                    vms.show,             fleet),
  api('PUT',    '/api/vm/:uuid',                    vms.register,         fleet),
  api('DELETE', '/api/vm/:uuid',                    vms.forget,           fleet),
  api('GET',    '/api/vm/:uuid/move',               vms.move,             fleet),
  api('GET',    '/api/vm/:vm/snapshot',             snapshots.list,       fleet),
  api('POST',   '/api/vm/:vm/snapshot/:snap',       snapshots.take,       fleet),
  api('DELETE', '/api/vm/:vm/snapshot/:snap',       snapshots.remove,     fleet),
  api('POST',   '/api/vm/:vm/snapshot/:snap/image/:name', snapshots.create, fleet),

  api('GET',    '/api/node',                        nodes.list,           fleet),
  api('GET',    '/api/node/:host',                  nodes.show,           fleet),
  api('POST',   '/api/node/:host',                  nodes.create,         rules),
  api('PUT',    '/api/node/:host',                  nodes.update,         rules),
  api('DELETE', '/api/node/:host',                  nodes.remove,         rules),
  api('PUT',    '/api/node/:host/inventory',        inventory.take,       rules),
  api('GET',    '/api/node/:host/check',            inventory.look,       fleet),
  api('GET',    '/api/node/:host/vm',               inventory.machines,   fleet),
  api('GET',    '/api/node/:host/token',            nodes.listTokens,     fleet),
  api('POST',   '/api/node/:host/token/:name',      nodes.createToken,    rules),
  api('DELETE', '/api/node/:host/token/:name',      nodes.revokeToken,    rules),
  api('GET',    '/api/node/:host/storage',                   nodeStorage.pools,  fleet),
  api('GET',    '/api/node/:host/storage/:pool/image',       nodeStorage.images, fleet),
  api('DELETE', '/api/node/:host/storage/:pool/image',       nodeStorage.clean,  fleet),
  api('GET',    '/api/node/:host/storage/:pool/image/:name', nodeStorage.show,   fleet),
  api('POST',   '/api/node/:host/storage/:pool/image/:name', nodeStorage.pull,   fleet),
  api('DELETE', '/api/node/:host/storage/:pool/image/:name', nodeStorage.remove, fleet),
  api('GET',    '/api/nodekey',                     nodeKey.show,         fleet),
  api('GET',    '/api/nodesource',                  nodeSources.list,     fleet),
  api('PUT',    '/api/node/:host/source',           nodeSources.push,     fleet),
  api('GET',    '/api/node/:host/preflight/:name', preflight.show,       fleet),

  api('GET',    '/api/campaign',                    campaigns.list,       fleet),
  api('GET',    '/api/campaign/:name',              campaigns.show,       fleet),
  api('POST',   '/api/campaign/:name',              campaigns.create,     fleet),
  api('PUT',    '/api/campaign/:name',              campaigns.change,     fleet),
  api('DELETE', '/api/campaign/:name',              campaigns.remove,     fleet),

  api('GET',    '/api/task',                        tasks.list),
  api('GET',    '/api/task/log',                    tasks.log),
  api('GET',    '/api/task/:id',                    tasks.show),
  api('GET',    '/api/task/:id/callback',           webhooks.callback),
  api('GET',    '/api/task/:id/status',             tasks.poll),
  api('PUT',    '/api/task/:id/cancel',             tasks.cancel),
  api('GET',    '/api/backup',                      backup.whole,         { ...downloads, ...administers }),
  api('GET',    '/api/member',                      members.list),
  api('GET',    '/api/overview',                    overview.show),
  api('GET',    '/api/overview/history',            overview.history),
  api('GET',    '/api/migration',                   migration.show),
  api('POST',   '/api/migration',                   migration.start,      administers),
  api('DELETE', '/api/migration',                   migration.abort,      administers),
  api('GET',    '/api/events',                      events.follow),
  api('GET',    '/api/webhook',                     webhooks.list),
  api('GET',    '/api/webhook/:name',               webhooks.show),
  api('POST',   '/api/webhook/:name',               webhooks.create),
  api('PUT',    '/api/webhook/:name',               webhooks.update),
  api('DELETE', '/api/webhook/:name',               webhooks.remove),
  api('GET',    '/api/webhook/:name/delivery',      webhooks.deliveries),
  api('POST',   '/api/webhook/:name/ping',          webhooks.ping),
  api('GET',    '/api/audit',                       audit.search),
  api('GET',    '/api/audit/export',                audit.exported),
  api('GET',    '/api/audit/head',                  audit.heads),

  api('GET',    '/api/token',          tokens.list),
  api('POST',   '/api/token',          tokens.create),
  api('GET',    '/api/token/:name',    tokens.show),
  api('POST',   '/api/token/:name',    tokens.createNamed),
  api('DELETE', '/api/token/:name',    tokens.revoke),
];

/** What the metrics listener serves, to whoever reaches it, and nothing else. */
// biome-ignore format: a table is read down its columns
export const monitoring: Route[] = [
  row('GET',    '/healthz',                    'GetHealth',           'open',    '-',    getHealth, quiet),
  row('GET',    '/readyz',                     'GetReadiness',        'open',    '-',    getReadiness, quiet),
  row('GET',    '/metrics',                    'GetMetrics',          'open',    '-',    sendMetrics, quiet),
];
