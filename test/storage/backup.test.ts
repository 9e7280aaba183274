import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { Backup, BadBackup, restore } from '../../storage/backup.js';
import type { Entry, Kind } from '../../storage/catalog.js';
import { collect, contents, publish, release, type Stores } from '../../storage/holdings.js';
import { openBlobs, openCatalog } from '../../storage/open.js';
import { BadTar } from '../../storage/tar.js';
import { transfer } from '../../storage/transfer.js';
import { bytesOf } from '../contracts/blobs.js';

const notes: Kind<{ id: string; text?: string }> = {
  name: 'notes',
  id: ({ id }) => id,
  unique: ({ text }) => (text ? [`text:${text}`] : []),
};

async function openStores(t: ExecutionContext): Promise<Stores> {
  const catalog = await openCatalog({ kind: 'memory' });
  const blobs = await openBlobs({ kind: 'memory' });
  t.teardown(() => Promise.all([catalog.close(), blobs.close()]));
  return { catalog, blobs };
}

async function keep(stores: Stores, bytes: Buffer, holder: string) {
  const staged = await stores.blobs.stage();
  const content = await transfer(Readable.from([bytes]), staged);
  await publish(stores, { key: staged.key, content }, (_, hold) => hold(holder));
  return content;
}

async function filled(t: ExecutionContext): Promise<Stores> {
  const stores = await openStores(t);
  await stores.catalog.write(async (tx) => {
    for (let n = 0; n < 300; n += 1) await tx.insert(notes, { id: `${n}é`, text: `text ${n} ${'x'.repeat(10_000)}` });
  });
  for (const size of [1, 512, 700, 200_000]) await keep(stores, randomBytes(size), `holder-${size}`);
  return stores;
}

const files = new Map([
  ['audit-key', Buffer.from('the key')],
  ['authkeys/alice.keys', Buffer.from('ssh-ed25519 AAAA')],
]);

async function backupOf(stores: Stores, meanwhile: () => Promise<void> = async () => {}): Promise<Buffer> {
  const backup = await Backup.open(stores, { created: new Date(), server: '1.2.3', files: async () => files });
  await meanwhile();
  const bytes = await buffer(Readable.from(copied(backup.read()), { objectMode: false }));
  checkSize(bytes.length, backup.size);
  await backup.close();
  return bytes;
}

const checkSize = (found: number, wanted: number) => {
  if (found !== wanted) throw new Error(`the backup has ${found} bytes where ${wanted} were foretold`);
};

async function* copied(chunks: AsyncIterable<Uint8Array>) {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

async function* pieces(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

async function restored(t: ExecutionContext, bytes: Buffer) {
  const stores = await openStores(t);
  const kept = new Map<string, Buffer>();
  const done = await restore(pieces(bytes), { ...stores, keep: async (name, held) => void kept.set(name, held) });
  return { ...stores, kept, done };
}

async function entriesOf({ catalog }: Stores): Promise<Entry[]> {
  const snapshot = await catalog.snapshot();
  const all: Entry[] = [];
  for await (const page of snapshot.entries()) all.push(...page);
  await snapshot.close();
  return all;
}

test('a backup restores to the same records, bytes and files', async (t) => {
  const stores = await filled(t);
  const bytes = await backupOf(stores);
  const { done, kept, ...copy } = await restored(t, bytes);
  t.deepEqual(await entriesOf(copy), await entriesOf(stores));
  for await (const { key } of stores.catalog.list(contents)) {
    t.deepEqual(await bytesOf(copy.blobs, key), await bytesOf(stores.blobs, key));
  }
  t.deepEqual(kept, files);
  t.like(done, { server: '1.2.3', contents: 4, bytes: 201_213, unreadable: [] });
});

test('it is of the moment in which it began, and nothing of that is collected', async (t) => {
  const stores = await filled(t);
  const before = await entriesOf(stores);
  const bytes = await backupOf(stores, async () => {
    for await (const { sha256, holders } of stores.catalog.list(contents)) {
      await stores.catalog.write((tx) => release(tx, sha256, holders[0]!));
    }
    await stores.catalog.write((tx) => tx.insert(notes, { id: 'later' }));
    await collect(stores, { grace: -1000, lease: 0 });
  });
  const copy = await restored(t, bytes);
  t.deepEqual(await entriesOf(copy), before);
  t.is(copy.done.contents, 4);
  t.like(await collect(stores, { grace: -1000, lease: 0 }), { unheld: 4 });
});

test('a backup that is cut, wherever, or changed, is known as such', async (t) => {
  const bytes = await backupOf(await filled(t));
  const cuts = [0, 100, 512, 1024, 5000, 1_100_000, bytes.length - 70_000, bytes.length - 66_000, bytes.length - 5000];
  for (const length of cuts) {
    const error = await t.throwsAsync(restored(t, bytes.subarray(0, length)), undefined, `${length}`);
    t.true(error instanceof BadBackup || error instanceof BadTar, `${length}: ${error}`);
  }
  const amid = Math.floor((bytes.indexOf('blobs/') + bytes.indexOf('slipway-backup.end.json')) / 2); // of the largest
  const within = [bytes.indexOf('created'), bytes.indexOf('the key'), bytes.indexOf('text 7 '), 2_000_000];
  for (const at of [20, ...within, amid, bytes.indexOf('slipway-backup.end.json') + 530]) {
    const harmed = Buffer.from(bytes);
    harmed[at] = harmed[at]! ^ 1;
    const error = await t.throwsAsync(restored(t, harmed), undefined, `${at}`);
    t.true(error instanceof BadBackup || error instanceof BadTar, `${at}: ${error}`);
  }
  await t.throwsAsync(restored(t, Buffer.concat([Buffer.alloc(1024)])), {
    instanceOf: BadBackup,
    message: /no backup/,
  });
});

test('what the server had lost, or has damaged, is told of and costs nothing else', async (t) => {
  const stores = await filled(t);
  const [gone, damaged] = [
    await keep(stores, Buffer.from('gone'), 'g'),
    await keep(stores, Buffer.from('damaged'), 'd'),
  ];
  const keyOf = async (sha256: string) => (await stores.catalog.get(contents, sha256))!.key;
  await stores.blobs.delete(await keyOf(gone.sha256));
  const key = await keyOf(damaged.sha256);
  await stores.blobs.delete(key);
  const staged = await stores.blobs.stage(key);
  await transfer(Readable.from([Buffer.from('DAMAGED')]), staged);
  const { done, ...copy } = await restored(t, await backupOf(stores));
  t.deepEqual(done.unreadable, [gone.sha256, damaged.sha256].sort());
  t.deepEqual(await entriesOf(copy), await entriesOf(stores));
  t.is(await copy.blobs.stat(key), undefined);
});
