import { randomBytes } from 'node:crypto';
import { readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openCachedBlobs } from '../../storage/blobs/cached.js';
import { openMemoryBlobs } from '../../storage/blobs/memory.js';
import type { BlobStore } from '../../storage/blobs.js';
import { InUse, StorageDown } from '../../storage/errors.js';
import { blobsContract, bytesOf, store } from '../contracts/blobs.js';
import { scratch } from '../support/scratch.js';

const MIB = 1 << 20;

blobsContract('cached', async (t) => {
  const { blobs } = await cached(t);
  return { blobs, close: () => blobs.close() };
});

blobsContract('cached, in no room', async (t) => {
  const { blobs } = await cached(t, { limit: 100 });
  return { blobs, close: () => blobs.close() };
});

test('cached: a blob is fetched once, whoever reads it, and is in the cache then', async (t) => {
  const { blobs, inside, directory, whole } = await cached(t);
  const bytes = randomBytes(3 * MIB);
  const key = await store(blobs, bytes);
  const readings = Array.from({ length: 20 }, async () => (await bytesOf(blobs, key))?.equals(bytes));
  t.true((await Promise.all(readings)).every(Boolean));
  t.deepEqual(inside.reads, [key]);
  // whoever follows may have all of it a moment before it lies there
  await until(async () => (await whole()).length === 1);
  inside.isAway = true;
  t.true((await bytesOf(blobs, key))?.equals(bytes), 'while the store is away');
  t.true((await bytesOf(blobs, key, { start: 7, end: 99 }))?.equals(bytes.subarray(7, 100)));
  t.is((await blobs.stat(key))?.size, bytes.length);
  t.is((await whole()).length, 1);
  t.deepEqual(await readdir(join(directory, 'filling')), []);
  await t.throwsAsync(blobs.stat('f'.repeat(32)), { instanceOf: StorageDown });
});

test('cached: a part of what is not there comes from the store, and the whole into the cache', async (t) => {
  const { blobs, inside, whole } = await cached(t);
  const bytes = randomBytes(MIB);
  const key = await store(blobs, bytes);
  t.true((await bytesOf(blobs, key, { start: 1000, end: 1999 }))?.equals(bytes.subarray(1000, 2000)));
  await until(async () => (await whole()).length === 1);
  inside.isAway = true;
  t.true((await bytesOf(blobs, key))?.equals(bytes));
});

test('cached: it holds no more than it may; what was not used for longest goes', async (t) => {
  const { blobs, inside, whole } = await cached(t, { limit: 3 * MIB });
  const keys: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    const key = await store(blobs, randomBytes(MIB));
    keys.push(key);
    await bytesOf(blobs, key);
    await until(async () => (await whole()).length === n + 1);
    await new Promise((resolve) => setTimeout(resolve, 2)); // the clock counts milliseconds
  }
  await bytesOf(blobs, keys[0]!);
  const fourth = await store(blobs, randomBytes(MIB));
  await bytesOf(blobs, fourth);
  await until(async () => (await whole()).some((name) => name.startsWith(fourth)));
  t.deepEqual((await whole()).map((name) => name.split('.')[0]).sort(), [keys[0]!, keys[2]!, fourth].sort());
  const tooLarge = randomBytes(4 * MIB);
  const key = await store(blobs, tooLarge);
  t.true((await bytesOf(blobs, key))?.equals(tooLarge));
  t.is((await whole()).length, 3);
  t.is(inside.reads.filter((read) => read === keys[0]).length, 1);
});

test('cached: what is there stays over a start, and is given to nobody where it is not what it was', async (t) => {
  const { blobs, inside, directory, whole } = await cached(t);
  const contents = [1, 2, 3].map(() => randomBytes(MIB));
  const keys: string[] = [];
  for (const bytes of contents) keys.push(await store(blobs, bytes));
  for (const key of keys) await bytesOf(blobs, key);
  await until(async () => (await whole()).length === 3);
  await blobs.close();
  const pathOf = async (key: string) => join(directory, 'whole', (await whole()).find((name) => name.startsWith(key))!);
  await writeFile(await pathOf(keys[1]!), randomBytes(MIB));
  await truncate(await pathOf(keys[2]!), 1000);
  await writeFile(join(directory, 'filling', keys[0]!), 'half');

  inside.reads.length = 0;
  const after = await openCachedBlobs({ inside, directory, limit: 64 * MIB });
  t.teardown(() => after.close());
  for (const [n, key] of keys.entries()) t.true((await bytesOf(after, key))?.equals(contents[n]!));
  t.deepEqual(new Set(inside.reads), new Set(keys.slice(1)));
});

