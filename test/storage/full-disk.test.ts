import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'ava';
import { openFilesystemBlobs } from '../../storage/blobs/filesystem.js';
import { openLevelCatalog } from '../../storage/catalog/leveldb.js';
import type { Catalog, Kind } from '../../storage/catalog.js';
import { StorageDown } from '../../storage/errors.js';
import { transfer } from '../../storage/transfer.js';
import { bytesOf, listed, store } from '../contracts/blobs.js';
import { canMount, fill, smallDisk } from './small-disk.js';

const needsRoot = canMount ? test : test.skip;
const why = '(needs root to mount a tmpfs)';

interface Note {
  id: string;
  text: string;
}
const notes: Kind<Note> = { name: 'notes', id: ({ id }) => id };

needsRoot(
  `full disk: the catalog refuses writes, serves reads, and recovers without losing anything ${why}`,
  async (t) => {
    const disk = smallDisk(t, 24);
    const directory = join(disk, 'catalog');
    const catalog = await openLevelCatalog(directory);
    const acknowledged: string[] = [];
    await writeNotes(catalog, acknowledged, 20);

    for (const round of [1, 2, 3]) {
      const free = await fill(disk);
      await t.throwsAsync(writeNotes(catalog, acknowledged, 200), { instanceOf: StorageDown }, `round ${round}`);
      for (let n = 0; n < 3; n++)
        await t.throwsAsync(writeNotes(catalog, acknowledged, 1), { instanceOf: StorageDown });
      for (const id of acknowledged) t.is((await catalog.get(notes, id))?.id, id);
      await free();
      await writeNotes(catalog, acknowledged, 20);
      t.true(isSubset(acknowledged, await ids(catalog)));
    }
    await catalog.close();

    const again = await openLevelCatalog(directory);
    t.teardown(() => again.close());
    t.true(isSubset(acknowledged, await ids(again)));
    t.false((await readdir(directory)).includes('probe.tmp'));
  },
);

needsRoot(`full disk: a transfer is refused, leaves nothing, and the next one works ${why}`, async (t) => {
  const disk = smallDisk(t, 8);
  const blobs = await openFilesystemBlobs(join(disk, 'blobs'));
  const kept = await store(blobs, randomBytes(1_000_000));
  const file = randomBytes(3_000_000);
  const arrive = async () => {
    const staged = await blobs.stage();
    await transfer(Readable.from(inPieces(file)), staged);
    return staged.key;
  };

  const tooLarge = await blobs.stage();
  const endless = Readable.from(inPieces(randomBytes(20_000_000)));
  const error = await t.throwsAsync(transfer(endless, tooLarge), { instanceOf: StorageDown });
  t.is((error.cause as NodeJS.ErrnoException).code, 'ENOSPC');
  t.true(endless.destroyed);
  t.deepEqual(await listed(blobs), [{ key: kept, staged: false }]);

  const free = await fill(disk);
  await t.throwsAsync(arrive(), { instanceOf: StorageDown });
  t.deepEqual(await listed(blobs), [{ key: kept, staged: false }]);
  t.is((await bytesOf(blobs, kept))?.length, 1_000_000);
  await free();
  t.true((await bytesOf(blobs, await arrive()))?.equals(file));
});

async function writeNotes(catalog: Catalog, acknowledged: string[], count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const id = randomBytes(8).toString('hex');
    await catalog.write((tx) => tx.insert(notes, { id, text: randomBytes(10_000).toString('base64') }));
    acknowledged.push(id);
  }
}

async function ids(catalog: Catalog): Promise<string[]> {
  const found: string[] = [];
  for await (const { id } of catalog.list(notes)) found.push(id);
  return found;
}

function isSubset(some: string[], all: string[]): boolean {
  const known = new Set(all);
  return some.every((id) => known.has(id));
}

function* inPieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
