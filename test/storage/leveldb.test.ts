import { execFile } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { MemoryLevel } from 'memory-level';
import { LevelCatalog } from '../../storage/catalog/level-catalog.js';
import { openLevelCatalog } from '../../storage/catalog/leveldb.js';
import type { Catalog, Change, Kind } from '../../storage/catalog.js';
import { InUse, StorageDown } from '../../storage/errors.js';
import { catalogContract } from '../contracts/catalog.js';
import { gate } from '../support/gate.js';
import { scratch } from '../support/scratch.js';

catalogContract('leveldb', async (t) => {
  const catalog = await openLevelCatalog(await scratch(t));
  return { catalog, close: () => catalog.close() };
});

interface Note {
  id: string;
  text?: string;
}
const notes: Kind<Note> = { name: 'notes', id: ({ id }) => id };

test('leveldb: what was acknowledged is there after a restart', async (t) => {
  const directory = join(await scratch(t), 'new', 'catalog');
  const before = await openLevelCatalog(directory);
  await Promise.all(Array.from({ length: 20 }, (_, n) => insert(before, `note-${n}`)));
  await before.close();
  const after = await openLevelCatalog(directory);
  t.teardown(() => after.close());
  t.is((await ids(after)).length, 20);
  t.is((await stat(directory)).mode & 0o777, 0o700);
});

test('leveldb: a second opening in the process is refused and does not hurt the first', async (t) => {
  const directory = await scratch(t);
  const first = await openLevelCatalog(directory);
  await t.throwsAsync(openLevelCatalog(directory), { instanceOf: InUse });
  await t.throwsAsync(openLevelCatalog(join(directory, '..', directory.split('/').at(-1)!)), { instanceOf: InUse });
  await t.throwsAsync(openElsewhere(directory), { message: /LEVEL_LOCKED/ }, 'LevelDB still holds its lock');
  await insert(first, '1');
  await first.close();
  const again = await openLevelCatalog(directory);
  t.deepEqual(await ids(again), ['1']);
  await again.close();
});

test('leveldb: a catalog that another process has open is refused', async (t) => {
  const directory = await scratch(t);
  const catalog = await openLevelCatalog(directory);
  t.teardown(() => catalog.close());
  const opener = new URL('../../storage/catalog/leveldb.js', import.meta.url).href;
  const script = `import { openLevelCatalog } from ${JSON.stringify(opener)};
    await openLevelCatalog(process.argv[1]).catch((error) => console.log(error.name + ': ' + error.message));`;
  t.is(await run(script, directory), `InUse: the catalog ${directory} is in use by another process\n`);
});

test('leveldb: a directory that can not be made is reported with its cause', async (t) => {
  const file = join(await scratch(t), 'file');
  await writeFile(file, '');
  const error = await t.throwsAsync(openLevelCatalog(join(file, 'catalog')), { instanceOf: StorageDown });
  t.is((error.cause as NodeJS.ErrnoException).code, 'ENOTDIR');
});

test('leveldb: writes that wait are committed as a group, synced', async (t) => {
  const { engine, catalog, batches } = await breakable();
  await Promise.all(Array.from({ length: 50 }, (_, n) => insert(catalog, `a${n}`)));
  t.deepEqual(batches.splice(0), [{ size: 50, sync: true }]);

  const { opened, open } = gate();
  const slow = catalog.write(async (tx) => {
    await opened;
    await tx.insert(notes, { id: 'slow' });
  });
  await new Promise(setImmediate);
  const waiting = Array.from({ length: 30 }, (_, n) => insert(catalog, `b${n}`));
  open();
  await Promise.all([slow, ...waiting]);
  t.deepEqual(
    batches.map(({ size }) => size),
    [1, 30],
  );
  await catalog.write(async (tx) => tx.get(notes, 'slow'));
  t.is(batches.length, 2, 'a change that writes nothing costs no sync');
  await engine.close();
});

