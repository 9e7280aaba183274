import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlobStore } from '../../storage/blobs.js';
import type { Catalog } from '../../storage/catalog.js';
import { openBlobs, openCatalog } from '../../storage/open.js';

/** What the server of a test keeps its records and bytes in, unless the test brings stores of its own. */
interface TestEngine {
  catalog(): Promise<Catalog>;
  blobs(): Promise<BlobStore>;
}

const engines: Record<'memory' | 'disk', TestEngine> = {
  memory: {
    catalog: () => openCatalog({ kind: 'memory' }),
    blobs: () => openBlobs({ kind: 'memory' }),
  },
  disk: {
    catalog: () => inOwnDirectory((directory) => openCatalog({ kind: 'leveldb', directory })),
    blobs: () => inOwnDirectory((directory) => openBlobs({ kind: 'filesystem', directory })),
  },
};

export const engineName = process.env.SLIPWAY_TEST_STORES ?? 'memory';

function chosen(): TestEngine {
  const engine = Object.entries(engines).find(([name]) => name === engineName)?.[1];
  if (!engine) throw new Error(`SLIPWAY_TEST_STORES is ${engineName}, not one of ${Object.keys(engines).join(', ')}`);
  return engine;
}

/** An empty catalog on the engine of this run; whatever it lies in goes when it is closed. */
export const ownCatalog = (): Promise<Catalog> => chosen().catalog();

/** The same for bytes. */
export const ownBlobs = (): Promise<BlobStore> => chosen().blobs();

let scratch: string | undefined;
let made = 0;

async function inOwnDirectory<S extends { close(): Promise<void> }>(
  open: (directory: string) => Promise<S>,
): Promise<S> {
  if (scratch === undefined) {
    const own = mkdtempSync(join(tmpdir(), 'slipway-stores-'));
    process.once('exit', () => rmSync(own, { recursive: true, force: true }));
    scratch = own;
  }
  const directory = join(scratch, String(made++));
  mkdirSync(directory);
  return endingWith(await open(directory), () => rm(directory, { recursive: true, force: true }));
}

/** The store itself, since tests give some of its methods others. */
function endingWith<S extends { close(): Promise<void> }>(store: S, finish: () => Promise<void>): S {
  const close = store.close.bind(store);
  return Object.assign(store, {
    close: async () => {
      await close();
      await finish();
    },
  });
}
