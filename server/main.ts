#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { ImgapiError } from '../imgapi/errors.js';
import { Bandwidth } from '../storage/bandwidth.js';
import type { Catalog } from '../storage/catalog.js';
import { lockDirectory } from '../storage/lock.js';
import { openFolder } from '../storage/open.js';
import { spaceOf } from '../storage/space.js';
import { createApp, createMonitoringApp } from './app.js';
import { asFirst } from './as-first.js';
import { Audit, type AuditOptions } from './audit/audit.js';
import { EventStreams } from './audit/event-streams.js';
import { headFile, missingSince } from './audit/head-file.js';
import { HeadWebhook } from './audit/head-webhook.js';
import { openKeyring } from './auth/keyring.js';
import { LoginThrottle } from './auth/login-throttle.js';
import { SeenSignatures } from './auth/seen-signatures.js';
import { checkMoved } from './check-moved.js';
import { Closing } from './closing.js';
import { readFlags } from './config/flags.js';
import { type Config, readConfig } from './config/read-config.js';
import { report } from './config/report.js';
import type { Settings } from './config/settings.js';
import { usage } from './config/usage.js';
import { openConsole } from './console-files.js';
import type { Deps, Policy } from './deps.js';
import { explain } from './explain.js';
import { filesBeside } from './files-beside.js';
import { greet, warn } from './greeting.js';
import { HttpServer } from './http-server.js';
import { openHypervisors } from './hypervisors/open.js';
import { keepSampling, keepSchedule } from './keep-schedule.js';
import { openKernel } from './kernel.js';
import { createLog } from './log.js';
import { Metrics } from './metrics/instruments.js';
import { measuredSweep } from './metrics/measured-sweep.js';
import { watchServer } from './metrics/watch-server.js';
import { ServerMigration } from './migration.js';
import { occasionOfTask, SYSTEM } from './model/audit.js';
import { checkNodes } from './model/check-nodes.js';
import { modeLaw } from './model/modes.js';
import { addressMatcher } from './model/networks.js';
import { nodes } from './model/node.js';
import { recordTags } from './model/record-tag.js';
import { PATIENCE, PAUSES } from './model/registries.js';
import { openServerKeys } from './open-server-keys.js';
import { openStores } from './open-stores.js';
import { openConfiguredIssuer, rulesOf } from './openid/open-configured.js';
import { openCopies } from './operations/copies.js';
import { Directory } from './operations/directory.js';
import { enrolKeyUsers } from './operations/enrol-key-users.js';
import { ensureAdministrator, ensureSharedAdministrator } from './operations/ensure-administrator.js';
import { ensureMain } from './operations/ensure-main.js';
import { fillChannel } from './operations/fill-channel.js';
import { openFleet } from './operations/fleet.js';
import { forgetStreams } from './operations/forget-streams.js';
import { ImportsUnderWay } from './operations/imports-under-way.js';
import { openListing } from './operations/listing.js';
import { localFolder } from './operations/local-folder.js';
import { Manifests } from './operations/manifests.js';
import { NodeBook } from './operations/node-book.js';
import { NodeWork } from './operations/node-work.js';
import { pinHostKey } from './operations/pin-host-key.js';
import { registerImages } from './operations/register-images.js';
import { RepositoryBook } from './operations/repository-book.js';
import { Reservations } from './operations/reservations.js';
import { SampleBook } from './operations/sample-book.js';
import { sweep } from './operations/sweep.js';
import { TokenUses } from './operations/token-uses.js';
import { TransfersNow } from './operations/transfers-now.js';
import { reopenUploads } from './operations/upload-turns.js';
import { UploadsUnderWay } from './operations/uploads-under-way.js';
import { Outgoing } from './outgoing/outgoing.js';
import { proxiesFrom } from './outgoing/proxies.js';
import { Vault } from './outgoing/vault.js';
import { Readiness } from './readiness.js';
import { type Reloads, reloadOnHangup } from './reload-on-hangup.js';
import { finishRestore, restoreFirst } from './restore.js';
import { makeSecretsKey } from './sealing/make-secrets-key.js';
import { hasSealed } from './sealing/sealed-records.js';
import { Seals } from './sealing/seals.js';
import { readSecretsKey } from './sealing/secrets-key.js';
import { Interrupted, stopOnSignals } from './signals.js';
import { findTakeover, takeOverFirst } from './takeover.js';
import { nodeLanes, performing } from './tasks/kinds.js';
import { TaskRunner } from './tasks/runner.js';
import { type Certificate, openCertificate } from './tls/certificate.js';
import { watchFiles } from './watch-files.js';
import { CallbackSender } from './webhooks/callback-sender.js';
import { WebhookSender } from './webhooks/webhook-sender.js';
import { whileFirst } from './while-first.js';
import { WriteGate } from './write-gate.js';