test('leveldb: nobody sees a write before its followers are told of it', async (t) => {
  const engine = new MemoryLevel<string, string>();
  await engine.open();
  const catalog = new LevelCatalog(engine);
  await insert(catalog, 'kept');
  const { opened, open } = gate();
  const applied = gate();
  const batch = engine.batch.bind(engine) as (operations: unknown[], options: object) => Promise<void>;
  Object.assign(engine, {
    batch: async (operations: unknown[], options: object) => {
      await batch(operations, options);
      applied.open();
      await opened;
    },
  });

  const writing = insert(catalog, 'new');
  await applied.opened;
  t.is(await catalog.get(notes, 'new'), undefined);
  t.deepEqual(await ids(catalog), ['kept']);
  const begun = catalog.range(notes, 'id', {});
  t.like(await begun.next(), { value: { record: { id: 'kept' } } });
  open();
  await writing;
  t.true((await begun.next()).done, 'what began before it ends as it began');
  t.like(await catalog.get(notes, 'new'), { id: 'new' });
  t.deepEqual(await ids(catalog), ['kept', 'new']);
  await catalog.close();
  t.is(engine.status, 'closed');
});

test('leveldb: when a batch fails, its whole group is refused, nothing is told, and the next write recovers', async (t) => {
  const { catalog, broken, reopenings } = await breakable();
  const told: Change<Note>[] = [];
  catalog.follow(notes, (changes) => void told.push(...changes));
  await insert(catalog, 'kept');
  told.splice(0);

  broken.batch = new Error('EIO: i/o error');
  const group = [insert(catalog, '1'), insert(catalog, '2'), insert(catalog, 'kept')];
  for (const { status, reason } of (await Promise.allSettled(group)) as PromiseRejectedResult[]) {
    t.is(status, 'rejected');
    t.true(reason instanceof StorageDown);
    t.is(reason.cause, broken.batch);
  }
  t.deepEqual(told, []);
  t.deepEqual(await ids(catalog), ['kept'], 'reads go on');

  broken.batch = undefined;
  await insert(catalog, '3');
  t.is(reopenings(), 1, 'nothing is written through a database that has failed');
  t.deepEqual(await ids(catalog), ['3', 'kept']);
  t.deepEqual(told, [{ id: '1' }, { id: '2' }, { id: '3', record: { id: '3' } }]);
  await insert(catalog, '4');
  t.is(reopenings(), 1);
});

test('leveldb: followers learn of a refused write that reached the disk after all', async (t) => {
  const { catalog, broken } = await breakable();
  const told: Change<Note>[] = [];
  catalog.follow(notes, (changes) => void told.push(...changes));
  broken.afterBatch = new Error('EIO: fdatasync');
  await t.throwsAsync(insert(catalog, '1'), { instanceOf: StorageDown });
  t.deepEqual(told, []);
  broken.afterBatch = undefined;
  await insert(catalog, '2');
  t.deepEqual(told, [
    { id: '1', record: { id: '1' } },
    { id: '2', record: { id: '2' } },
  ]);
});

test('leveldb: a resident index tells of what a refused write has brought to the disk, and of nothing else', async (t) => {
  const { catalog, broken } = await breakable();
  const named: Kind<Note> = { ...notes, index: ({ text }) => [`text:${text}`], resident: ['text'] };
  const add = (id: string) => catalog.write((tx) => tx.insert(named, { id, text: 'same' }));
  const walked = () =>
    catalog.write(async (tx) => {
      const found: string[] = [];
      for await (const { record } of tx.range(named, 'text', { prefix: 'same' })) found.push(record.id);
      return found;
    });
  await add('1');
  t.deepEqual(await walked(), ['1']);
  broken.batch = new Error('EIO: i/o error');
  await t.throwsAsync(add('lost'), { instanceOf: StorageDown });
  delete broken.batch;
  t.deepEqual(await walked(), ['1']);
  broken.afterBatch = new Error('EIO: fdatasync');
  await t.throwsAsync(add('2'), { instanceOf: StorageDown });
  delete broken.afterBatch;
  t.deepEqual(await walked(), ['1', '2']);
});

