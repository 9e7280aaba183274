import { createHash, randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import type { BlobStore } from '../../storage/blobs.js';
import { openMemoryCatalog } from '../../storage/catalog/leveldb.js';
import type { Catalog } from '../../storage/catalog.js';
import { condemned } from '../../storage/condemned.js';
import { StorageDown } from '../../storage/errors.js';
import { collect, contents, locate, publish, publishAll, release, type Stores } from '../../storage/holdings.js';
import { partials } from '../../storage/partials.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { gate } from '../support/gate.js';
import { bytesOf, listed, store } from './blobs.js';

const day = 24 * 60 * 60 * 1000;
const tomorrow = new Date(Date.now() + day);
/** Everything that can go goes. */
const thorough = { now: tomorrow, grace: 0, lease: 0 };

export interface OpenedStores {
  blobs: BlobStore;
  /** Records of its own in memory, unless given. */
  catalog?: Catalog;
  /** The same records and bytes, as another daemon has them. */
  other?: Stores;
  close: () => Promise<void>;
}

/**
 * What holds between records and bytes, on every blob store: nobody's bytes go, and nobody's bytes stay twice. Where two
 * daemons have them, one collects and the other publishes.
 */
export function holdingsContract(name: string, open: (t: ExecutionContext) => Promise<OpenedStores>): void {
  function about(title: string, proof: (t: ExecutionContext, stores: Stores, other: Stores) => Promise<void>): void {
    test(`${name}: ${title}`, async (t) => {
      const { blobs, close, ...given } = await open(t);
      t.teardown(close);
      const catalog = given.catalog ?? (await openMemoryCatalog());
      if (!given.catalog) t.teardown(() => catalog.close());
      const stores = { catalog, blobs };
      await proof(t, stores, given.other ?? stores);
    });
  }

  about('published bytes are found by their digest', async (t, stores) => {
    const file = await stored(stores, 'file');
    t.is(await publishFor(stores, file, 'image-1'), 'published');
    t.deepEqual(await locate(stores.catalog, file.content.sha256), { key: file.key, size: 4 });
    t.deepEqual((await stores.catalog.get(contents, file.content.sha256))?.holders, ['image-1']);
    t.is((await bytesOf(stores.blobs, file.key))?.toString(), 'file');
  });

  about('the same bytes are kept once', async (t, stores) => {
    const first = await stored(stores, 'file');
    const second = await stored(stores, 'file');
    await publishFor(stores, first, 'image-1');
    await publishFor(stores, second, 'image-2');
    t.deepEqual((await stores.catalog.get(contents, first.content.sha256))?.holders, ['image-1', 'image-2']);
    t.deepEqual(await listed(stores.blobs), [{ key: first.key, staged: false }]);
  });

  about('the same bytes published at the same time are kept once', async (t, stores, other) => {
    const files = await Promise.all(Array.from({ length: 8 }, () => stored(stores, 'file')));
    await Promise.all(files.map((file, n) => publishFor(n % 2 === 0 ? stores : other, file, `image-${n}`)));
    const found = await stores.catalog.get(contents, files[0]!.content.sha256);
    t.is(found?.holders.length, 8);
    t.deepEqual(await listed(stores.blobs), [{ key: found!.key, staged: false }]);
  });

  about('a change that refuses, or holds nothing, leaves no bytes', async (t, stores) => {
    const refused = publish(stores, await stored(stores, 'file'), async (_tx, hold) => {
      await hold('image-1');
      throw new Error('name is taken');
    });
    await t.throwsAsync(refused, { message: 'name is taken' });
    await publish(stores, await stored(stores, 'file'), async () => {});
    t.deepEqual(await listed(stores.blobs), []);
    t.is(await stores.catalog.get(contents, sha256Of('file')), undefined);
  });

  about('several blobs are published in one write, all or none', async (t, stores) => {
    const files = await Promise.all(['one', 'two', 'two'].map((text) => stored(stores, text)));
    await publishAll(stores, files, async (_tx, hold) => {
      for (const [n, file] of files.entries()) await hold(file, `image-1/file${n}`);
    });
    t.deepEqual((await stores.catalog.get(contents, sha256Of('one')))?.holders, ['image-1/file0']);
    t.deepEqual((await stores.catalog.get(contents, sha256Of('two')))?.holders, ['image-1/file1', 'image-1/file2']);
    t.is((await listed(stores.blobs)).length, 2);

    const others = await Promise.all(['three', 'four'].map((text) => stored(stores, text)));
    const refused = publishAll(stores, others, async (_tx, hold) => {
      await hold(others[0]!, 'image-2/file0');
      throw new Error('the second is not wanted');
    });
    await t.throwsAsync(refused, { message: 'the second is not wanted' });
    t.is((await listed(stores.blobs)).length, 2);
    t.is(await stores.catalog.get(contents, sha256Of('three')), undefined);
  });

  about('bytes whose write failed with StorageDown stay until their lease has run out', async (t, stores) => {
    const file = await stored(stores, 'file');
    const failing = publish(stores, file, async () => {
      throw new StorageDown('writing the catalog', new Error('no space'));
    });
    await t.throwsAsync(failing, { instanceOf: StorageDown });
    t.deepEqual(await listed(stores.blobs), [{ key: file.key, staged: false }]);
    t.like(await collect(stores, { grace: 0, lease: day }), { orphans: 0 });
    t.like(await collect(stores, thorough), { orphans: 1 });
    t.deepEqual(await listed(stores.blobs), []);
  });

  about('bytes go some time after their last holder', async (t, stores) => {
    const file = await stored(stores, 'file');
    const { sha256 } = file.content;
    await publishFor(stores, file, 'image-1');
    await publishFor(stores, await stored(stores, 'file'), 'image-2');
    const at = new Date('2026-01-01T00:00:00Z');
    const after = (ms: number) => new Date(at.getTime() + ms);

    await stores.catalog.write((tx) => release(tx, sha256, 'image-1', at));
    await stores.catalog.write((tx) => release(tx, sha256, 'nobody', at));
    t.is((await stores.catalog.get(contents, sha256))?.unheldSince, undefined);
    await stores.catalog.write((tx) => release(tx, sha256, 'image-2', at));
    await stores.catalog.write((tx) => release(tx, sha256, 'image-2', after(day)));
    t.is((await stores.catalog.get(contents, sha256))?.unheldSince, at.toISOString());

    const lease = 1000 * day;
    t.like(await collect(stores, { now: after(day - 1), grace: day, lease }), { unheld: 0 });
    t.truthy(await bytesOf(stores.blobs, file.key));
    t.like(await collect(stores, { now: after(day), grace: day, lease }), { unheld: 1 });
    t.is(await locate(stores.catalog, sha256), undefined);
    t.deepEqual(await listed(stores.blobs), []);
  });

  about('whoever holds unheld bytes in time keeps them', async (t, stores) => {
    const file = await stored(stores, 'file');
    await publishFor(stores, file, 'image-1');
    await stores.catalog.write((tx) => release(tx, file.content.sha256, 'image-1'));
    await publishFor(stores, await stored(stores, 'file'), 'image-2');
    t.deepEqual(await collect(stores, thorough), { unheld: 0, orphans: 0, staged: 0 });
    t.deepEqual(await listed(stores.blobs), [{ key: file.key, staged: false }]);
  });

  about('bytes that were lost are replaced by those that come next', async (t, stores) => {
    const lost = await stored(stores, 'file');
    await publishFor(stores, lost, 'image-1');
    await stores.blobs.delete(lost.key);
    const found = await stored(stores, 'file');
    await publishFor(stores, found, 'image-2');
    t.like(await stores.catalog.get(contents, lost.content.sha256), {
      key: found.key,
      holders: ['image-1', 'image-2'],
    });
    t.is((await bytesOf(stores.blobs, found.key))?.toString(), 'file');
    t.is(await stores.catalog.find(contents, `key:${lost.key}`), undefined);
  });

  about('uploads and blobs that no record knows go when their lease has run out', async (t, stores) => {
    const held = await stored(stores, 'held');
    await publishFor(stores, held, 'image-1');
    await stored(stores, 'orphan');
    const staged = await stores.blobs.stage();
    t.deepEqual(await collect(stores, { grace: 0, lease: day }), { unheld: 0, orphans: 0, staged: 0 });
    t.is((await listed(stores.blobs)).length, 3);
    t.deepEqual(await collect(stores, thorough), { unheld: 0, orphans: 1, staged: 1 });
    t.deepEqual(await listed(stores.blobs), [{ key: held.key, staged: false }]);
    await staged.discard();
  });

  about('what shall go on is collected by nobody, whether it is whole or not', async (t, stores) => {
    const { catalog, blobs } = stores;
    const staged = await blobs.stage();
    await staged.suspend();
    const whole = await stored(stores, 'whole');
    const keys = [staged.key, whole.key];
    await catalog.write(async (tx) => {
      for (const key of keys) await tx.insert(partials, { holder: `task/${key}`, key });
    });
    await collect(stores, thorough);
    t.deepEqual((await listed(blobs)).map(({ key }) => key).sort(), keys.toSorted());
    await catalog.write(async (tx) => {
      for (const key of keys) await tx.delete(partials, `task/${key}`);
    });
    await collect(stores, thorough);
    t.deepEqual(await listed(blobs), []);
  });

  about('collect stops when it is told to', async (t, stores) => {
    await stored(stores, 'orphan');
    const signal = AbortSignal.abort(new Error('stopping'));
    await t.throwsAsync(collect(stores, { ...thorough, signal }), { message: 'stopping' });
    t.is((await listed(stores.blobs)).length, 1);
  });

  about('race: bytes are held again after collect has found them unheld', async (t, stores, other) => {
    const file = await unheld(stores, 'file');
    const { reached, paused, go } = pause();
    const collecting = collect({ ...other, catalog: before(other.catalog, paused) }, thorough);
    await reached;
    await publishFor(stores, await stored(stores, 'file'), 'image-2');
    go();
    t.deepEqual(await collecting, { unheld: 0, orphans: 0, staged: 0 });
    t.is((await bytesOf(stores.blobs, file.key))?.toString(), 'file');
    t.deepEqual(await locate(stores.catalog, file.content.sha256), { key: file.key, size: 4 });
  });

  about(
    'race: the same bytes are published while collect is about to delete the old ones',
    async (t, stores, other) => {
      const old = await unheld(stores, 'file');
      const { reached, paused, go } = pause();
      const collecting = collect(
        { ...other, blobs: beforeDelete(other.blobs, paused) },
        { ...thorough, lease: 2 * day },
      );
      await reached;
      const fresh = await stored(stores, 'file');
      await publishFor(stores, fresh, 'image-2');
      go();
      t.deepEqual(await collecting, { unheld: 1, orphans: 0, staged: 0 });
      t.is(await stores.blobs.stat(old.key), undefined);
      t.deepEqual(await locate(stores.catalog, fresh.content.sha256), { key: fresh.key, size: 4 });
      t.is((await bytesOf(stores.blobs, fresh.key))?.toString(), 'file');
    },
  );

  about('race: a blob is published after collect has found it unknown', async (t, stores, other) => {
    const late = await stored(stores, 'late');
    const { reached, paused, go } = pause();
    const collecting = collect({ ...other, catalog: before(other.catalog, paused) }, thorough);
    await reached;
    await publishFor(stores, late, 'image-1');
    go();
    t.deepEqual(await collecting, { unheld: 0, orphans: 0, staged: 0 });
    t.is((await bytesOf(stores.blobs, late.key))?.toString(), 'late');
  });

  about('race: a blob is published while collect is deleting it', async (t, stores, other) => {
    const late = await stored(stores, 'late');
    const { reached, paused, go } = pause();
    const collecting = collect({ ...other, blobs: beforeDelete(other.blobs, paused) }, thorough);
    await reached;
    const publishing = publishFor(stores, late, 'image-1');
    go();
    await t.throwsAsync(publishing, { message: /its lease has run out/ });
    t.deepEqual(await collecting, { unheld: 0, orphans: 1, staged: 0 });
    t.is(await locate(stores.catalog, late.content.sha256), undefined, 'no record without bytes');
  });

  about(
    'race: a blob is deleted, and that is done with, after its publisher has looked at it',
    async (t, stores, other) => {
      const late = await stored(stores, 'late');
      const { reached, paused, go } = pause();
      const publishing = publishFor({ ...stores, catalog: before(stores.catalog, paused) }, late, 'image-1');
      await reached;
      t.deepEqual(await collect(other, thorough), { unheld: 0, orphans: 1, staged: 0 });
      go();
      await t.throwsAsync(publishing, { message: /its lease has run out/ });
      t.is(await locate(stores.catalog, late.content.sha256), undefined, 'no record without bytes');
    },
  );

  about('race: other blobs are deleted after a publisher has looked at its own', async (t, stores, other) => {
    await stored(stores, 'orphan');
    const { reached, paused, go } = pause();
    const late = await stored(stores, 'late');
    await stores.catalog.write((tx) => tx.insert(partials, { holder: 'task', key: late.key }));
    const publishing = publishFor({ ...stores, catalog: before(stores.catalog, paused) }, late, 'image-1');
    await reached;
    t.like(await collect(other, thorough), { orphans: 1 });
    go();
    t.is(await publishing, 'published');
    t.is((await bytesOf(stores.blobs, late.key))?.toString(), 'late');
  });

  about(
    'race: bytes that were whole when they were looked at are gone when they are held',
    async (t, stores, other) => {
      const old = await unheld(stores, 'file');
      const fresh = await stored(stores, 'file');
      await stores.catalog.write((tx) => tx.insert(partials, { holder: 'task', key: fresh.key }));
      const { reached, paused, go } = pause();
      const publishing = publishFor({ ...stores, catalog: before(stores.catalog, paused) }, fresh, 'image-2');
      await reached;
      t.like(await collect(other, thorough), { unheld: 1 });
      go();
      t.is(await publishing, 'published');
      t.is(await stores.blobs.stat(old.key), undefined);
      t.deepEqual(await locate(stores.catalog, fresh.content.sha256), { key: fresh.key, size: 4 });
      t.is((await bytesOf(stores.blobs, fresh.key))?.toString(), 'file');
    },
  );

  about('a blob store that does not answer stops no other write', async (t, stores, other) => {
    await unheld(stores, 'unheld');
    await stored(stores, 'orphan');
    const late = await stored(stores, 'late');
    await stores.catalog.write((tx) => tx.insert(partials, { holder: 'task', key: late.key }));
    const deleting = pause();
    const looking = pause();
    const silent = {
      ...beforeDelete(stores.blobs, () => Promise.resolve()),
      stat: async (key: string) => {
        await looking.paused();
        return stores.blobs.stat(key);
      },
    };
    const collecting = collect({ ...other, blobs: beforeDelete(other.blobs, deleting.paused) }, thorough);
    const publishing = publishFor({ ...stores, blobs: silent }, late, 'image-1');
    await Promise.all([deleting.reached, looking.reached]);
    t.is(await publishFor(stores, await stored(stores, 'other'), 'image-2'), 'published');
    deleting.go();
    looking.go();
    t.like(await collecting, { unheld: 1 });
    t.is(await publishing, 'published');
  });

  about('what a collect was killed at is deleted by the next', async (t, stores, other) => {
    const file = await unheld(stores, 'file');
    const orphan = await stored(stores, 'orphan');
    const killed = () => Promise.reject(new Error('killed'));
    const dying = { ...beforeDelete(stores.blobs, killed), check: killed };
    await t.throwsAsync(collect({ ...other, blobs: dying }, thorough), { message: 'killed' });
    t.is(await locate(stores.catalog, file.content.sha256), undefined);
    t.truthy(await stores.blobs.stat(file.key));
    await collect(stores, { grace: day, lease: day });
    t.deepEqual(await listed(stores.blobs), [{ key: orphan.key, staged: false }]);
    t.deepEqual(await condemnedIn(stores), []);
  });

  about('what can not be deleted stays condemned, and holds up no other', async (t, stores, other) => {
    const stuck = await unheld(stores, 'stuck');
    await unheld(stores, 'file');
    await stored(stores, 'orphan');
    const refusing = beforeDelete(other.blobs, async (key) => {
      if (key === stuck.key) throw new StorageDown('deleting', new Error('it is locked'));
    });
    for (const time of ['at first', 'again']) {
      await t.throwsAsync(collect({ ...other, blobs: refusing }, thorough), { message: 'deleting: it is locked' });
      t.deepEqual(await listed(stores.blobs), [{ key: stuck.key, staged: false }], time);
      t.deepEqual(await condemnedIn(stores), [stuck.key], time);
    }
    await collect(other, thorough);
    t.deepEqual(await listed(stores.blobs), []);
    t.deepEqual(await condemnedIn(stores), []);
  });

  about('race: two collect at once', async (t, stores, other) => {
    await unheld(stores, 'file');
    await stored(stores, 'orphan');
    const counts = await Promise.all([collect(stores, thorough), collect(other, thorough)]);
    t.is(counts[0].unheld + counts[1].unheld, 1);
    t.deepEqual(await listed(stores.blobs), []);
    t.is(await locate(stores.catalog, sha256Of('file')), undefined);
  });

  about('what a snapshot names stays until it is closed', async (t, stores, other) => {
    const file = await unheld(stores, 'file');
    const { reached, paused, go } = pause();
    const collecting = collect({ ...other, catalog: before(other.catalog, paused) }, thorough);
    await reached;
    const snapshot = await stores.catalog.snapshot();
    t.is(stores.catalog.openSnapshots(), 1);
    go();
    t.like(await collecting, { unheld: 0 });
    t.deepEqual(
      await snapshot.get(contents, file.content.sha256),
      await stores.catalog.get(contents, file.content.sha256),
    );
    t.is((await stores.blobs.stat(file.key))?.size, file.content.size);
    await snapshot.close();
    await snapshot.close();
    t.is(stores.catalog.openSnapshots(), 0);
    await stores.catalog.write(async () => {}); // others are told with the next group
    t.like(await collect(other, thorough), { unheld: 1 });
  });

  about('a download that has begun is not hurt by collect', async (t, stores) => {
    const text = randomBytes(600_000).toString('hex');
    const file = await unheld(stores, text);
    const reading = (await stores.blobs.read(file.key))!;
    t.like(await collect(stores, thorough), { unheld: 1 });
    let received = '';
    for await (const chunk of reading) received += Buffer.from(chunk).toString();
    t.is(received, text);
  });
}

async function stored({ blobs }: Stores, text: string) {
  const content = { sha256: sha256Of(text), size: Buffer.byteLength(text) };
  return { key: await store(blobs, Buffer.from(text)), content };
}

async function unheld(stores: Stores, text: string) {
  const file = await stored(stores, text);
  await publishFor(stores, file, 'image-1');
  await stores.catalog.write((tx) => release(tx, file.content.sha256, 'image-1'));
  return file;
}

function publishFor(stores: Stores, file: Awaited<ReturnType<typeof stored>>, holder: string): Promise<string> {
  return publish(stores, file, async (_tx, hold) => {
    await hold(holder);
    return 'published';
  });
}

const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex');

/** A place to stop at, once: `reached` tells the test, `go` lets it pass. */
function pause(): { reached: Promise<void>; paused: () => Promise<void>; go: () => void } {
  const arrival = gate();
  const departure = gate();
  const paused = () => {
    arrival.open();
    return departure.opened;
  };
  return { reached: arrival.opened, paused, go: departure.open };
}

function before(catalog: Catalog, write: () => Promise<void>): Catalog {
  return wrappedCatalog(catalog, {
    write: async (change) => {
      await write();
      return catalog.write(change);
    },
  });
}

async function condemnedIn({ catalog }: Stores): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of catalog.list(condemned)) keys.push(key);
  return keys;
}

function beforeDelete(blobs: BlobStore, paused: (key: string) => Promise<void>): BlobStore {
  return {
    stage: () => blobs.stage(),
    resume: (key) => blobs.resume(key),
    stat: (key) => blobs.stat(key),
    read: (key, range) => blobs.read(key, range),
    delete: async (key) => {
      await paused(key);
      return blobs.delete(key);
    },
    list: () => blobs.list(),
    close: () => blobs.close(),
  };
}
