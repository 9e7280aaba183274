import type { Part } from './part.js';
import { audit } from './parts/audit.js';
import { bundles } from './parts/bundles.js';
import { cluster } from './parts/cluster.js';
import { consolePart } from './parts/console.js';
import { datacenters } from './parts/datacenters.js';
import { download } from './parts/download.js';
import { imports } from './parts/imports.js';
import { lists } from './parts/lists.js';
import { longRun } from './parts/long-run.js';
import { manifest } from './parts/manifest.js';
import { snapshots } from './parts/snapshots.js';
import { start } from './parts/start.js';
import { upload } from './parts/upload.js';
import { writes } from './parts/writes.js';

/** In the order in which they are measured and shown. */
export const parts: readonly Part[] = [
  download,
  manifest,
  lists,
  datacenters,
  audit,
  upload,
  imports,
  bundles,
  snapshots,
  start,
  writes,
  consolePart,
  cluster,
  longRun,
];
