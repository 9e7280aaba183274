import { createHash, randomBytes } from 'node:crypto';
import test from 'ava';
import { openMemoryBlobs } from '../../storage/blobs/memory.js';
import type { BlobStore } from '../../storage/blobs.js';
import { openMemoryCatalog } from '../../storage/catalog/leveldb.js';
import type { Catalog } from '../../storage/catalog.js';
import { StorageDown } from '../../storage/errors.js';
import { contents, publish } from '../../storage/holdings.js';
import { type ContentMove, moveContents, movePartials, moveRecords, type Verified } from '../../storage/move.js';
import { partials } from '../../storage/partials.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { bytesOf, listed, store } from '../contracts/blobs.js';

interface Side {
  catalog: Catalog;
  blobs: BlobStore;
}

const side = async (): Promise<Side> => ({ catalog: await openMemoryCatalog(), blobs: await openMemoryBlobs() });

const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function kept(stores: Side, bytes: Buffer): Promise<string> {
  const key = await store(stores.blobs, bytes);
  const content = { sha256: sha256Of(bytes), size: bytes.length };
  await publish(stores, { key, content }, (_, hold) => hold('image'));
  return key;
}

const instead = (blobs: BlobStore, more: Partial<BlobStore>): BlobStore => ({
  stage: (key) => blobs.stage(key),
  resume: (key) => blobs.resume(key),
  stat: (key) => blobs.stat(key),
  read: (key, range) => blobs.read(key, range),
  delete: (key) => blobs.delete(key),
  list: () => blobs.list(),
  close: () => blobs.close(),
  ...more,
});

class Known implements Verified {
  readonly now = new Set<string>();
  constructor(readonly earlier = new Set<string>()) {}
  isSure = (key: string) => this.now.has(key);
  wasSure = (key: string) => this.earlier.has(key);
  add = async (key: string) => void this.now.add(key);
}

const moveOf = (from: Side, to: BlobStore, more: Partial<ContentMove> = {}): ContentMove => ({
  from: { reader: from.catalog, blobs: from.blobs },
  to,
  verified: new Known(),
  signal: new AbortController().signal,
  report: () => {},
  pauses: [0, 0],
  ...more,
});

/** Some bytes of a blob are others. */
async function harm(blobs: BlobStore, key: string): Promise<void> {
  const bytes = (await bytesOf(blobs, key))!;
  bytes[0]! ^= 1;
  await blobs.delete(key);
  const staged = await blobs.stage(key);
  await new Promise<void>((resolve) => staged.writable.end(bytes, () => resolve()));
  await staged.commit();
}

test('every content lies there under its key, and it is told how far that is', async (t) => {
  const [from, to] = [await side(), await side()];
  const all = [1, 100_000, 3_000_000, 20, 21, 22].map((size) => randomBytes(size));
  const keys = [];
  for (const bytes of all) keys.push(await kept(from, bytes));
  let far = { contents: 0, bytes: 0 };
  const verified = new Known();
  const report = (moved: typeof far) => {
    t.true(moved.bytes >= far.bytes);
    far = moved;
  };
  t.deepEqual(await moveContents(moveOf(from, to.blobs, { report, verified })), []);
  for (const [n, key] of keys.entries()) t.true((await bytesOf(to.blobs, key))?.equals(all[n]!));
  t.deepEqual(far, { contents: 6, bytes: all.reduce((sum, { length }) => sum + length, 0) });
  t.deepEqual([...verified.now].sort(), keys.toSorted());
});

test('what is there already is looked at, and copied again where it is not whole', async (t) => {
  const [from, to] = [await side(), await side()];
  const bytes = randomBytes(50_000);
  const key = await kept(from, bytes);
  await moveContents(moveOf(from, to.blobs));
  let staged = 0;
  const counted: BlobStore = instead(to.blobs, {
    stage: (name?: string) => {
      staged += 1;
      return to.blobs.stage(name);
    },
  });
  await moveContents(moveOf(from, counted));
  t.is(staged, 0);
  await harm(to.blobs, key);
  await moveContents(moveOf(from, counted, { verified: new Known(new Set([key])) }));
  t.is(staged, 0, 'an earlier attempt has read it');
  await moveContents(moveOf(from, counted));
  t.is(staged, 1);
  t.true((await bytesOf(to.blobs, key))?.equals(bytes));
  await to.blobs.delete(key);
  await moveContents(moveOf(from, counted, { verified: new Known(new Set([key])) }));
  t.true((await bytesOf(to.blobs, key))?.equals(bytes));
});

test('what is missing or damaged here is told of, and stops nothing', async (t) => {
  const [from, to] = [await side(), await side()];
  const all = ['missing', 'damaged', 'good'].map((text) => Buffer.from(text));
  const [missing, damaged, good] = [await kept(from, all[0]!), await kept(from, all[1]!), await kept(from, all[2]!)];
  await from.blobs.delete(missing);
  await harm(from.blobs, damaged);
  t.deepEqual(await moveContents(moveOf(from, to.blobs)), [sha256Of(all[0]!), sha256Of(all[1]!)].sort());
  t.deepEqual(await listed(to.blobs), [{ key: good, staged: false }]);
});

