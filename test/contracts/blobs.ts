import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open as openFile, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { BlobStore, StagedBlob } from '../../storage/blobs.js';
import { Changed, StorageDown } from '../../storage/errors.js';
import { scratch } from '../support/scratch.js';

/** What every blob store keeps to. `open` gives an empty one, and the way to close it. */
export function blobsContract(
  name: string,
  open: (t: ExecutionContext) => Promise<{ blobs: BlobStore; close: () => Promise<void> }>,
): void {
  function about(title: string, proof: (t: ExecutionContext, blobs: BlobStore) => Promise<void>): void {
    test(`${name}: ${title}`, async (t) => {
      const { blobs, close } = await open(t);
      t.teardown(close);
      await proof(t, blobs);
    });
  }

  const unknown = 'f'.repeat(32);

  about('what is committed is read as it was written', async (t, blobs) => {
    for (const size of [1, 1000, 16 << 10, (1 << 20) + 17]) {
      const bytes = randomBytes(size);
      const key = await store(blobs, bytes);
      t.true((await bytesOf(blobs, key))?.equals(bytes), `${size} bytes`);
      t.is((await blobs.stat(key))?.size, size);
    }
  });

  about('an empty blob is a blob', async (t, blobs) => {
    const key = await store(blobs, Buffer.alloc(0));
    t.is((await blobs.stat(key))?.size, 0);
    t.is((await bytesOf(blobs, key))?.length, 0);
  });

  about('chunks that are written may be used again by their writer', async (t, blobs) => {
    const staged = await blobs.stage();
    const chunk = Buffer.alloc(1000);
    for (const n of [1, 2, 3]) {
      chunk.fill(n);
      await new Promise((resolve) => staged.writable.write(chunk, resolve));
    }
    await end(staged);
    await staged.commit();
    const expected = Buffer.concat([1, 2, 3].map((n) => Buffer.alloc(1000, n)));
    t.true((await bytesOf(blobs, staged.key))?.equals(expected));
  });

  about('many small chunks', async (t, blobs) => {
    const bytes = randomBytes(5000);
    const staged = await blobs.stage();
    for (const byte of bytes) staged.writable.write(Buffer.of(byte));
    await end(staged);
    await staged.commit();
    t.true((await bytesOf(blobs, staged.key))?.equals(bytes));
  });

  about('nothing can be read before commit', async (t, blobs) => {
    const staged = await blobs.stage();
    const absent = async () => {
      t.is(await blobs.stat(staged.key), undefined);
      t.is(await blobs.read(staged.key), undefined);
      t.deepEqual(await listed(blobs), [{ key: staged.key, staged: true }]);
    };
    await absent();
    await end(staged, randomBytes(100));
    await absent();
    await staged.commit();
    t.is((await blobs.stat(staged.key))?.size, 100);
    t.deepEqual(await listed(blobs), [{ key: staged.key, staged: false }]);
  });

  about('a blob that is not whole can not be committed', async (t, blobs) => {
    const staged = await blobs.stage();
    staged.writable.write('half');
    await t.throwsAsync(staged.commit(), { message: /before it is whole/ });
    t.is(await blobs.stat(staged.key), undefined);
    await staged.discard();
    t.deepEqual(await listed(blobs), []);
  });

  about('discard leaves nothing, however often and in whatever state', async (t, blobs) => {
    const untouched = await blobs.stage();
    await untouched.discard();
    const writing = await blobs.stage();
    writing.writable.on('error', () => {}); // whoever goes on writing is told, here nobody cares
    writing.writable.write(randomBytes(100_000));
    await writing.discard();
    const finished = await blobs.stage();
    await end(finished, randomBytes(10));
    await finished.discard();
    for (const staged of [untouched, writing, finished]) {
      await staged.discard();
      await t.throwsAsync(staged.commit());
      t.is(await blobs.stat(staged.key), undefined);
    }
    t.deepEqual(await listed(blobs), []);
  });

  about('what was suspended goes on from where it is, and is written once', async (t, blobs) => {
    const bytes = randomBytes(300_000);
    const staged = await blobs.stage();
    await new Promise((resolve) => staged.writable.write(bytes.subarray(0, 100_000), resolve));
    await staged.suspend();
    t.is(await blobs.stat(staged.key), undefined);
    t.deepEqual(await listed(blobs), [{ key: staged.key, staged: true }]);

    const resumed = (await blobs.resume(staged.key))!;
    t.deepEqual([resumed.key, resumed.kept], [staged.key, 100_000]);
    const there = await collected(resumed.read());
    t.true(there.equals(bytes.subarray(0, 100_000)));
    // across the border of what is there, in pieces of its own
    for (let at = 0; at < bytes.length; at += 70_000) resumed.writable.write(bytes.subarray(at, at + 70_000));
    await end(resumed);
    await resumed.commit();
    t.true((await bytesOf(blobs, staged.key))?.equals(bytes));
    t.deepEqual(await listed(blobs), [{ key: staged.key, staged: false }]);
  });

  about('what is there is not written again', async (t, blobs) => {
    const staged = await blobs.stage();
    await new Promise((resolve) => staged.writable.write('there', resolve));
    await staged.suspend();
    const resumed = (await blobs.resume(staged.key))!;
    resumed.writable.write('THERE and then');
    await end(resumed);
    await resumed.commit();
    t.is((await bytesOf(blobs, staged.key))?.toString(), 'there and then');
  });

  about('what follows is written behind what is there, to be looked at later', async (t, blobs) => {
    const bytes = randomBytes(200_000);
    const staged = await blobs.stage();
    await new Promise((resolve) => staged.writable.write(bytes.subarray(0, 70_000), resolve));
    await staged.suspend();
    const { key } = staged;
    const resumed = (await blobs.resume(key))!;
    resumed.skip();
    for (let at = 70_000; at < 150_000; at += 40_000) {
      await new Promise((resolve) => resumed.writable.write(bytes.subarray(at, at + 40_000), resolve));
    }
    await resumed.suspend();
    const last = (await blobs.resume(key))!;
    t.is(last.kept, 150_000);
    t.true((await collected(last.read())).equals(bytes.subarray(0, 150_000)));
    last.skip();
    last.writable.write(bytes.subarray(150_000));
    await end(last);
    await last.commit();
    t.true((await bytesOf(blobs, key))?.equals(bytes));
  });

  about(
    'a blob that was committed for nobody is resumed whole, and can be committed again or thrown away',
    async (t, blobs) => {
      const key = await store(blobs, Buffer.from('whole'));
      const resumed = (await blobs.resume(key))!;
      t.is(resumed.kept, 5);
      t.is(await blobs.stat(key), undefined);
      t.is((await collected(resumed.read())).toString(), 'whole');
      resumed.writable.write('whole');
      await end(resumed);
      await resumed.commit();
      t.is((await bytesOf(blobs, key))?.toString(), 'whole');
      await (await blobs.resume(key))!.discard();
      t.deepEqual(await listed(blobs), []);
      t.is(await blobs.resume(key), undefined);
      t.is(await blobs.resume(unknown), undefined);
    },
  );

  about('discard after commit keeps the blob', async (t, blobs) => {
    const staged = await blobs.stage();
    await end(staged, Buffer.from('kept'));
    await staged.commit();
    await staged.discard();
    t.is((await bytesOf(blobs, staged.key))?.toString(), 'kept');
    await t.throwsAsync(staged.commit(), { message: /already/ });
    t.is((await bytesOf(blobs, staged.key))?.toString(), 'kept');
  });

  about('discard during commit waits for it', async (t, blobs) => {
    const staged = await blobs.stage();
    await end(staged, Buffer.from('kept'));
    await Promise.all([staged.commit(), staged.discard()]);
    t.is((await bytesOf(blobs, staged.key))?.toString(), 'kept');
  });

  about('keys are new each time and good for a path', async (t, blobs) => {
    const staged = await Promise.all(Array.from({ length: 50 }, () => blobs.stage()));
    t.is(new Set(staged.map(({ key }) => key)).size, 50);
    for (const { key } of staged) t.regex(key, /^[0-9a-z]+$/);
    await Promise.all(staged.map((blob) => blob.discard()));
  });

  about('ranges', async (t, blobs) => {
    const bytes = randomBytes(1_500_000);
    const key = await store(blobs, bytes);
    const ranges = [
      [0, 0],
      [0, 1_499_999],
      [1_499_999, 1_499_999],
      [17, 17],
      [1000, 1999],
      [524_287, 524_288],
      [16_383, 32_768],
      [5, 4],
    ] as const;
    for (const [start, last] of ranges) {
      const found = await bytesOf(blobs, key, { start, end: last });
      t.true(found?.equals(bytes.subarray(start, last + 1)), `${start}-${last}`);
    }
  });

  about('a range beyond the end gives what there is, then fails', async (t, blobs) => {
    const key = await store(blobs, randomBytes(100_000));
    let received = 0;
    const reading = async () => {
      for await (const chunk of (await blobs.read(key, { start: 50_000, end: 149_999 }))!) received += chunk.length;
    };
    await t.throwsAsync(reading, { instanceOf: StorageDown, message: /it ends at/ });
    t.is(received, 50_000);
  });

  about('what is absent is undefined, and deleting it is no error', async (t, blobs) => {
    t.is(await blobs.stat(unknown), undefined);
    t.is(await blobs.read(unknown), undefined);
    t.is(await blobs.read(unknown, { start: 0, end: 5 }), undefined);
    await t.notThrowsAsync(blobs.delete(unknown));
  });

  about('what is no key is refused', async (t, blobs) => {
    const names = [
      '',
      '.',
      '..',
      '../x',
      `../${unknown}`,
      '/etc/passwd',
      `${unknown}\0`,
      `${unknown}/..`,
      'F'.repeat(32),
    ];
    for (const key of names) {
      await t.throwsAsync(blobs.stat(key), { instanceOf: TypeError });
      await t.throwsAsync(blobs.read(key), { instanceOf: TypeError });
      await t.throwsAsync(blobs.delete(key), { instanceOf: TypeError });
    }
  });

  about('a deleted blob is gone, and only that', async (t, blobs) => {
    const kept = await store(blobs, Buffer.from('kept'));
    const key = await store(blobs, Buffer.from('gone'));
    await blobs.delete(key);
    t.is(await blobs.stat(key), undefined);
    t.is(await blobs.read(key), undefined);
    t.deepEqual(await listed(blobs), [{ key: kept, staged: false }]);
  });

  about('a staged blob that was left behind can be deleted, and not be committed afterwards', async (t, blobs) => {
    const staged = await blobs.stage();
    await end(staged, Buffer.from('slow'));
    await blobs.delete(staged.key);
    t.deepEqual(await listed(blobs), []);
    await t.throwsAsync(staged.commit(), { instanceOf: StorageDown });
    await staged.discard();
    t.is(await blobs.stat(staged.key), undefined);
  });

  about('a blob that is deleted while it is read is read to its end', async (t, blobs) => {
    const bytes = randomBytes(2_000_000);
    const key = await store(blobs, bytes);
    const reading = (await blobs.read(key))!;
    await blobs.delete(key);
    t.true((await collected(reading)).equals(bytes));
    t.is(await blobs.read(key), undefined);
  });

  about('a chunk is good until the next is asked for, with many readers side by side', async (t, blobs) => {
    const contents = await Promise.all([1, 2, 3, 4].map(async () => randomBytes(700_000)));
    const keys = await Promise.all(contents.map((bytes) => store(blobs, bytes)));
    const readings = Array.from({ length: 80 }, async (_, n) => {
      const bytes = contents[n % 4]!;
      let position = 0;
      for await (const chunk of (await blobs.read(keys[n % 4]!))!) {
        await new Promise(setImmediate);
        if (!bytes.subarray(position, position + chunk.length).equals(chunk)) return false;
        position += chunk.length;
      }
      return position === bytes.length;
    });
    t.true((await Promise.all(readings)).every(Boolean));
  });

  about('a reading that is left early, or never begun, can be ended', async (t, blobs) => {
    const key = await store(blobs, randomBytes(2_000_000));
    for await (const chunk of (await blobs.read(key))!) {
      t.true(chunk.length > 0);
      break;
    }
    const unbegun = (await blobs.read(key))![Symbol.asyncIterator]();
    t.true((await unbegun.return!()).done);
    t.true((await unbegun.next()).done);
  });

  about('a blob says when it was last written to', async (t, blobs) => {
    const before = Date.now();
    const key = await store(blobs, Buffer.from('now'));
    const staged = await blobs.stage();
    const touched = [(await blobs.stat(key))!.touched];
    for await (const blob of blobs.list()) touched.push(blob.touched);
    t.is(touched.length, 3);
    // file systems keep time with a coarse clock, and object stores tell whole seconds, one up or one down
    for (const time of touched) t.true(time.getTime() >= before - 1050 && time.getTime() <= Date.now() + 1000);
    await staged.discard();
  });

  about('a file that is adopted is a blob of its own, read-only, and not copied', async (t, blobs) => {
    const path = join(await scratch(t), 'file');
    await writeFile(path, 'adopted', { mode: 0o644 });
    await utimes(path, new Date('2020-01-01'), new Date('2020-01-01'));
    const staged = await blobs.adopt?.(path);
    if (!staged) {
      t.pass('this store keeps nothing that lies on a disk of ours');
      return;
    }
    t.is(staged.kept, 7);
    t.is(await blobs.stat(staged.key), undefined);
    const bytes = await collected(staged.read());
    await end(staged, bytes);
    await staged.commit();
    t.deepEqual(await bytesOf(blobs, staged.key), Buffer.from('adopted'));
    t.true((await blobs.stat(staged.key))!.touched.getTime() > Date.now() - 60_000, 'its lease begins now');
    t.like(await stat(path), { nlink: 2, mode: 0o100400 });
    await blobs.delete(staged.key);
    t.is(await readFile(path, 'utf8'), 'adopted');
  });

  about('a file that is written to while it is adopted is not taken, and is as it was', async (t, blobs) => {
    const path = join(await scratch(t), 'file');
    await writeFile(path, 'before', { mode: 0o640 });
    const writer = await openFile(path, 'a');
    t.teardown(() => writer.close());
    const staged = await blobs.adopt?.(path);
    if (!staged) {
      t.pass('this store keeps nothing that lies on a disk of ours');
      return;
    }
    await end(staged, await collected(staged.read()));
    await writer.write(', and after');
    await t.throwsAsync(staged.commit(), { instanceOf: Changed });
    await staged.discard();
    t.deepEqual(await listed(blobs), []);
    t.like(await stat(path), { nlink: 1, mode: 0o100640 });
    t.is(await blobs.adopt?.(join(path, '..')), undefined, 'a directory');
  });

  about('list has everything there is', async (t, blobs) => {
    const keys = await Promise.all(Array.from({ length: 30 }, (_, n) => store(blobs, Buffer.from(`blob ${n}`))));
    const staged = await Promise.all([1, 2, 3].map(() => blobs.stage()));
    const expected = [
      ...keys.map((key) => ({ key, staged: false })),
      ...staged.map(({ key }) => ({ key, staged: true })),
    ];
    t.deepEqual(await listed(blobs), expected.sort(byKey));
    await Promise.all(staged.map((blob) => blob.discard()));
    for await (const { key } of blobs.list()) await blobs.delete(key);
    t.deepEqual(await listed(blobs), []);
  });
}

export async function store(blobs: BlobStore, bytes: Uint8Array): Promise<string> {
  const staged = await blobs.stage();
  await end(staged, bytes);
  await staged.commit();
  return staged.key;
}

export async function bytesOf(blobs: BlobStore, ...what: Parameters<BlobStore['read']>): Promise<Buffer | undefined> {
  const reading = await blobs.read(...what);
  return reading && collected(reading);
}

export async function listed(blobs: BlobStore): Promise<{ key: string; staged: boolean }[]> {
  const found: { key: string; staged: boolean }[] = [];
  for await (const { key, staged } of blobs.list()) found.push({ key, staged });
  return found.sort(byKey);
}

async function end(staged: StagedBlob, bytes?: Uint8Array): Promise<void> {
  staged.writable.end(bytes);
  await once(staged.writable, 'finish');
}

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const found: Buffer[] = [];
  for await (const chunk of chunks) found.push(Buffer.from(chunk));
  return Buffer.concat(found);
}

const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);