test('cached: a file that is harmed while it is read does not hurt who reads it', async (t) => {
  const { blobs, directory, whole } = await cached(t);
  const bytes = randomBytes(4 * MIB);
  const key = await store(blobs, bytes);
  await bytesOf(blobs, key);
  await until(async () => (await whole()).length === 1);
  const file = (await blobs.openFile!(key))!;
  t.is(file.size, bytes.length);
  await truncate(join(directory, 'whole', (await whole())[0]!), MIB);
  const found: Buffer[] = [];
  for (let at = 0; at < file.size; ) {
    const piece = Buffer.from(await file.read(new Uint8Array(100_000), at));
    found.push(piece);
    at += piece.length;
  }
  await file.close();
  t.true(Buffer.concat(found).equals(bytes));
  await until(async () => (await whole()).length === 0);
});

test('cached: a store that breaks while a blob is filled in fails its readers, and leaves nothing', async (t) => {
  const { blobs, inside, directory, whole } = await cached(t);
  const bytes = randomBytes(2 * MIB);
  const key = await store(blobs, bytes);
  inside.breaksAfter = 100_000;
  await t.throwsAsync(bytesOf(blobs, key), { instanceOf: StorageDown });
  await until(async () => (await readdir(join(directory, 'filling'))).length === 0);
  t.deepEqual(await whole(), []);
  inside.breaksAfter = undefined;
  t.true((await bytesOf(blobs, key))?.equals(bytes));
});

test('cached: what is deleted goes from the cache, also where another daemon has deleted it', async (t) => {
  const { blobs, inside, whole } = await cached(t);
  const [one, other] = [await store(blobs, randomBytes(MIB)), await store(blobs, randomBytes(MIB))];
  for (const key of [one, other]) await bytesOf(blobs, key);
  await until(async () => (await whole()).length === 2);
  await blobs.delete(one);
  await inside.delete(other);
  t.is(await blobs.stat(other), undefined);
  t.deepEqual(await whole(), []);
  t.is(await blobs.read(one), undefined);
});

test('cached: a directory is the cache of one daemon', async (t) => {
  const { blobs, inside, directory } = await cached(t);
  const again = () => openCachedBlobs({ inside, directory, limit: MIB });
  await t.throwsAsync(again(), { instanceOf: InUse, message: /^cache directory .* with --store-cache-directory$/ });
  await blobs.close();
  await (await again()).close();
});

interface Inside extends BlobStore {
  /** Keys of what was read of it. */
  reads: string[];
  isAway: boolean;
  /** Bytes after which a reading fails. */
  breaksAfter: number | undefined;
}

async function cached(t: ExecutionContext, { limit = 64 * MIB } = {}) {
  const directory = await scratch(t);
  const inside = watched(await openMemoryBlobs());
  const blobs = await openCachedBlobs({ inside, directory, limit });
  t.teardown(() => blobs.close());
  return { blobs, inside, directory, whole: () => readdir(join(directory, 'whole')) };
}

function watched(blobs: BlobStore): Inside {
  const here = () => {
    if (inside.isAway) throw new StorageDown('asking the store', new Error('it is away'));
  };
  const inside: Inside = {
    reads: [],
    isAway: false,
    breaksAfter: undefined,
    stage: (key) => blobs.stage(key),
    resume: (key) => blobs.resume(key),
    stat: async (key) => {
      here();
      return blobs.stat(key);
    },
    read: async (key, range) => {
      here();
      inside.reads.push(key);
      const chunks = await blobs.read(key, range);
      return chunks && breaking(chunks, inside.breaksAfter);
    },
    delete: (key) => blobs.delete(key),
    list: () => blobs.list(),
    close: () => blobs.close(),
  };
  return inside;
}

async function* breaking(chunks: AsyncIterable<Uint8Array>, after = Number.POSITIVE_INFINITY) {
  let given = 0;
  for await (const chunk of chunks) {
    given += chunk.length;
    if (given > after) throw new StorageDown('reading', new Error('it broke'));
    yield chunk;
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it does not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