const SWEEP_EVERY = 10 * 60 * 1000;
const FLUSH_EVERY = 60 * 1000;
/** For so long a daemon among others still answers when it stops, in milliseconds: requests find another one meanwhile. */
const LEAVE = 1000;
/** A node that was lost while it sent a snapshot is asked again after so long, in milliseconds. */
const SNAPSHOT_PAUSES = [2000, 10_000, 30_000];

/** Returns the way to stop; what fails on the way leaves nothing open. */
async function run(config: Config, version: string): Promise<() => Promise<void>> {
  const closing = new Closing();
  try {
    await open(config, version, closing);
  } catch (error) {
    await closing.close().catch(() => {}); // the first error is the one to tell
    throw error;
  }
  return () => closing.close();
}

async function open({ settings, warnings, start }: Config, version: string, closing: Closing): Promise<void> {
  const startedAt = new Date();
  const now = () => new Date();
  const log = createLog(settings.logLevel);
  for (const warning of warnings) log.warn(warning);
  const reloads: Reloads = [];
  reloadOnHangup(reloads, log);
  const left = start.takeover === undefined ? undefined : await findTakeover(start.takeover, settings.data);
  // Closed last, and whatever the disk does to all that follows.
  closing.add(await lockDirectory(settings.data), (lock) => lock.release());
  const backup =
    start.restore === undefined ? undefined : { from: start.restore, passphraseFile: start.restorePassphrase };
  await finishRestore(settings.data, backup);
  if (backup) await restoreFirst(backup, settings.data, log);
  const certificate = closing.add(await openCertificate({ settings, log, now }), (opened) => opened?.close());
  if (certificate) reloads.push(() => certificate.reload());
  const metrics = new Metrics();
  const { records, stored: unguarded, files, blobs } = await openStores(settings, { metrics, log, version }, closing);
  await checkMoved(records, { ...start, data: settings.data }, log);
  const gate = new WriteGate();
  const stored = gate.guard(unguarded);
  const isShared = settings.database !== undefined;
  const key = readSecretsKey(settings.secretsKey, join(settings.data, 'secrets-key'), process.env);
  const seals = new Seals(key, () => hasSealed(stored));
  const vault = closing.add(await Vault.open(stored, seals), (one) => one.close());
  if (vault.remark !== undefined) log.warn(vault.remark);
  const outgoing = closing.add(
    new Outgoing({
      ...settings,
      credentialsFor: (secret, url) => vault.credentialsFor(secret, url),
      proxyOf: proxiesFrom(process.env),
    }),
    (one) => one.close(),
  );
  const keys = await openServerKeys(settings, { catalog: stored, seals, now });
  const audit = await openAudit(settings, { catalog: stored, key: keys.audit, now, log, metrics, outgoing }, closing);
  const catalog = audit.as(inTheName('start'));
  const ensure = isShared ? ensureSharedAdministrator : ensureAdministrator;
  const administrator = await ensure(catalog, settings.data, startedAt);
  if (administrator?.warning) log.warn(administrator.warning);
  const policy = policyOf(settings, version);
  if (left) await takeOverFirst({ catalog, blobs, log, now, policy }, left, settings.data);
  if (start.fillChannel !== undefined) {
    const { fillChannel: channel } = start;
    log.info({ channel, images: await fillChannel({ catalog }, channel) }, 'put images without a channel into one');
  }
  const keyring = await openKeyring({
    authKeys: settings.authKeys,
    directory: join(settings.data, 'authkeys'),
    enrol: (names) => enrolKeyUsers(catalog, names, now()),
    watch: watchFiles,
    log,
  });
  closing.add(keyring, (opened) => opened.close());
  reloads.push(() => keyring.refresh());
  const hasDatacenters = modeLaw[settings.mode].fleet;
  if (hasDatacenters) await ensureMain(catalog, startedAt);
  await forgetStreams(catalog);
  const directory = closing.add(await Directory.open(catalog), (opened) => opened.close());
  const folder = await openFolder(resolve(settings.dropFolder ?? join(settings.data, 'drop')));
  const local = localFolder(hostname(), folder);
  const repositories = closing.add(await RepositoryBook.open(catalog, { local }), (book) => book.close());
  const nodeBook = closing.add(await NodeBook.open(catalog), (book) => book.close());
  const listing = await openListing(catalog, settings.mode);
  if (hasDatacenters) await registerImages({ catalog, listing, log }, startedAt);
  const fleet = await openFleet(catalog);
  const space = () => spaceOf(settings.data);
  const readiness = new Readiness({ catalog: records, blobs: files, space }, log, now);
  closing.add(watchServer(metrics, { catalog, listing, readiness, certificate, directory, nodeBook }), (unfollow) =>
    unfollow(),
  );
  metrics.watchProcess(version);
  const tasks = closing.add(
    new TaskRunner({
      catalog,
      catalogOf: (task) => audit.as(() => occasionOfTask(task)),
      log,
      now,
      lanes: { imports: settings.importsAtOnce, snapshots: settings.snapshotsAtOnce, ...nodeLanes },
    }),
    (runner) => runner.close(),
  );
  const events = closing.add(await EventStreams.open({ catalog, tasks }), (streams) => streams.close());
  checkNodes(directory.nodes.values(), settings.trustedProxies);
  const uses = new TokenUses(now);
  closing.add(keepFlushing(uses, catalog, log), (flushLast) => flushLast());
  const hypervisors = closing.add(
    openHypervisors({
      key: keys.node,
      nodeNamed: (name) => catalog.get(nodes, name),
      keyOf: (secret) => vault.privateKey(secret),
      pin: (node, hostKey) => pinHostKey(audit.as(inTheName('first contact')), node, hostKey),
      agent: process.env.SSH_AUTH_SOCK,
    }),
    (opened) => opened.close(),
  );
  const transfers = closing.add(new TransfersNow(records.members), (one) => one.close());
  closing.add(transfers.keepTelling(), (stopTelling) => stopTelling());
  const deps: Deps = {
    catalog: audit.as(inTheName('upkeep')),
    blobs,
    beside: filesBeside(settings.data, { 'node-key': keys.node.private }),
    kernel: settings.sendfile ? await openKernel() : undefined,
    console: await openConsole(fileURLToPath(new URL('../console', import.meta.url))),
    listing,
    directory,
    repositories,
    nodeBook,
    fleet,
    copies: closing.add(await openCopies(catalog), (copies) => copies.close()),
    nodeWork: new NodeWork(catalog),
    reservations: new Reservations(records.members),
    uploads: new UploadsUnderWay(),
    imports: new ImportsUnderWay({ catalog, bandwidth: new Bandwidth(settings.importBandwidth) }),
    space,
    disk: settings.store === undefined ? space : undefined,
    samples: closing.add(await SampleBook.open(catalog), (book) => book.close()),
    transfers,
    manifests: new Manifests(),
    migration: closing.add(
      await ServerMigration.open({
        settings,
        env: process.env,
        version,
        catalog: unguarded,
        blobs: files,
        gate,
        secretsKey: () => readSecretsKey(settings.secretsKey, join(settings.data, 'secrets-key'), process.env).key,
        beside: () => deps.beside,
        keys: { audit: keys.audit.toPem(), node: keys.node.private },
        settle: async () => {
          deps.uploads.stop();
          await tasks.close();
          await uses.flush(catalog);
          await audit.flush();
        },
        letGo: () => deps.uploads.forgetAll(),
        leave: (error) => {
          if (error) process.exitCode = 1;
          process.kill(process.pid, 'SIGTERM');
        },
        log,
        now,
      }),
      (migration) => migration.close(),
    ),
    tasks,
    audit,
    recordTag: recordTags(keys.audit.toPem()),
    events,
    outgoing,
    openid: await openConfiguredIssuer(settings, process.env, { outgoing, now }),
    seals,
    hypervisors,
    log,
    policy,
    now,
    metrics,
    readiness,
    keyring,
    logins: new LoginThrottle(records.members),
    uses,
    seenSignatures: new SeenSignatures(undefined, records.members),
    isProxy: addressMatcher(settings.trustedProxies),
    trusts: settings.authType === 'none' ? () => true : addressMatcher(settings.trustedNetworks),
  };
  closing.add(await reopenUploads(deps), (letGo) => letGo());
  await tasks.open(performing(deps));
  const senders = async () => {
    const opened = [await CallbackSender.open(deps), await WebhookSender.open(deps)];
    return async () => void (await Promise.all(opened.map((sender) => sender.close())));
  };
  closing.add(await asFirst(catalog, log, senders), (stopSending) => stopSending());
  // Before the server, and so closed after it: who watches over it sees it come and go.
  closing.add(await listenForMonitoring(deps, settings), (server) => server?.close(0));
  const { server, urls } = await listen(deps, settings, certificate);
  const sweeping = { ...deps, catalog: audit.as(inTheName('sweep')) };
  closing.add(keepSweeping(sweeping, isShared ? undefined : { abandonedBefore: startedAt }), (stopSweeping) =>
    stopSweeping(),
  );
  closing.add(keepSampling({ ...deps, catalog: audit.as(inTheName('schedule')) }), (stopSampling) => stopSampling());
  if (hasDatacenters) {
    closing.add(keepSchedule({ ...deps, catalog: audit.as(inTheName('schedule')) }, settings), (stopKeeping) =>
      stopKeeping(),
    );
  }
  closing.add(server, async () => {
    readiness.stop();
    if (isShared) await server.takeLeave(Math.min(LEAVE, settings.shutdownGrace * 1000));
    repositories.stop();
    nodeBook.stop();
    reloads.splice(0);
    events.close();
    deps.uploads.stop();
    // Tasks end at once: whoever waits for them would otherwise keep the server from closing.
    const closed = Promise.all([server.close(settings.shutdownGrace * 1000), tasks.close()]);
    log.info({ grace: settings.shutdownGrace }, 'stopping');
    return closed;
  });
  greet({ settings, urls, tokenFile: administrator?.tokenFile, images: listing.size, certificate: certificate?.leaf });
  warn(deps, settings);
}

