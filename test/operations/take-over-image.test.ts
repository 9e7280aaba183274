import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { pino } from 'pino';
import { images } from '../../server/model/image.js';
import { readLeftImage } from '../../server/operations/read-left-image.js';
import { takeOverImage } from '../../server/operations/take-over-image.js';
import type { Catalog } from '../../storage/catalog.js';
import { StorageDown } from '../../storage/errors.js';
import { locate } from '../../storage/holdings.js';
import { openBlobs, openCatalog, openLeftDirectory } from '../../storage/open.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { numbered } from '../support/fixtures.js';
import {
  currentRecord,
  danubeDirectory,
  danubeImage,
  type OldImage,
  referenceDirectory,
  referenceImage,
} from '../support/old-directories.js';
import { scratch } from '../support/scratch.js';

const uuid = numbered(1);

async function left(t: ExecutionContext, image: OldImage) {
  return (await openLeftDirectory(await referenceDirectory(join(await scratch(t), 'old'), [image])))!;
}

/** Every write reaches the disk, and is told to have failed. */
const doubtful = (catalog: Catalog): Catalog =>
  wrappedCatalog(catalog, {
    write: async (change) => {
      await catalog.write(change);
      throw new StorageDown('writing the catalog', 'nobody knows');
    },
  });

test('a write of which nobody knows whether it was done costs no bytes', async (t) => {
  const directory = await left(t, referenceImage(uuid));
  const catalog = await openCatalog({ kind: 'memory' });
  const blobs = await openBlobs({ kind: 'memory' });
  t.teardown(() => catalog.close());
  const deps = {
    catalog: doubtful(catalog),
    blobs,
    log: pino({ level: 'silent' }),
    now: () => new Date(),
    policy: { mode: 'dc' as const, channels: [], blobGrace: 3600 },
  };
  const course = { signal: new AbortController().signal, copied: () => {}, wasHere: false };
  await t.throwsAsync(takeOverImage(deps, directory, uuid, course), { instanceOf: StorageDown });
  const [file] = (await catalog.get(images, uuid))!.files;
  const content = await locate(catalog, file!.sha256);
  t.is((await blobs.stat(content!.key))?.size, file!.size);
});

test('a remembered MD5 that can not be read is told, and costs nothing else', async (t) => {
  const image = danubeImage(uuid);
  const tooLarge = Buffer.alloc(16 * 1024 ** 2 + 1, 'a');
  const path = await danubeDirectory(join(await scratch(t), 'old'), [
    { ...image, files: { ...image.files, 'file.md5': tooLarge } },
  ]);
  const catalog = await openCatalog({ kind: 'memory' });
  t.teardown(() => catalog.close());
  const deps = {
    catalog,
    blobs: await openBlobs({ kind: 'memory' }),
    log: pino({ level: 'silent' }),
    now: () => new Date(),
    policy: { mode: 'dc' as const, channels: [], blobGrace: 3600 },
  };
  const course = { signal: new AbortController().signal, copied: () => {}, wasHere: false };
  const { outcome, warnings } = await takeOverImage(deps, (await openLeftDirectory(path))!, uuid, course);
  t.is(outcome, 'taken');
  t.regex(warnings.join(), /the MD5 that was remembered of it can not be read: .*16777217 bytes/);
});

test('a record that is not all UTF-8 is read as its server showed it, and warned of', async (t) => {
  const record = Buffer.from(JSON.stringify(currentRecord(uuid, 'x', { description: 'Café' })), 'latin1');
  const { image, warnings } = await readLeftImage(await left(t, { uuid, record }), uuid);
  t.is(image.description, 'Caf\ufffd');
  t.regex(warnings.join(), /\.raw: holds characters that are no UTF-8$/);
});

test('a record in UTF-8 is not warned of', async (t) => {
  const { image, warnings } = await readLeftImage(await left(t, referenceImage(uuid, { description: 'Café' })), uuid);
  t.is(image.description, 'Café');
  t.deepEqual(warnings, []);
});
