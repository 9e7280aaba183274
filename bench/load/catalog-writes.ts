import { randomUUID } from 'node:crypto';
import { images } from '../../server/model/image.js';
import { openCatalog } from '../../storage/open.js';
import { imageOf } from '../servers/fill-catalog.js';
import { doJob } from './load.js';

export interface CatalogWritesJob {
  directory: string;
  /** As many writes wait together; each of them is followed by another when it is on the disk. */
  atOnce: number;
  seconds: number;
}

export interface CatalogWritten {
  writes: number;
  seconds: number;
}

doJob(async ({ directory, atOnce, seconds }: CatalogWritesJob): Promise<CatalogWritten> => {
  const catalog = await openCatalog({ kind: 'leveldb', directory });
  const image = imageOf(0, 1);
  let writes = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  const writer = async () => {
    for (; performance.now() < end; writes += 1) {
      await catalog.write((tx) => tx.insert(images, { ...image, uuid: randomUUID() }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, writer));
  const took = (performance.now() - start) / 1000;
  await catalog.close();
  return { writes, seconds: took };
});
