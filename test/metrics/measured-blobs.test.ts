import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { Metrics } from '../../server/metrics/instruments.js';
import { measuredBlobs } from '../../server/metrics/measured-blobs.js';
import { openBlobs } from '../../storage/open.js';
import { blobsContract } from '../contracts/blobs.js';
import { holdingsContract } from '../contracts/holdings.js';
import { scratch } from '../support/scratch.js';

const drivers = {
  memory: () => openBlobs({ kind: 'memory' }),
  filesystem: async (t: ExecutionContext) =>
    openBlobs({ kind: 'filesystem', directory: join(await scratch(t), 'blobs') }),
};

for (const [driver, openDriver] of Object.entries(drivers)) {
  const open = async (t: ExecutionContext) => {
    const blobs = measuredBlobs(await openDriver(t), new Metrics());
    return { blobs, close: () => blobs.close() };
  };
  blobsContract(`measured ${driver}`, open);
  if (driver === 'memory') holdingsContract(`measured ${driver}`, (t) => open(t));
}