const inTheName = (what: string) => () => ({ who: SYSTEM, what });

async function openAudit(
  { data, database, auditWebhook: url }: Settings,
  { outgoing, ...means }: Omit<AuditOptions, 'daemon' | 'heads' | 'webhook'> & { outgoing: Outgoing },
  closing: Closing,
) {
  const path = join(data, 'audit-head');
  for (const what of await missingSince(path, means.catalog)) {
    means.log.warn({ file: path }, `the audit has been cut or changed: it does not hold ${what}, which it has held`);
  }
  const webhook =
    url === undefined
      ? undefined
      : closing.add(new HeadWebhook({ ...means, ...outgoing.to(url, { trusted: true }) }), (one) => one.close());
  const daemon = database === undefined ? {} : { daemon: means.catalog.members.self.name };
  const options = { ...means, ...daemon, heads: headFile(path), webhook };
  const audit = closing.add(await Audit.open(options), (opened) => opened.close());
  closing.add(audit.keepFlushing(), (stopFlushing) => stopFlushing());
  return audit;
}

/** In plain, over TLS, or both; where it does, as URLs. */
async function listen(deps: Deps, settings: Settings, certificate: Certificate | undefined) {
  const server = new HttpServer(createApp(deps).callback(), {
    idleTimeout: settings.idleTimeout * 1000,
    headerTimeout: settings.headerTimeout * 1000,
    maxConnections: settings.maxConnections,
    asksForCertificates: settings.tlsClientCertificates,
    log: deps.log,
  });
  const { address, port, tlsPort } = settings;
  const urls: string[] = [];
  const host = address.includes(':') ? `[${address}]` : address;
  try {
    if (port !== 'off') urls.push(`http://${host}:${(await server.listen(port, address)).port}`);
    if (certificate && tlsPort !== 'off') {
      urls.push(`https://${host}:${(await server.listenTls(tlsPort, address, certificate)).port}`);
    }
  } catch (error) {
    await server.close(0);
    throw error;
  }
  return { server, urls };
}

