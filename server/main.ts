#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockDirectory } from '../storage/lock.js';
import { openBlobs, openCatalog } from '../storage/open.js';
import { spaceOf } from '../storage/space.js';
import { createApp, createMonitoringApp } from './app.js';
import { openKeyring } from './auth/keyring.js';
import { SeenSignatures } from './auth/seen-signatures.js';
import { type Config, readConfig } from './config/read-config.js';
import { report } from './config/report.js';
import type { Settings } from './config/settings.js';
import { usage } from './config/usage.js';
import type { Deps, Policy } from './deps.js';
import { explain } from './explain.js';
import { greet, warn } from './greeting.js';
import { HttpServer } from './http-server.js';
import { createLog } from './log.js';
import { Metrics } from './metrics/instruments.js';
import { measuredBlobs } from './metrics/measured-blobs.js';
import { measuredCatalog } from './metrics/measured-catalog.js';
import { measuredSweep } from './metrics/measured-sweep.js';
import { watchServer } from './metrics/watch-server.js';
import { addressMatcher } from './model/networks.js';
import { enrolKeyUsers } from './operations/enrol-key-users.js';
import { ensureAdministrator } from './operations/ensure-administrator.js';
import { openListing } from './operations/listing.js';
import { sweep } from './operations/sweep.js';
import { Readiness } from './readiness.js';
import { reloadOnHangup } from './reload-on-hangup.js';
import { Interrupted, stopOnSignals } from './signals.js';
import { findTakeover, takeOverFirst } from './takeover.js';
import { type Certificate, openCertificate } from './tls/certificate.js';
import { watchFiles } from './watch-files.js';

const SWEEP_EVERY = 10 * 60 * 1000;

/** What was opened, to be closed in reverse. */
type Closing = (() => Promise<unknown>)[];

async function run({ settings, warnings, start }: Config, version: string): Promise<() => Promise<void>> {
  const startedAt = new Date();
  const log = createLog(settings.logLevel);
  for (const warning of warnings) log.warn(warning);
  const reloads: (() => Promise<unknown>)[] = [];
  reloadOnHangup(reloads, log);
  const closing: Closing = [];
  const close = async () => {
    const failures: unknown[] = [];
    // The lock comes last, and has to be released whatever the disk does to those before it.
    for (const step of closing.reverse().splice(0)) await step().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  };
  const left = start.takeover === undefined ? undefined : await findTakeover(start.takeover, settings.data);
  try {
    const lock = await lockDirectory(settings.data);
    closing.push(() => lock.release());
    const certificate = await openCertificate({ settings, log, now: () => new Date() });
    if (certificate) {
      closing.push(() => certificate.close());
      reloads.push(() => certificate.reload());
    }
    const metrics = new Metrics();
    const records = await openCatalog({ kind: 'leveldb', directory: join(settings.data, 'catalog') });
    const catalog = measuredCatalog(records, metrics);
    closing.push(() => catalog.close());
    const files = await openBlobs({ kind: 'filesystem', directory: join(settings.data, 'files') });
    const blobs = measuredBlobs(files, metrics);
    closing.push(() => blobs.close());
    const { tokenFile, warning } = await ensureAdministrator(catalog, settings.data, startedAt);
    if (warning) log.warn(warning);
    const now = () => new Date();
    const policy = policyOf(settings, version);
    if (left) await takeOverFirst({ catalog, blobs, log, now, policy }, left, settings.data);
    const keyring = await openKeyring({
      authKeys: settings.authKeys,
      directory: join(settings.data, 'authkeys'),
      enrol: (names) => enrolKeyUsers(catalog, names, new Date()),
      watch: watchFiles,
      log,
    });
    closing.push(() => keyring.close());
    reloads.push(() => keyring.refresh());
    const listing = await openListing(catalog, settings.mode);
    const space = () => spaceOf(settings.data);
    const readiness = new Readiness({ catalog: records, blobs: files, space }, log, now);
    const unfollow = await watchServer(metrics, { catalog, listing, readiness, certificate });
    closing.push(async () => unfollow());
    metrics.watchProcess(version);
    const deps: Deps = {
      catalog,
      blobs,
      listing,
      log,
      policy,
      now,
      metrics,
      readiness,
      keyring,
      seenSignatures: new SeenSignatures(),
      isProxy: addressMatcher(settings.trustedProxies),
      trusts: settings.authType === 'none' ? () => true : addressMatcher(settings.trustedNetworks),
    };
    closing.push(await listenForMonitoring(deps, settings));
    const server = new HttpServer(createApp(deps).callback(), {
      idleTimeout: settings.idleTimeout * 1000,
      headerTimeout: settings.headerTimeout * 1000,
      maxConnections: settings.maxConnections,
      log,
    });
    const urls = await listen(server, settings, certificate);
    const stopSweeping = keepSweeping(deps, startedAt);
    closing.push(stopSweeping, async () => {
      readiness.stop();
      reloads.splice(0);
      const closed = server.close(settings.shutdownGrace * 1000);
      log.info({ grace: settings.shutdownGrace }, 'stopping');
      await closed;
    });
    greet({ settings, urls, tokenFile, images: listing.size, certificate: certificate?.leaf });
    warn(deps, settings);
    return close;
  } catch (error) {
    await close();
    throw error;
  }
}

/** In plain, over TLS, or both; where it does, as URLs. */
async function listen(
  server: HttpServer,
  { address, port, tlsPort }: Settings,
  certificate: Certificate | undefined,
): Promise<string[]> {
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
  return urls;
}

/** Opened first and closed last, so that who watches over the server sees it come and go. */
async function listenForMonitoring(
  deps: Deps,
  { metricsAddress, metricsPort }: Settings,
): Promise<() => Promise<void>> {
  if (metricsPort === 'off') return async () => {};
  const server = new HttpServer(createMonitoringApp(deps).callback());
  const { address, port } = await server.listen(metricsPort, metricsAddress);
  deps.log.info({ address, port }, 'serving metrics');
  return () => server.close(0);
}

function policyOf(settings: Settings, version: string): Policy {
  return { ...settings, serverName: settings.serverName ?? `imgapi/${version}`, version };
}

/** The lock says that no other daemon was at work here: what was on its way in before this start is abandoned. */
function keepSweeping(deps: Deps, startedAt: Date): () => Promise<void> {
  const attempt = (options?: { abandonedBefore: Date }) =>
    measuredSweep(deps.metrics, () => sweep(deps, options)).catch((err: unknown) =>
      deps.log.error({ err }, 'the sweep failed; it will be tried again'),
    );
  let running = attempt({ abandonedBefore: startedAt });
  const timer = setInterval(() => {
    running = running.then(() => attempt());
  }, SWEEP_EVERY).unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

async function main(): Promise<void> {
  // Who has read enough may close the pipe.
  process.stdout.on('error', () => {});
  const argv = process.argv.slice(2);
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  if (argv.includes('--help') || argv.includes('-h')) return console.log(usage());
  if (argv.includes('--version')) return console.log(version);
  const config = readConfig(argv, process.env);
  if (config.start.checkConfig) return console.log(report(config));
  const close = await run(config, version);
  stopOnSignals(close, config.settings.shutdownGrace);
}

main().catch((error: unknown) => {
  if (error instanceof Interrupted) return console.log(error.message);
  console.error(explain(error));
  process.exitCode = 1;
});