test('leveldb: while a reopening would fail, the old database is read on', async (t) => {
  const { catalog, broken, reopenings } = await breakable();
  await insert(catalog, 'kept');
  broken.batch = broken.ready = new Error('ENOSPC: no space left on device');
  await t.throwsAsync(insert(catalog, '1'), { instanceOf: StorageDown });
  broken.batch = undefined;
  let ran = false;
  const refused = catalog.write(async () => {
    ran = true;
  });
  await t.throwsAsync(refused, { instanceOf: StorageDown, message: /no space left/ });
  t.false(ran);
  t.is(reopenings(), 0);
  t.deepEqual(await ids(catalog), ['kept']);
  broken.ready = undefined;
  await insert(catalog, '2');
  t.deepEqual(await ids(catalog), ['2', 'kept']);
});

test('leveldb: a reopening that fails is tried again by whoever comes next', async (t) => {
  const { catalog, broken } = await breakable();
  await insert(catalog, 'kept');
  broken.batch = broken.open = new Error('EIO: i/o error');
  await t.throwsAsync(insert(catalog, '1'), { instanceOf: StorageDown });
  broken.batch = undefined;
  await t.throwsAsync(insert(catalog, '2'), { instanceOf: StorageDown });
  await t.throwsAsync(catalog.get(notes, 'kept'), { instanceOf: StorageDown });
  await t.throwsAsync(ids(catalog), { instanceOf: StorageDown });
  broken.open = undefined;
  const [read, list] = await Promise.all([catalog.get(notes, 'kept'), ids(catalog)]);
  t.deepEqual(read, { id: 'kept' });
  t.deepEqual(list, ['kept']);
  await insert(catalog, '3');
  t.deepEqual(await ids(catalog), ['3', 'kept']);
});

test('leveldb: a walk survives a reopening', async (t) => {
  const { catalog, broken, reopenings } = await breakable();
  const names = Array.from({ length: 1200 }, (_, n) => String(n).padStart(4, '0'));
  await catalog.write(async (tx) => {
    for (const id of names) await tx.insert(notes, { id });
  });
  for (const reverse of [false, true]) {
    const before = reopenings();
    const seen: string[] = [];
    for await (const { record } of catalog.range(notes, 'id', { reverse })) {
      seen.push(record.id);
      if (seen.length !== 10) continue;
      broken.batch = new Error('EIO');
      await t.throwsAsync(insert(catalog, 'x'), { instanceOf: StorageDown });
      broken.batch = undefined;
      await catalog.write(async (tx) => tx.replace(notes, { id: '0000' }));
    }
    t.is(reopenings(), before + 1);
    t.deepEqual(seen, reverse ? names.toReversed() : names);
  }
});

/** The driver over a database that breaks as the test wants. */
async function breakable() {
  const engine = new MemoryLevel<string, string>();
  const broken: { batch?: Error; afterBatch?: Error; open?: Error; ready?: Error } = {};
  const batches: { size: number; sync: unknown }[] = [];
  await engine.open();
  let reopened = 0;
  engine.on('open', () => {
    reopened += 1;
  });
  engine.hooks.postopen.add(async () => {
    if (broken.open) throw broken.open;
  });
  const batch = engine.batch.bind(engine) as (operations: unknown[], options?: { sync?: boolean }) => Promise<void>;
  Object.assign(engine, {
    batch: async (operations: unknown[], options?: { sync?: boolean }) => {
      if (broken.batch) throw broken.batch;
      await batch(operations, options);
      if (broken.afterBatch) throw broken.afterBatch;
      batches.push({ size: operations.length, sync: options?.sync });
    },
  });
  const catalog = new LevelCatalog(engine, async () => {
    if (broken.ready) throw broken.ready;
  });
  return { engine, catalog, broken, batches, reopenings: () => reopened };
}

function insert(catalog: Catalog, id: string): Promise<void> {
  return catalog.write((tx) => tx.insert(notes, { id }));
}

async function ids(catalog: Catalog): Promise<string[]> {
  const found: string[] = [];
  for await (const { id } of catalog.list(notes)) found.push(id);
  return found;
}

async function openElsewhere(directory: string): Promise<void> {
  const script = `import { Level } from 'level';
    await new Level(process.argv[1]).open().catch((error) => console.log(error.cause.code));`;
  const printed = await run(script, directory);
  if (printed) throw new Error(printed);
}

async function run(script: string, ...args: string[]): Promise<string> {
  const here = dirname(fileURLToPath(import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, ...args], {
    cwd: here,
  });
  return stdout;
}