async function listenForMonitoring(
  deps: Deps,
  { metricsAddress, metricsPort }: Settings,
): Promise<HttpServer | undefined> {
  if (metricsPort === 'off') return undefined;
  const server = new HttpServer(createMonitoringApp(deps).callback());
  const { address, port } = await server.listen(metricsPort, metricsAddress);
  deps.log.info({ address, port }, 'serving metrics');
  return server;
}

function policyOf(settings: Settings, version: string): Policy {
  const { insecureRegistries: insecure, lxdRegistries: lxd } = settings;
  const registries = { insecure, lxd, patience: PATIENCE, pauses: PAUSES };
  const snapshots = { silence: settings.snapshotSilence * 1000, pauses: SNAPSHOT_PAUSES };
  const openid = rulesOf(settings);
  const serverName = settings.serverName ?? `imgapi/${version}`;
  return { ...settings, serverName, version, openid, registries, snapshots };
}

/** Where the lock says that no other daemon was at work, what was on its way in before this start is abandoned. */
function keepSweeping(deps: Deps, first?: { abandonedBefore: Date }): () => Promise<void> {
  const attempt = (options?: { abandonedBefore: Date }) =>
    whileFirst(deps.catalog, 'sweep', () => measuredSweep(deps.metrics, () => sweep(deps, options))).catch(
      (err: unknown) => deps.log.error({ err }, 'the sweep failed; it will be tried again'),
    );
  let running = attempt(first);
  const timer = setInterval(() => {
    running = running.then(() => attempt());
  }, SWEEP_EVERY).unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** When tokens were used last is written once a minute, and at the end. */
function keepFlushing(uses: TokenUses, catalog: Catalog, log: Logger): () => Promise<void> {
  const flush = () =>
    uses.flush(catalog).catch((err: unknown) => {
      // What is refused, by a server that has moved, is no failure.
      if (!(err instanceof ImgapiError)) log.warn({ err }, 'when tokens were used last could not be written');
    });
  const timer = setInterval(flush, FLUSH_EVERY).unref();
  return () => {
    clearInterval(timer);
    return flush();
  };
}

async function main(): Promise<void> {
  // Who has read enough may close the pipe.
  process.stdout.on('error', () => {});
  const argv = process.argv.slice(2);
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  if (argv.includes('--help') || argv.includes('-h')) return console.log(usage());
  if (argv.includes('--version')) return console.log(version);
  const { newSecretsKey } = readFlags(argv).start;
  if (newSecretsKey !== undefined) {
    await makeSecretsKey(newSecretsKey);
    return console.log(
      `${newSecretsKey} holds a new key: give it to all daemons, as secretsKey, and keep it apart from backups`,
    );
  }
  // which Node we run on is said where it matters, and not by a library
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const config = readConfig(argv, process.env);
  if (config.start.checkConfig) {
    if (config.start.takeover !== undefined) await findTakeover(config.start.takeover, config.settings.data);
    return console.log(report(config));
  }
  const close = await run(config, version);
  stopOnSignals(close, config.settings.shutdownGrace);
}

main().catch((error: unknown) => {
  if (error instanceof Interrupted) return console.log(error.message);
  console.error(explain(error));
  process.exitCode = 1;
});
