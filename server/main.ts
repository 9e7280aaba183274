import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InUse, StorageDown } from '../storage/errors.js';
import { lockDirectory } from '../storage/lock.js';
import { openBlobs, openCatalog } from '../storage/open.js';
import { createApp } from './app.js';
import { addressMatcher } from './auth/trusted-networks.js';
import { ConfigError, readConfig, type Settings, usage } from './config.js';
import type { Deps, Policy } from './deps.js';
import { HttpServer } from './http-server.js';
import { createLog } from './log.js';
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
    for (const step of closing.reverse().splice(0)) await step();
  };
  try {
    const lock = await lockDirectory(settings.data);
    closing.push(() => lock.release());
    const catalog = await openCatalog({ kind: 'leveldb', directory: join(settings.data, 'catalog') });
    closing.push(() => catalog.close());
    const blobs = await openBlobs({ kind: 'filesystem', directory: join(settings.data, 'files') });
    closing.push(() => blobs.close());
    const { tokenFile } = await ensureAdministrator(catalog, settings.data, startedAt);
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

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  if (argv.includes('--help')) return console.log(usage);
  if (argv.includes('--version')) return console.log(version);
  const close = await run(readConfig(argv, process.env), version);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      close().catch((error: unknown) => {
        console.error(error);
        process.exitCode = 1;
      });
    });
  }
}

main().catch((error: unknown) => {
  console.error(isForTheOperator(error) ? `slipway: ${error.message}` : error);
  process.exitCode = 1;
});

const tellable = [ConfigError, InUse, StorageDown];

/** What went wrong lies outside of the program: where, and not in which of its lines, is what helps. */
function isForTheOperator(error: unknown): error is Error {
  const isOfTheSystem = error instanceof Error && 'syscall' in error;
  return isOfTheSystem || tellable.some((kind) => error instanceof kind);
}