test('a store that fails is asked again, and is no loss', async (t) => {
  const [from, to] = [await side(), await side()];
  const bytes = randomBytes(50_000);
  const key = await kept(from, bytes);
  let failures = 2;
  const flaky: BlobStore = instead(from.blobs, {
    read: async (name: string) => {
      if (failures-- > 0) throw new StorageDown('reading', new Error('503'));
      return from.blobs.read(name);
    },
  });
  const reader = from.catalog;
  t.deepEqual(await moveContents(moveOf(from, to.blobs, { from: { reader, blobs: flaky } })), []);
  t.true((await bytesOf(to.blobs, key))?.equals(bytes));
  failures = 100;
  const again = moveContents(moveOf(from, (await side()).blobs, { from: { reader, blobs: flaky } }));
  await t.throwsAsync(again, { instanceOf: StorageDown });
});

test('what does not arrive as it was sent is sent again, and fails in the end', async (t) => {
  const [from, to] = [await side(), await side()];
  await kept(from, randomBytes(50_000));
  const lying: BlobStore = instead(to.blobs, {
    read: async () =>
      (async function* () {
        yield Buffer.alloc(50_000);
      })(),
  });
  await t.throwsAsync(moveContents(moveOf(from, lying)), { message: /sha256/ });
});

test('nobody works on it any more when it has failed', async (t) => {
  const [from, to] = [await side(), await side()];
  for (let n = 0; n < 8; n += 1) await kept(from, randomBytes(1000 + n));
  let atWork = 0;
  let asked = 0;
  const failing: BlobStore = instead(to.blobs, {
    stat: async (key) => {
      asked += 1;
      if (asked === 1) throw new Error('broken');
      atWork += 1;
      for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
      atWork -= 1;
      return to.blobs.stat(key);
    },
  });
  await t.throwsAsync(moveContents(moveOf(from, failing)), { message: 'broken' });
  t.is(atWork, 0);
  t.true(asked <= 4, 'none is begun after that');
  const before = asked;
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  t.is(asked, before);
});

test('it ends with the reason that it was given, also while it waits', async (t) => {
  const [from, to] = [await side(), await side()];
  await kept(from, randomBytes(1000));
  const ending = new AbortController();
  const down: BlobStore = instead(to.blobs, {
    stat: async () => {
      setImmediate(() => ending.abort(new Error('enough')));
      throw new StorageDown('looking', new Error('503'));
    },
  });
  const moving = moveContents(moveOf(from, down, { signal: ending.signal, pauses: [600_000] }));
  await t.throwsAsync(moving, { message: 'enough' });
});

test('it ends when it is told to', async (t) => {
  const [from, to] = [await side(), await side()];
  await kept(from, randomBytes(50_000));
  const signal = AbortSignal.abort(new Error('enough'));
  await t.throwsAsync(moveContents(moveOf(from, to.blobs, { signal })), { message: 'enough' });
  t.deepEqual(await listed(to.blobs), []);
});

test('what is on its way in goes on there', async (t) => {
  const [from, to] = [await side(), await side()];
  const bytes = randomBytes(100_000);
  const staged = await from.blobs.stage();
  await new Promise((resolve) => staged.writable.write(bytes, resolve));
  await staged.suspend();
  await from.catalog.write((tx) => tx.insert(partials, { holder: 'upload', key: staged.key }));
  for (let again = 0; again < 2; again += 1) await movePartials(from.catalog, from.blobs, to.blobs);
  for (const { blobs } of [from, to]) {
    const there = (await blobs.resume(staged.key))!;
    t.is(there.kept, bytes.length);
    const found: Buffer[] = [];
    for await (const chunk of there.read()) found.push(Buffer.from(chunk));
    t.true(Buffer.concat(found).equals(bytes));
    await there.suspend();
  }
});

test('all records, of which none may be another', async (t) => {
  const [from, to] = [await side(), await side()];
  for (let n = 0; n < 50; n += 1) await kept(from, randomBytes(n + 1));
  const snapshot = await from.catalog.snapshot();
  const { signal } = new AbortController();
  t.true((await moveRecords(snapshot, to.catalog, signal)) >= 50);
  for await (const holding of from.catalog.list(contents)) {
    t.deepEqual(await to.catalog.get(contents, holding.sha256), holding);
  }
  const third = await side();
  const lossy = wrappedCatalog(third.catalog, {
    load: (entries) =>
      third.catalog.load(
        (async function* () {
          for await (const page of entries) yield page.slice(1);
        })(),
      ),
  });
  await t.throwsAsync(moveRecords(snapshot, lossy, signal), { message: /not the same/ });
  await snapshot.close();
});
