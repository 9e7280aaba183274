import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readlink, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'ava';
import { readBuffers } from '../../storage/blobs/file-reading.js';
import { openFilesystemBlobs } from '../../storage/blobs/filesystem.js';
import type { BlobStore } from '../../storage/blobs.js';
import { openMemoryCatalog } from '../../storage/catalog/leveldb.js';
import { StorageDown } from '../../storage/errors.js';
import { locate, publish } from '../../storage/holdings.js';
import { transfer } from '../../storage/transfer.js';
import { blobsContract, bytesOf, listed, store } from '../contracts/blobs.js';
import { holdingsContract } from '../contracts/holdings.js';
import { scratch } from '../support/scratch.js';

const open = async (t: Parameters<typeof scratch>[0]) => {
  const blobs = await openFilesystemBlobs(await scratch(t));
  return { blobs, close: () => blobs.close() };
};

blobsContract('filesystem', open);
holdingsContract('filesystem', open);

test('filesystem: blobs are still there after a restart, staged ones as leftovers', async (t) => {
  const directory = await scratch(t);
  const before = await openFilesystemBlobs(directory);
  const key = await store(before, Buffer.from('kept'));
  const left = await before.stage();
  t.teardown(() => left.discard());

  const after = await openFilesystemBlobs(directory);
  t.is((await bytesOf(after, key))?.toString(), 'kept');
  t.true((await listed(after)).some((blob) => blob.key === left.key && blob.staged));
  await store(after, Buffer.from('more'));
});

test('filesystem: files and directories are readable by their owner only', async (t) => {
  const directory = await scratch(t);
  const blobs = await openFilesystemBlobs(directory);
  const key = await store(blobs, Buffer.from('secret'));
  const modes = await Promise.all(
    ['tmp', 'blobs', `blobs/${key.slice(0, 2)}`, `blobs/${key.slice(0, 2)}/${key}`].map(
      async (path) => (await stat(join(directory, path))).mode & 0o777,
    ),
  );
  t.deepEqual(modes, [0o700, 0o700, 0o700, 0o600]);
});

test('filesystem: what others have put there is left alone', async (t) => {
  const directory = await scratch(t);
  const blobs = await openFilesystemBlobs(directory);
  await mkdir(join(directory, 'blobs', 'lost+found'));
  await writeFile(join(directory, 'blobs', 'README'), '');
  await writeFile(join(directory, 'tmp', 'README'), '');
  t.deepEqual(await listed(blobs), []);
});

test('filesystem: a blob that was cut short fails where it ends', async (t) => {
  const directory = await scratch(t);
  const blobs = await openFilesystemBlobs(directory);
  const key = await store(blobs, randomBytes(3_000_000));
  const reading = (await blobs.read(key))!;
  await truncate(join(directory, 'blobs', key.slice(0, 2), key), 1_000_000);
  let received = 0;
  const error = await t.throwsAsync(
    async () => {
      for await (const chunk of reading) received += chunk.length;
    },
    { instanceOf: StorageDown },
  );
  t.regex(error.message, new RegExp(key));
  t.is(received, 1_000_000);
});

const canCount = existsSync('/proc/self/fd');
// serial tests run before all others, so what is open or lent is this test's
(canCount ? test.serial : test.serial.skip)(
  'filesystem: whatever way it ends, its file is closed (needs /proc)',
  async (t) => {
    const directory = await scratch(t);
    const blobs = await openFilesystemBlobs(directory);
    const key = await store(blobs, randomBytes(3_000_000));

    await t.throwsAsync(bytesOf(blobs, key, { start: 0, end: 5_000_000 }), { instanceOf: StorageDown });
    await bytesOf(blobs, key);
    await bytesOf(blobs, key, { start: 5, end: 4 });
    for await (const _ of (await blobs.read(key))!) break;
    const thrown = async () => {
      for await (const _ of (await blobs.read(key))!) throw new Error('consumer');
    };
    await t.throwsAsync(thrown, { message: 'consumer' });
    await (await blobs.read(key))![Symbol.asyncIterator]().return!();
    const whileReading = (await blobs.read(key))![Symbol.asyncIterator]();
    await Promise.all([whileReading.next(), whileReading.return!()]);
    const refused = await blobs.stage();
    const failing = Readable.from([randomBytes(10), randomBytes(10)]);
    await t.throwsAsync(transfer(failing, refused, { limit: 15 }));
    const discarded = await blobs.stage();
    await discarded.discard();

    t.deepEqual(await openFilesIn(directory), []);
    t.is(readBuffers.lentBytes, 0);
    t.deepEqual(await listed(blobs), [{ key, staged: false }]);
  },
);

test('filesystem: a failure is not absence', async (t) => {
  const directory = await scratch(t);
  const blobs = await openFilesystemBlobs(directory);
  const key = '0'.repeat(32);
  await writeFile(join(directory, 'blobs', '00'), 'a file where a directory should be');
  const each: ((blobs: BlobStore) => Promise<unknown>)[] = [(b) => b.stat(key), (b) => b.read(key)];
  for (const attempt of each) {
    const error = await t.throwsAsync(attempt(blobs), { instanceOf: StorageDown });
    t.is((error.cause as NodeJS.ErrnoException).code, 'ENOTDIR');
  }
});

test('filesystem: a directory that can not be made is reported', async (t) => {
  const directory = join(await scratch(t), 'file');
  await writeFile(directory, '');
  await t.throwsAsync(openFilesystemBlobs(directory), { instanceOf: StorageDown });
});

async function openFilesIn(directory: string): Promise<string[]> {
  const targets = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  return targets.filter((target) => target.startsWith(directory));
}

test('filesystem: bytes that were cut short are replaced by those that come next', async (t) => {
  const directory = await scratch(t);
  const stores = { catalog: await openMemoryCatalog(), blobs: await openFilesystemBlobs(directory) };
  const content = { sha256: 'c0ffee', size: 4 };
  const hurt = await store(stores.blobs, Buffer.from('file'));
  await publish(stores, { key: hurt, content }, (_tx, hold) => hold('image-1'));
  await truncate(join(directory, 'blobs', hurt.slice(0, 2), hurt), 2);
  const whole = await store(stores.blobs, Buffer.from('file'));
  await publish(stores, { key: whole, content }, (_tx, hold) => hold('image-2'));
  t.deepEqual(await locate(stores.catalog, 'c0ffee'), { key: whole, size: 4 });
});
