import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InUse, StorageDown } from '../storage/errors.js';
import { lockDirectory } from '../storage/lock.js';
import { openBlobs, openCatalog } from '../storage/open.js';
import { createApp } from './app.js';
import { addressMatcher } from './auth/trusted-networks.js';
import { readConfig, type Settings, usage } from './config.js';
import type { Deps, Policy } from './deps.js';
import { HttpServer } from './http-server.js';
import { createLog } from './log.js';
import { OperatorMistake } from './model/operator-mistake.js';
import { fitsMode } from './model/visibility.js';
import { ensureAdministrator } from './operations/first-start.js';
import { openListing } from './operations/listing.js';
import { sweep } from './operations/sweep.js';

const SWEEP_EVERY = 10 * 60 * 1000;

/** What was opened, to be closed in reverse. */
type Closing = (() => Promise<unknown>)[];

async function run(settings: Settings, version: string): Promise<() => Promise<void>> {
  const startedAt = new Date();
  const log = createLog(settings.logLevel);
  const closing: Closing = [];
  const close = async () => {
    const failures: unknown[] = [];
    // The lock comes last, and has to be released whatever the disk does to those before it.
    for (const step of closing.reverse().splice(0)) await step().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  };
  try {
    const lock = await lockDirectory(settings.data);
    closing.push(() => lock.release());
    const catalog = await openCatalog({ kind: 'leveldb', directory: join(settings.data, 'catalog') });
    closing.push(() => catalog.close());
    const blobs = await openBlobs({ kind: 'filesystem', directory: join(settings.data, 'files') });
    closing.push(() => blobs.close());
    const tokenFile = await ensureAdministrator(catalog, settings.data, startedAt);
    const listing = await openListing(catalog, settings.mode);
    const deps: Deps = {
      catalog,
      blobs,
      listing,
      log,
      policy: policyOf(settings, version),
      now: () => new Date(),
      trusts: settings.authType === 'none' ? () => true : addressMatcher(settings.trustedNetworks),
    };
    const server = new HttpServer(createApp(deps).callback());
    const { port } = await server.listen(settings.port, settings.address);
    const stopSweeping = keepSweeping(deps, startedAt);
    closing.push(stopSweeping, async () => {
      const closed = server.close(settings.shutdownGrace * 1000);
      log.info({ grace: settings.shutdownGrace }, 'stopping');
      await closed;
    });
    greet(settings, port, tokenFile, listing.size);
    warn(deps, settings);
    return close;
  } catch (error) {
    await close();
    throw error;
  }
}

function policyOf(settings: Settings, version: string): Policy {
  const { mode, channels, authType, maxFileSize, maxIconSize, blobGrace } = settings;
  const serverName = settings.serverName ?? `imgapi/${version}`;
  return { mode, channels, authType, maxFileSize, maxIconSize, blobGrace, serverName, version };
}

/** The lock says that no other daemon was at work here: what was on its way in before this start is abandoned. */
function keepSweeping(deps: Deps, startedAt: Date): () => Promise<void> {
  const attempt = (options?: { abandonedBefore: Date }) =>
    sweep(deps, options).catch((err: unknown) => deps.log.error({ err }, 'the sweep failed; it will be tried again'));
  let running = attempt({ abandonedBefore: startedAt });
  const timer = setInterval(() => {
    running = running.then(() => attempt());
  }, SWEEP_EVERY).unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

function greet({ address, mode, authType, data }: Settings, port: number, tokenFile: string, images: number): void {
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
  const credentials = authType === 'none' ? '' : ` -H "Authorization: Bearer $(cat ${tokenFile})"`;
  console.log(`Slipway is listening on ${url} (mode ${mode}, ${images} images, data in ${data})

Try next:
  curl ${url}/ping
  curl ${url}/images
  curl${credentials} ${url}/state`);
}

/** What an operator may not have meant. */
function warn({ log, listing }: Deps, { address, authType, mode }: Settings): void {
  const isLocal = address === 'localhost' || address === '::1' || address.startsWith('127.');
  if (!isLocal) log.warn({ address }, 'listening beyond this machine without TLS: put a proxy with TLS in front');
  if (!isLocal && authType === 'none') log.warn('authType is none: whoever reaches this address may change everything');
  const hidden = listing.sorted.filter((image) => !fitsMode(mode, image)).length;
  if (hidden > 0) log.warn({ mode, hidden }, 'images that may not be shown in this mode are hidden');
}

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  if (argv.includes('--help') || argv.includes('-h')) return console.log(usage);
  if (argv.includes('--version')) return console.log(version);
  const settings = readConfig(argv, process.env);
  const close = await run(settings, version);
  stopOnSignals(close, settings.shutdownGrace);
}

/** The second is no second wish: npm passes on a Ctrl-C that the terminal has sent to everybody already. */
const SIGNALS_THAT_INSIST = 3;

function stopOnSignals(close: () => Promise<void>, grace: number): void {
  let signals = 0;
  const stop = (signal: NodeJS.Signals) => {
    signals += 1;
    if (signals === 1) {
      console.log(`\nStopping: running transfers get ${grace} s. Ctrl-C again, or twice, cuts them.`);
      close().catch((error: unknown) => {
        console.error(error);
        process.exitCode = 1;
      });
    } else if (signals === SIGNALS_THAT_INSIST) {
      for (const name of SIGNALS) process.off(name, stop);
      process.kill(process.pid, signal);
    }
  };
  for (const name of SIGNALS) process.on(name, stop);
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

main().catch((error: unknown) => {
  console.error(isForTheOperator(error) ? `slipway: ${error.message}${hintFor(error)}` : error);
  process.exitCode = 1;
});

const hints: Record<string, string> = {
  EADDRINUSE: 'choose another port with --port',
  EADDRNOTAVAIL: 'choose an address of this machine with --address',
};

function hintFor(error: Error): string {
  const hint = 'code' in error && typeof error.code === 'string' ? hints[error.code] : undefined;
  return hint ? `: ${hint}` : '';
}

const tellable = [OperatorMistake, InUse, StorageDown];

/** What went wrong lies outside of the program: where, and not in which of its lines, is what helps. */
function isForTheOperator(error: unknown): error is Error {
  const isOfTheSystem = error instanceof Error && 'syscall' in error;
  return isOfTheSystem || tellable.some((kind) => error instanceof kind);
}
