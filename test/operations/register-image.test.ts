import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import type { Image } from '../../imgapi/image.js';
import { datacenters } from '../../server/model/datacenter.js';
import { images } from '../../server/model/image.js';
import { type Place, register } from '../../server/operations/register-image.js';
import { saveImage } from '../../server/operations/save-image.js';
import type { Tx } from '../../storage/catalog.js';
import { openCatalog } from '../../storage/open.js';
import { scratch } from '../support/scratch.js';

const NOW = new Date('2026-01-02T03:04:05Z');

const image = (name: string): Image => ({
  ...{ v: 2, uuid: randomUUID(), owner: '930896af-bf8c-48d4-885c-6573a94b1853', name, version: '1.0.0' },
  ...{ state: 'unactivated', disabled: false, public: false, type: 'zone-dataset', os: 'smartos', files: [] },
  activated: false,
});

const standing = { owner: '', alias: '', description: '', location: '', settings: {}, created: NOW.toISOString() };

async function opened(t: ExecutionContext) {
  const catalog = await openCatalog({ kind: 'leveldb', directory: await scratch(t) });
  t.teardown(() => catalog.close());
  await catalog.write(async (tx) => {
    for (const name of ['main', 'east', 'west']) await tx.insert(datacenters, { ...standing, name });
  });
  const add = async (tx: Tx, fresh: Image, place: Place) => {
    const registered = await register(tx, fresh, place, NOW);
    await saveImage(tx, undefined, registered, NOW);
    return registered.registration!.name;
  };
  const remove = async (tx: Tx, uuid: string) => saveImage(tx, await tx.get(images, uuid), undefined, NOW);
  return { catalog, add, remove };
}

const shared: Place = { datacenters: ['main'] };
const boundTo = (name: string): Place => ({ datacenters: [name], boundTo: name });
const told = (name: string, { uuid }: Image) => `${name}-${uuid.slice(0, 8)}`;

test('of two images of one name that come at once, each gets a name of its own', async (t) => {
  const { catalog, add } = await opened(t);
  const [one, other] = [image('base'), image('base')];
  const names = await Promise.all([one, other].map((fresh) => catalog.write((tx) => add(tx, fresh, shared))));
  t.deepEqual(names, ['base', told('base', other)]);
  const third = image('base');
  t.is(await catalog.write((tx) => add(tx, third, shared)), told('base', third));
});

test('a name is free when its image goes, for the next write of the same group, and for one behind it', async (t) => {
  const { catalog, add, remove } = await opened(t);
  const first = image('base');
  await catalog.write((tx) => add(tx, first, shared));
  const [, second] = await Promise.all([
    catalog.write((tx) => remove(tx, first.uuid)),
    catalog.write((tx) => add(tx, image('base'), shared)),
  ]);
  t.is(second, 'base');
  const third = image('base');
  t.is(await catalog.write((tx) => add(tx, third, shared)), told('base', third));
  await catalog.write((tx) => remove(tx, third.uuid));
});

test('one write may give a name up and give it again', async (t) => {
  const { catalog, add, remove } = await opened(t);
  const first = image('base');
  await catalog.write((tx) => add(tx, first, shared));
  const name = await catalog.write(async (tx) => {
    await remove(tx, first.uuid);
    return add(tx, image('base'), shared);
  });
  t.is(name, 'base');
});

test('a name that a refused write wanted is free', async (t) => {
  const { catalog, add } = await opened(t);
  const refused = catalog.write(async (tx) => {
    await add(tx, image('base'), shared);
    throw new Error('changed my mind');
  });
  const next = catalog.write((tx) => add(tx, image('base'), shared));
  await t.throwsAsync(refused, { message: 'changed my mind' });
  t.is(await next, 'base');
});

test('names that differ by case, or begin alike, are different names', async (t) => {
  const { catalog, add } = await opened(t);
  const wanted = ['base', 'Base', 'BASE', 'base-64', 'bas', 'base.'];
  const names = await Promise.all(wanted.map((name) => catalog.write((tx) => add(tx, image(name), shared))));
  t.deepEqual(names, wanted);
});

test('bound images have their names beside those of other data centers, but not beside shared ones', async (t) => {
  const { catalog, add } = await opened(t);
  const bound = (name: string, fresh = image('base')) => catalog.write((tx) => add(tx, fresh, boundTo(name)));
  t.deepEqual(await Promise.all([bound('east'), bound('west')]), ['base', 'base']);
  const [again, common] = [image('base'), image('base')];
  t.is(await bound('east', again), told('base', again));
  t.is(await catalog.write((tx) => add(tx, common, shared)), told('base', common));
});
