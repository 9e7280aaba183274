import type { BlobStore } from '../../storage/blobs.js';
import type { Catalog } from '../../storage/catalog.js';
import { openBlobs, openCatalog } from '../../storage/open.js';
import { inOwnDirectory } from './own-directory.js';

/** What the server of a test keeps its records and bytes in, unless the test brings stores of its own. */
export interface TestEngine {
  catalog(): Promise<Catalog>;
  blobs(): Promise<BlobStore>;
}

const engines: Record<string, () => Promise<TestEngine>> = {
  memory: async () => ({
    catalog: () => openCatalog({ kind: 'memory' }),
    blobs: () => openBlobs({ kind: 'memory' }),
  }),
  disk: async () => ({
    catalog: () => inOwnDirectory((directory) => openCatalog({ kind: 'leveldb', directory })),
    blobs: () => inOwnDirectory((directory) => openBlobs({ kind: 'filesystem', directory })),
  }),
  cluster: async () => (await import('./cluster-engine.js')).openClusterEngine(),
};

/** As `etc/test.mjs` sets it, for one run after another. */
export const engineName = process.env.SLIPWAY_TEST_STORES ?? 'memory';

let opened: Promise<TestEngine> | undefined;

function chosen(): Promise<TestEngine> {
  const open = engines[engineName];
  if (!open) throw new Error(`SLIPWAY_TEST_STORES is ${engineName}, not one of ${Object.keys(engines).join(', ')}`);
  opened ??= open();
  return opened;
}

/** An empty catalog on the engine of this run; whatever it lies in goes when it is closed. */
export const ownCatalog = async (): Promise<Catalog> => (await chosen()).catalog();

/** The same for bytes. */
export const ownBlobs = async (): Promise<BlobStore> => (await chosen()).blobs();
