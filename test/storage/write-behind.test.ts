import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import test, { type ExecutionContext } from 'ava';
import { StagedFile } from '../../storage/blobs/staged-file.js';
import { WriteBehind } from '../../storage/blobs/write-behind.js';
import { StorageDown } from '../../storage/errors.js';
import { scratch } from '../support/scratch.js';

const MIB = 1 << 20;

/** A file whose syncs end when they are told to. */
function slowFile() {
  const syncs: { end(): void; fail(error: Error): void }[] = [];
  const datasync = () => new Promise<void>((end, fail) => syncs.push({ end, fail }));
  return { syncs, datasync };
}

test('a file is synced while it is written, once for many bytes', async (t) => {
  const file = slowFile();
  const followed = new WriteBehind().follow(file);
  for (let n = 0; n < 31; n += 1) followed.wrote(MIB);
  t.is(file.syncs.length, 0);
  await followed.settled();
  for (let n = 0; n < 100; n += 1) followed.wrote(MIB);
  t.is(file.syncs.length, 1, 'the next begins when this one has ended');
  file.syncs[0]!.end();
  await followed.settled();
  followed.wrote(MIB);
  t.is(file.syncs.length, 2);
});

test('files take turns', async (t) => {
  const behind = new WriteBehind();
  const [one, other] = [slowFile(), slowFile()];
  const [first, second] = [behind.follow(one), behind.follow(other)];
  first.wrote(32 * MIB);
  second.wrote(32 * MIB);
  t.deepEqual([one.syncs.length, other.syncs.length], [1, 0]);
  one.syncs[0]!.fail(new Error('bad sector'));
  await t.throwsAsync(first.settled(), { message: 'bad sector' });
  second.wrote(MIB);
  t.is(other.syncs.length, 1);
  other.syncs[0]!.end();
  await second.settled();
});

test('a sync that failed is not forgotten by one that succeeds', async (t) => {
  const file = slowFile();
  const followed = new WriteBehind().follow(file);
  followed.wrote(32 * MIB);
  file.syncs[0]!.fail(new Error('bad sector'));
  await t.throwsAsync(followed.settled());
  followed.wrote(32 * MIB);
  file.syncs[1]!.end();
  await t.throwsAsync(followed.settled(), { message: 'bad sector' });
});

test('a blob of which a part did not reach the disk is not committed', async (t) => {
  const { staged, directory } = await stagedFile(t, async () => {
    throw new Error('bad sector');
  });
  staged.writable.end(Buffer.alloc(33 * MIB));
  await finished(staged.writable);
  await t.throwsAsync(staged.commit(), { instanceOf: StorageDown, message: /bad sector/ });
  await staged.discard();
  t.deepEqual(await readdir(directory), []);
});

test('one that is thrown away in the middle of a sync leaves nothing', async (t) => {
  const { staged, directory } = await stagedFile(t, (sync) => sync());
  staged.writable.write(Buffer.alloc(33 * MIB));
  await new Promise((resolve) => staged.writable.once('drain', resolve));
  await staged.discard();
  t.deepEqual(await readdir(directory), []);
});

/** In a directory of its own, on a disk that does with syncs what it is told. */
async function stagedFile(t: ExecutionContext, onSync: (sync: () => Promise<void>) => Promise<void>) {
  const directory = await scratch(t);
  const path = join(directory, 'blob');
  const handle = await open(path, 'wx');
  const sync = handle.datasync.bind(handle);
  handle.datasync = () => onSync(sync);
  const place = { reopen: () => open(path, 'r'), land: async () => t.fail('it has landed'), remove: () => rm(path) };
  return { staged: new StagedFile('0'.repeat(32), handle, place, new WriteBehind()), directory };
}
