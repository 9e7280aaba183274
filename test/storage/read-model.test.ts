import test, { type ExecutionContext } from 'ava';
import { openMemoryCatalog } from '../../storage/catalog/leveldb.js';
import type { Catalog, Kind } from '../../storage/catalog.js';
import { ReadModel } from '../../storage/read-model.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { gate } from '../support/gate.js';

interface Ship {
  id: string;
  built: number;
}
interface View {
  id: string;
  built: number;
  label: string;
}
const ships: Kind<Ship> = { name: 'ships', id: ({ id }) => id };

const shape = {
  project: ({ id, built }: Ship): View => ({ id, built, label: `${id} of ${built}` }),
  compare: (a: View, b: View) => a.built - b.built || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  rank: ({ built }: View) => built,
  groups: ({ id, built }: View) => [id, String(built)],
};

test('holds what was there, in order', async (t) => {
  const { catalog, model } = await opened(t, [
    { id: 'c', built: 1900 },
    { id: 'a', built: 1950 },
    { id: 'b', built: 1900 },
  ]);
  t.deepEqual(labels(model), ['b of 1900', 'c of 1900', 'a of 1950']);
  t.is(model.size, 3);
  t.is(model.get('a')?.label, 'a of 1950');
  t.is(model.get('x'), undefined);
  await catalog.close();
});

test('follows every write, before it is acknowledged', async (t) => {
  const { catalog, model } = await opened(t, [{ id: 'a', built: 1950 }]);
  await catalog.write(async (tx) => {
    await tx.insert(ships, { id: 'b', built: 1900 });
    await tx.insert(ships, { id: 'c', built: 2000 });
  });
  t.deepEqual(labels(model), ['b of 1900', 'a of 1950', 'c of 2000']);
  await catalog.write((tx) => tx.replace(ships, { id: 'b', built: 1960 }));
  t.deepEqual(labels(model), ['a of 1950', 'b of 1960', 'c of 2000']);
  t.is(model.get('b')?.built, 1960);
  await catalog.write((tx) => tx.delete(ships, 'a'));
  t.deepEqual(labels(model), ['b of 1960', 'c of 2000']);
  t.is(model.get('a'), undefined);
  t.is(model.size, 2);
});

test('a record that comes and goes in one write is nowhere', async (t) => {
  const { catalog, model } = await opened(t, []);
  await catalog.write(async (tx) => {
    await tx.insert(ships, { id: 'a', built: 1 });
    await tx.delete(ships, 'a');
  });
  t.deepEqual(labels(model), []);
});

test('keeps its order through a thousand changes', async (t) => {
  const { catalog, model } = await opened(t, []);
  const expected = new Map<string, Ship>();
  for (let n = 0; n < 1000; n++) {
    const ship = { id: `s${(n * 7) % 100}`, built: (n * 31) % 17 };
    const known = expected.has(ship.id);
    const gone = known && n % 3 === 0;
    await catalog.write(async (tx) => {
      if (gone) await tx.delete(ships, ship.id);
      else if (known) await tx.replace(ships, ship);
      else await tx.insert(ships, ship);
    });
    if (gone) expected.delete(ship.id);
    else expected.set(ship.id, ship);
  }
  t.deepEqual(
    labels(model),
    [...expected.values()]
      .map(shape.project)
      .sort(shape.compare)
      .map(({ label }) => label),
  );
});

test('groups are in order, and follow every write', async (t) => {
  const { catalog, model } = await opened(t, [
    { id: 'a', built: 1950 },
    { id: 'b', built: 1900 },
    { id: 'c', built: 1950 },
  ]);
  const within = (...groups: string[]) => model.within(groups).map(({ label }) => label);
  t.deepEqual(within('1950'), ['a of 1950', 'c of 1950']);
  t.deepEqual(within('c', '1950', '1900'), ['b of 1900', 'a of 1950', 'c of 1950']);
  t.deepEqual(within('1800'), []);
  t.deepEqual(within(), []);
  await catalog.write((tx) => tx.replace(ships, { id: 'a', built: 1900 }));
  t.deepEqual(within('1950'), ['c of 1950']);
  t.deepEqual(within('1900'), ['a of 1900', 'b of 1900']);
  await catalog.write((tx) => tx.delete(ships, 'c'));
  t.deepEqual(within('1950', 'c'), []);
});

test('groups come to the same as a walk over all, through a thousand changes', async (t) => {
  const { catalog, model } = await opened(t, []);
  const known = new Set<string>();
  for (let n = 0; n < 1000; n++) {
    const ship = { id: `s${(n * 7) % 100}`, built: (n * 31) % 17 };
    const gone = known.has(ship.id) && n % 3 === 0;
    await catalog.write(async (tx) => {
      if (gone) await tx.delete(ships, ship.id);
      else if (known.has(ship.id)) await tx.replace(ships, ship);
      else await tx.insert(ships, ship);
    });
    if (gone) known.delete(ship.id);
    else known.add(ship.id);
    const groups = [0, 1, 2, 5].map((step) => String((n + step) % 17)).concat(`s${n % 100}`, 's14');
    const expected = model.sorted.filter((view) => shape.groups(view).some((group) => groups.includes(group)));
    t.deepEqual(model.within(groups), expected);
  }
});

test('what changes while it loads wins over what is loaded', async (t) => {
  const catalog = await openMemoryCatalog();
  for (const id of ['a', 'b', 'c']) await catalog.write((tx) => tx.insert(ships, { id, built: 1 }));
  const reading = gate();
  const changed = gate();
  const opening = ReadModel.open(pausedAfterFirst(catalog, reading.open, changed.opened), ships, shape);
  await reading.opened;
  await catalog.write(async (tx) => {
    await tx.replace(ships, { id: 'a', built: 2 });
    await tx.delete(ships, 'b');
    await tx.insert(ships, { id: 'd', built: 0 });
  });
  changed.open();
  t.deepEqual(labels(await opening), ['d of 0', 'c of 1', 'a of 2']);
});

test('does not follow any more once it is closed', async (t) => {
  const { catalog, model } = await opened(t, []);
  model.close();
  await catalog.write((tx) => tx.insert(ships, { id: 'a', built: 1 }));
  t.is(model.size, 0);
});

test('a load that fails leaves no follower', async (t) => {
  const catalog = await openMemoryCatalog();
  await catalog.write((tx) => tx.insert(ships, { id: 'a', built: 1 }));
  const seen: string[] = [];
  const project = (ship: Ship) => {
    seen.push(ship.id);
    throw new Error('unreadable');
  };
  await t.throwsAsync(ReadModel.open(catalog, ships, { ...shape, project }), { message: 'unreadable' });
  await catalog.write((tx) => tx.insert(ships, { id: 'b', built: 1 }));
  t.deepEqual(seen, ['a']);
});

async function opened(t: ExecutionContext, records: Ship[]): Promise<{ catalog: Catalog; model: ReadModel<View> }> {
  const catalog = await openMemoryCatalog();
  t.teardown(() => catalog.close());
  await catalog.write(async (tx) => {
    for (const record of records) await tx.insert(ships, record);
  });
  return { catalog, model: await ReadModel.open(catalog, ships, shape) };
}

const labels = (model: ReadModel<View>) => model.sorted.map(({ label }) => label);

function pausedAfterFirst(catalog: Catalog, reached: () => void, goOn: Promise<void>): Catalog {
  return wrappedCatalog(catalog, {
    async *pages(kind) {
      for await (const page of catalog.pages(kind)) {
        for (const stored of page) {
          yield [stored];
          reached();
          await goOn;
        }
      }
    },
  });
}
