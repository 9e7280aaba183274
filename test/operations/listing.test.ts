import test, { type ExecutionContext } from 'ava';
import type { Image } from '../../imgapi/image.js';
import { images } from '../../server/model/image.js';
import { elementsOf, openListing } from '../../server/operations/listing.js';
import { openCatalog } from '../../storage/open.js';
import { active } from '../imgapi/images.js';
import { numbered } from '../support/fixtures.js';
import { startServer } from '../support/server.js';

const many = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    active({
      uuid: numbered(n),
      name: `image-${n}`,
      public: true,
      tags: { role: 'web', n },
      description: 'é\n中'.repeat(90),
    }),
  );

async function catalogWith(t: ExecutionContext, records: readonly Image[]) {
  const catalog = await openCatalog({ kind: 'memory' });
  t.teardown(() => catalog.close());
  await catalog.write(async (tx) => {
    for (const image of records) await tx.insert(images, image);
  });
  return catalog;
}

test('what a start finds is listed as what was created while the server ran, to the letter', async (t) => {
  const records = [
    ...many(30).map((image) => ({ ...image, channels: ['dev'] })),
    active({
      uuid: numbered(100),
      public: true,
      channels: ['dev', 'release'],
      published_at: '2020-01-01T00:00:00.000Z',
    }),
  ];
  const options = {
    channels: [
      { name: 'dev', description: '', default: true },
      { name: 'release', description: '' },
    ],
  };
  const found = await startServer(t, { ...options, catalog: await catalogWith(t, records) });
  const told = await startServer(t, options);
  await told.deps.catalog.write(async (tx) => {
    for (const image of records) await tx.insert(images, image);
  });
  for (const query of [
    '',
    '?limit=7&marker=2026-01-01',
    '?name=~-2&channel=*',
    '?tag.role=web&channel=*',
    '?channel=*',
  ]) {
    for (const version of ['~1', '~2']) {
      const asked = { headers: { 'accept-version': version } };
      const [first, second] = [
        await found.ask('GET', `/images${query}`, asked),
        await told.ask('GET', `/images${query}`, asked),
      ];
      t.is(first.status, 200);
      t.is(first.bytes.toString(), second.bytes.toString());
      t.is(first.bytes.toString(), JSON.stringify(first.list, null, 2));
    }
  }
  t.is((await found.ask('GET', '/images?channel=*')).list.length, 31);
});

test('what was changed before it was ever listed is listed as it is', async (t) => {
  const server = await startServer(t, { catalog: await catalogWith(t, many(3)) });
  const { status } = await server.ask('POST', `/images/${numbered(1)}?action=update`, {
    body: { description: 'another', tags: { role: 'database' } },
  });
  t.is(status, 200);
  t.is((await server.ask('DELETE', `/images/${numbered(2)}`)).status, 204);
  const { list } = await server.ask('GET', '/images');
  t.deepEqual(
    list.map(({ uuid, description }) => ({ uuid, changed: description === 'another' })),
    [
      { uuid: numbered(0), changed: false },
      { uuid: numbered(1), changed: true },
    ],
  );
  t.deepEqual(
    (await server.ask('GET', '/images?tag.role=database')).list.map(({ uuid }) => uuid),
    [numbered(1)],
  );
});

test('others have their turn while many manifests are rendered, and a list is as it was when it was asked for', async (t) => {
  const catalog = await catalogWith(t, many(5000));
  const listing = await openListing(catalog, 'dc');
  t.teardown(() => listing.close());
  const found = [...listing.sorted];
  t.false(found.some(({ manifest }) => manifest.isRendered));

  const turns: number[] = [];
  const turn = setInterval(() => turns.push(found.filter(({ manifest }) => manifest.isRendered).length), 0);
  const rendering = elementsOf(found, 'plain');
  const [elements] = await Promise.all([
    rendering,
    catalog.write(async (tx) => {
      await tx.delete(images, numbered(4999));
      await tx.replace(images, { ...(await tx.get(images, numbered(0)))!, name: 'renamed' });
    }),
  ]);
  clearInterval(turn);

  t.true(turns.some((rendered) => rendered > 0 && rendered < found.length));
  t.is(elements.length, 5000);
  t.is(JSON.parse(String(elements[0]).slice(1)).name, 'image-0');
  t.is(JSON.parse(String(elements.at(-1)).slice(1)).uuid, numbered(4999));
  t.deepEqual(await elementsOf(found, 'plain'), elements);
  const after = await elementsOf(listing.sorted, 'plain');
  t.is(after.length, 4999);
  t.is(JSON.parse(String(after[0]).slice(1)).name, 'renamed');
});

test('an element that is kept keeps no more memory than its own', async (t) => {
  const listing = await openListing(await catalogWith(t, many(3)), 'dc');
  t.teardown(() => listing.close());
  for (const element of await elementsOf(listing.sorted, 'plain')) t.is(element.buffer.byteLength, element.length);
});
