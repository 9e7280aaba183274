import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns';
import { connect, type LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';
import { pino } from 'pino';
import type { Image, Mode } from '../../imgapi/image.js';
import { createApp } from '../../server/app.js';
import { Audit } from '../../server/audit/audit.js';
import { type EventLimits, EventStreams } from '../../server/audit/event-streams.js';
import { AuditKey } from '../../server/audit/key.js';
import { type KeyringOptions, openKeyring } from '../../server/auth/keyring.js';
import { LoginThrottle } from '../../server/auth/login-throttle.js';
import { SeenSignatures } from '../../server/auth/seen-signatures.js';
import type { Deps, Policy } from '../../server/deps.js';
import { HttpServer } from '../../server/http-server.js';
import { makeKey, type NodeKey } from '../../server/hypervisors/node-key.js';
import { openHypervisors } from '../../server/hypervisors/open.js';
import type { SshLimits } from '../../server/hypervisors/ssh.js';
import { openKernel } from '../../server/kernel.js';
import { Metrics } from '../../server/metrics/instruments.js';
import { measuredBlobs } from '../../server/metrics/measured-blobs.js';
import { measuredCatalog } from '../../server/metrics/measured-catalog.js';
import { watchServer } from '../../server/metrics/watch-server.js';
import { occasionOfTask, SYSTEM } from '../../server/model/audit.js';
import { images } from '../../server/model/image.js';
import { nodes } from '../../server/model/node.js';
import { recordTags } from '../../server/model/record-tag.js';
import type { Task } from '../../server/model/task.js';
import { hashToken, tokens } from '../../server/model/token.js';
import { ADMIN, users } from '../../server/model/user.js';
import { type IssuerOptions, openIssuer } from '../../server/openid/issuer.js';
import { nothingBeside } from '../../server/operations/beside.js';
import { openCopies } from '../../server/operations/copies.js';
import { Directory } from '../../server/operations/directory.js';
import { enrolKeyUsers } from '../../server/operations/enrol-key-users.js';
import { ensureMain } from '../../server/operations/ensure-main.js';
import { openFleet } from '../../server/operations/fleet.js';
import { ImportsUnderWay } from '../../server/operations/imports-under-way.js';
import { openListing } from '../../server/operations/listing.js';
import { Manifests } from '../../server/operations/manifests.js';
import { noMigration } from '../../server/operations/migration.js';
import { NodeBook, type NodeLimits } from '../../server/operations/node-book.js';
import { type NodePatience, NodeWork } from '../../server/operations/node-work.js';
import { pinHostKey } from '../../server/operations/pin-host-key.js';
import { type RefreshLimits, RepositoryBook } from '../../server/operations/repository-book.js';
import { Reservations } from '../../server/operations/reservations.js';
import { SampleBook } from '../../server/operations/sample-book.js';
import { TokenUses } from '../../server/operations/token-uses.js';
import { TransfersNow } from '../../server/operations/transfers-now.js';
import { reopenUploads } from '../../server/operations/upload-turns.js';
import { UploadsUnderWay } from '../../server/operations/uploads-under-way.js';
import { Outgoing, type OutgoingOptions } from '../../server/outgoing/outgoing.js';
import { Vault } from '../../server/outgoing/vault.js';
import { Readiness } from '../../server/readiness.js';
import { Seals } from '../../server/sealing/seals.js';
import { nodeLanes, performing, taskKinds } from '../../server/tasks/kinds.js';
import { TaskRunner } from '../../server/tasks/runner.js';
import { watchFiles } from '../../server/watch-files.js';
import { CallbackSender } from '../../server/webhooks/callback-sender.js';
import { type WebhookLimits, WebhookSender } from '../../server/webhooks/webhook-sender.js';
import { Bandwidth } from '../../storage/bandwidth.js';
import type { BlobStore } from '../../storage/blobs.js';
import type { Catalog } from '../../storage/catalog.js';
import type { Space } from '../../storage/space.js';
import { type Answer, type Ask, asker, type Wire } from './ask.js';
import { checkDescribed } from './described.js';
import { ownBlobs, ownCatalog } from './engines.js';

export type { Answer, Ask, Wire };

export interface TestServer {
  url: string;
  port: number;
  token: string;
  deps: Deps;
  /** Path as it goes over the wire, without any normalization. */
  ask(method: string, path: string, options?: Ask): Promise<Answer>;
  /**
   * A whole request, letter by letter; resolves with everything that came back until the server closed. Unless it waits,
   * as it does with a request that says it is the last, it hangs up behind the request.
   */
  raw(request: string, options?: { waits?: boolean }): Promise<string>;
  /** An image as a client makes it: created, with its file, activated unless told otherwise. */
  image(manifest?: Record<string, unknown>, options?: { file?: string | null; activate?: boolean }): Promise<Wire>;
  /** The stored record, as no client sees it. */
  stored(uuid: string): Promise<Image | undefined>;
  close(): Promise<void>;
}

export interface ServerOptions extends Partial<Policy> {
  /** One of its own unless it is shared with others. */
  secretsKey?: Buffer;
  /** By what the server asks the issuer of the policy. */
  openidClient?: Pick<IssuerOptions, 'client' | 'secret'> & Partial<Pick<IssuerOptions, 'scopes' | 'patience'>>;
  trusts?: Deps['trusts'];
  isProxy?: Deps['isProxy'];
  now?: Deps['now'];
  log?: Deps['log'];
  /** What the keyring is opened with: there are no keys unless they are given. */
  keys?: Partial<Pick<KeyringOptions, 'authKeys' | 'directory'>>;
  catalog?: Catalog;
  blobs?: BlobStore;
  kernel?: Deps['kernel'];
  console?: Deps['console'];
  space?: () => Promise<Space>;
  /** Instead of the server's own. */
  kinds?: typeof taskKinds;
  eventLimits?: EventLimits;
  /** How it asks others. Everybody may have it ask loopback unless something else is said. */
  outgoing?: Partial<OutgoingOptions>;
  /** When what was not taken is told again. */
  callbackPauses?: readonly number[];
  webhookLimits?: WebhookLimits;
  /** Of imports, in bytes a second. */
  bandwidth?: number;
  importsAtOnce?: number;
  snapshotsAtOnce?: number;
  /** With sources; they are tried again at once unless told otherwise. */
  patience?: ImportsUnderWay['patience'];
  refreshLimits?: Partial<RefreshLimits>;
  /** With nodes; those that are lost are tried again at once unless told otherwise. */
  nodePatience?: Partial<NodePatience>;
  /** What proves it to nodes. */
  nodeKey?: NodeKey;
  /** Of inventories, and of what waits for nodes. */
  nodeLimits?: NodeLimits;
  sshLimits?: Partial<SshLimits>;
  /** The socket of the agent beside it. */
  agent?: string;
}

const defaults: Policy = {
  mode: 'dc',
  channels: [],
  authType: 'signature',
  serverName: 'imgapi/0.0.0-test',
  version: '0.0.0-test',
  maxFileSize: 20 * 1024 ** 3,
  maxIconSize: 128 * 1024,
  maxBodySize: 1024 ** 2,
  requestsPerMinute: 0,
  hostNames: [],
  publicUrl: undefined,
  trustedProxies: [],
  certificateHeader: undefined,
  sessionLifetime: 43_200,
  openid: undefined,
  blobGrace: 3600,
  datacenters: {},
  uploadLifetime: 86_400,
  auditDays: 0,
  registries: { insecure: [], lxd: {}, patience: 15_000, pauses: [] },
  zstdImages: false,
  snapshots: { silence: 30_000, pauses: [1, 1] },
};

const PATIENCE: ImportsUnderWay['patience'] = { pauses: [1, 1, 1] };

/** Milliseconds that stores, nodes, repositories and issuers have to show that they are there, on a machine that tests keep busy. */
const PATIENT = 60_000;

/** Whatever a test asks for: nobody outside of this machine is asked. */
const onlyHere: LookupFunction = (host, options, callback) => {
  if (host === 'localhost') lookup(host, options, callback);
  else callback(Object.assign(new Error(`${host} is not known to tests`), { code: 'ENOTFOUND' }), []);
};

/** The real server on the stores of this run, memory unless told otherwise, on a free port of loopback; gone when the test ends. */
export async function startServer(t: ExecutionContext, options: ServerOptions = {}): Promise<TestServer> {
  const server = await openServer(options);
  t.teardown(() => server.close());
  return server;
}

export async function openServer(options: ServerOptions = {}): Promise<TestServer> {
  const {
    trusts,
    isProxy = () => false,
    now = () => new Date(),
    keys = {},
    log = pino({ level: 'silent' }),
    kernel = await openKernel(),
    console,
    space = async () => ({ free: 1024 ** 4, size: 2 * 1024 ** 4 }),
    catalog: givenCatalog,
    blobs: givenBlobs,
    kinds = taskKinds,
    eventLimits,
    outgoing: ways = {},
    callbackPauses,
    webhookLimits,
    bandwidth = 0,
    importsAtOnce = 4,
    snapshotsAtOnce = 4,
    patience = PATIENCE,
    refreshLimits,
    nodePatience = { pauses: [1, 1] },
    nodeKey = makeKey('test'),
    nodeLimits,
    sshLimits,
    agent,
    openidClient,
    secretsKey = randomBytes(32),
    ...policy
  } = options;
  const metrics = new Metrics();
  const stored = measuredCatalog(givenCatalog ?? (await ownCatalog()), metrics);
  const audit = await Audit.open({ catalog: stored, key: new AuditKey(), now, log, metrics });
  const catalog = audit.as(() => ({ who: SYSTEM, what: 'start' }));
  const seals = new Seals({ what: 'the test', key: secretsKey });
  const vault = await Vault.open(stored, seals);
  const outgoing = new Outgoing({
    allowedAddresses: ['127.0.0.0/8', '::1'],
    allowedHosts: [],
    lookup: onlyHere,
    credentialsFor: (secret, url) => vault.credentialsFor(secret, url),
    ...ways,
  });
  const bare = givenBlobs ?? (await ownBlobs());
  const blobs = measuredBlobs(bare, metrics);
  const mode: Mode = policy.mode ?? 'dc';
  const token = 'test-token';
  await catalog.write(async (tx) => {
    // Another daemon of the same test may have been here.
    if (await tx.get(users, ADMIN.uuid)) return;
    const created = now().toISOString();
    await tx.insert(users, { ...ADMIN, superAdmin: true, created });
    await tx.insert(tokens, { hash: hashToken(token), name: 'test', user: ADMIN.uuid, created });
  });
  const keyring = await openKeyring({
    authKeys: {},
    ...keys,
    enrol: (names) => enrolKeyUsers(catalog, names, now()),
    watch: (paths, changed) => watchFiles(paths, changed, 20),
    log,
  });
  await ensureMain(catalog, now());
  const directory = await Directory.open(catalog);
  const repositories = await RepositoryBook.open(catalog, { limits: { time: PATIENT, ...refreshLimits } });
  const nodeBook = await NodeBook.open(catalog, nodeLimits);
  const listing = await openListing(catalog, mode);
  const readiness = new Readiness({ catalog, blobs: bare, space }, log, now, PATIENT);
  const unfollow = await watchServer(metrics, { catalog, listing, readiness, directory, nodeBook });
  const catalogOf = (task: Task) => audit.as(() => occasionOfTask(task));
  const tasks = new TaskRunner({
    catalog,
    catalogOf,
    log,
    now,
    lanes: { imports: importsAtOnce, snapshots: snapshotsAtOnce, ...nodeLanes },
  });
  const hypervisors = openHypervisors({
    key: nodeKey,
    nodeNamed: (name) => catalog.get(nodes, name),
    keyOf: (secret) => vault.privateKey(secret),
    pin: (node, hostKey) =>
      pinHostKey(
        audit.as(() => ({ who: SYSTEM, what: 'first contact' })),
        node,
        hostKey,
      ),
    agent,
    limits: { connect: PATIENT, ...sshLimits },
  });
  const deps: Deps = {
    catalog,
    blobs,
    beside: nothingBeside,
    kernel,
    console,
    listing,
    directory,
    repositories,
    nodeBook,
    fleet: await openFleet(catalog),
    copies: await openCopies(catalog),
    nodeWork: new NodeWork(catalog, nodePatience),
    reservations: new Reservations(catalog.members),
    uploads: new UploadsUnderWay(),
    imports: new ImportsUnderWay({ catalog, bandwidth: new Bandwidth(bandwidth), patience }),
    space,
    disk: space,
    samples: await SampleBook.open(catalog),
    transfers: new TransfersNow(catalog.members),
    manifests: new Manifests(),
    migration: noMigration,
    tasks,
    audit,
    recordTag: recordTags('test'),
    events: await EventStreams.open({ catalog, tasks }, eventLimits),
    outgoing,
    openid:
      openidClient && policy.openid
        ? await openIssuer({
            scopes: ['openid', 'profile', 'email'],
            patience: PATIENT,
            ...openidClient,
            rules: policy.openid,
            publicUrl: policy.publicUrl ?? '',
            outgoing,
            now,
          })
        : undefined,
    seals,
    hypervisors,
    policy: { ...defaults, ...policy },
    log,
    metrics,
    readiness,
    now,
    keyring,
    logins: new LoginThrottle(),
    uses: new TokenUses(now),
    seenSignatures: new SeenSignatures(),
    isProxy,
    trusts: trusts ?? (() => policy.authType === 'none'),
  };
  const letGoOfUploads = await reopenUploads(deps);
  await tasks.open(performing(deps, kinds));
  const senders = [await CallbackSender.open(deps, callbackPauses), await WebhookSender.open(deps, webhookLimits)];
  const server = new HttpServer(createApp(deps).callback());
  const { port } = await server.listen(0, '127.0.0.1');
  const { ask: send, close: hangUp } = asker(port, token);
  // Whatever a test asks for: what comes back is as the document says.
  const ask: TestServer['ask'] = async (method, path, options) => {
    const answer = await send(method, path, options);
    checkDescribed(deps.policy, method, path, answer);
    return answer;
  };

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    token,
    deps,
    ask,
    raw: async (request, { waits } = {}) => {
      const socket = connect(port, '127.0.0.1');
      // What has hung up is not waited for by the server, so its answer may be lost.
      if (waits ?? /^connection: close\r$/im.test(request)) socket.write(request);
      else socket.end(request);
      return text(socket);
    },
    image: async (manifest = {}, { file = 'the bytes', activate = true } = {}) => {
      const created = await ask('POST', '/images', { body: { ...sample(mode), ...manifest } });
      if (created.status !== 200) throw new Error(`not created: ${created.bytes}`);
      const path = `/images/${created.json.uuid}`;
      if (file === null) return created.json;
      const uploaded = await ask('PUT', `${path}/file?compression=none`, { body: file });
      if (!activate) return uploaded.json;
      return (await ask('POST', `${path}?action=activate`)).json;
    },
    stored: (uuid) => catalog.get(images, uuid),
    close: async () => {
      hangUp();
      nodeBook.close();
      deps.events.close();
      await Promise.all([tasks.close(), server.close(0)]);
      await letGoOfUploads();
      for (const sender of senders) await sender.close();
      await hypervisors.close();
      await audit.close();
      outgoing.close();
      vault.close();
      await keyring.close();
      deps.transfers.close();
      deps.samples.close();
      deps.listing.close();
      deps.fleet.close();
      deps.copies.close();
      directory.close();
      repositories.close();
      unfollow();
      await blobs.close();
      await catalog.close();
    },
  };
}

/** A manifest that every mode accepts. */
export function sample(mode: Mode) {
  return {
    name: 'sample',
    version: '1.0.0',
    os: 'smartos',
    type: 'zone-dataset',
    owner: ADMIN.uuid,
    public: mode !== 'private',
  };
}
