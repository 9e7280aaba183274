import test from 'ava';
import { addNodeToken, place, stored } from '../support/datacenters.js';
import { addImage, type Fleet, resultOf, said, startFleet } from '../support/managed.js';

const named = (answer: Parameters<typeof resultOf>[0]) => resultOf<string[]>(answer);

test('a data center lists what is attached to it, for its administrators', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'mine');
  await addImage(fleet, 'gone', { access: 4 });
  const inner = await addImage(fleet, 'inner');
  await place(fleet, inner, { access: 'internal' });
  await addImage(fleet, 'theirs', { dc: 'west' });
  await addImage(fleet, 'common', { dc_bound: false });
  const everywhere = await addImage(fleet, 'everywhere', { dc: 'west', dc_bound: false });
  await place(fleet, everywhere, { global: true });
  const { root, eve, dora, will, mia, sam } = fleet;
  for (const by of [root, eve, dora]) {
    t.deepEqual(named(await by('GET', '/api/dc/east/image/')), ['common', 'everywhere', 'mine']);
  }
  const withDeleted = '/api/dc/east/image?deleted=True';
  for (const by of [root, eve])
    t.deepEqual(named(await by('GET', withDeleted)), ['common', 'everywhere', 'gone', 'mine']);
  t.deepEqual(named(await dora('GET', withDeleted)), ['common', 'everywhere', 'mine'], 'those who manage images only');
  t.is(said(await will('GET', '/api/dc/east/image')), '404 ResourceNotFound');
  t.is(said(await will('GET', '/api/dc/nowhere/image')), '404 ResourceNotFound');
  t.is(said(await root('GET', '/api/dc/nowhere/image')), '404 ResourceNotFound');
  for (const by of [mia, sam]) t.is(said(await by('GET', '/api/dc/east/image')), '403 NotPermitted');
  const [first] = resultOf<Record<string, unknown>[]>(await dora('GET', '/api/dc/east/image?full'));
  t.like(first!, { name: 'common', dc_bound: false, dcs: ['east'], may: [] });
});

test('an image in a data center, retired ones too', async (t) => {
  const fleet = await startFleet(t);
  await addImage(fleet, 'gone', { access: 4 });
  await addImage(fleet, 'theirs', { dc: 'west' });
  const { dora, mia, will } = fleet;
  t.like(resultOf(await dora('GET', '/api/dc/east/image/gone')), { access: 4, badges: ['retired', 'not ready'] });
  t.is(said(await dora('GET', '/api/dc/east/image/theirs')), '404 ResourceNotFound');
  t.is(said(await dora('GET', '/api/dc/west/image/theirs')), '404 ResourceNotFound');
  t.is(said(await will('GET', '/api/dc/west/image/gone')), '404 ResourceNotFound');
  t.is(said(await mia('GET', '/api/dc/east/image/gone')), '403 NotPermitted');
});

test('attached, and shared from then on; detached again', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'web', { access: 1 });
  const node = await addNodeToken(fleet, 'n1', ['west']);
  const onNode = async () => (await fleet.ask('GET', '/images', { headers: node })).list.map((image) => image.uuid);
  const { root, eve, will } = fleet;
  t.deepEqual(await onNode(), []);
  t.is(said(await root('POST', '/api/dc/east/image/web')), '406 ObjectAlreadyExists');
  t.is((await stored(fleet, uuid)).registration?.boundTo, 'east', 'a refusal changes nothing');
  const attached = await root('POST', '/api/dc/west/image/web/', {});
  t.is(attached.status, 201);
  t.is(attached.json.status, 'SUCCESS');
  t.like(resultOf(attached), { dc_bound: false, dcs: ['east', 'west'] });
  t.deepEqual(await onNode(), [uuid]);
  t.deepEqual(named(await will('GET', '/api/dc/west/image')), ['web']);
  t.is(said(await eve('PUT', '/api/image/web', { desc: 'mine' })), '403 NotPermitted');
  t.is((await root('DELETE', '/api/dc/west/image/web')).status, 200);
  t.deepEqual(await onNode(), []);
  t.is(said(await root('DELETE', '/api/dc/west/image/web')), '404 ResourceNotFound');
});

test('only SuperAdmins attach and detach, whatever there is', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'web');
  const before = await stored(fleet, uuid);
  const { root, eve, dora, sam } = fleet;
  for (const by of [eve, dora, sam]) {
    for (const [dc, name] of [
      ['west', 'web'],
      ['west', 'absent'],
      ['nowhere', 'web'],
      ['east', 'web'],
    ]) {
      t.is(said(await by('POST', `/api/dc/${dc}/image/${name}`)), '403 NotPermitted');
      t.is(said(await by('DELETE', `/api/dc/${dc}/image/${name}`)), '403 NotPermitted');
    }
  }
  for (const path of ['/api/dc/nowhere/image/web', '/api/dc/west/image/absent']) {
    t.is(said(await root('POST', path)), '404 ResourceNotFound');
    t.is(said(await root('DELETE', path)), '404 ResourceNotFound');
  }
  t.deepEqual(await stored(fleet, uuid), before);
});

test('what is everywhere is not detached from one place', async (t) => {
  const fleet = await startFleet(t);
  const uuid = await addImage(fleet, 'web');
  await place(fleet, uuid, { global: true });
  t.is(said(await fleet.root('POST', '/api/dc/west/image/web')), '406 ObjectAlreadyExists');
  t.is(said(await fleet.root('DELETE', '/api/dc/west/image/web')), '400 InvalidInput global');
});

test('attach and detach at the same time end in one of the orders', async (t) => {
  const fleet: Fleet = await startFleet(t);
  await addImage(fleet, 'web');
  const all = await Promise.all(Array.from({ length: 8 }, () => fleet.root('POST', '/api/dc/west/image/web')));
  t.deepEqual(all.map(({ status }) => status).sort(), [201, 406, 406, 406, 406, 406, 406, 406]);
  const gone = await Promise.all(Array.from({ length: 8 }, () => fleet.root('DELETE', '/api/dc/west/image/web')));
  t.deepEqual(gone.map(({ status }) => status).sort(), [200, 404, 404, 404, 404, 404, 404, 404]);
});

test('in one data center only: from wherever it was, in one write, and not from machines of others', async (t) => {
  const fleet = await startFleet(t);
  const { root, eve, will } = fleet;
  const uuid = await addImage(fleet, 'web');
  const only = (dc: string) => root('POST', `/api/dc/${dc}/image/${uuid}`, { only: true });
  const shown = async () => resultOf(await root('GET', `/api/image/${uuid}`));
  await root('POST', '/api/dc/west/image/web');
  t.like(resultOf(await only('west')), { global: false, dc_bound: true, dcs: ['west'] });
  t.deepEqual(named(await eve('GET', '/api/dc/east/image')), []);
  t.is((await will('PUT', `/api/image/${uuid}`, { desc: 'mine' })).status, 200);

  await root('PUT', `/api/image/${uuid}`, { global: true });
  await root('PUT', '/api/vm/00000000-0000-4000-8000-000000000001', {
    hostname: 'user1',
    dc: 'east',
    images: [{ disk: 1, image: uuid }],
  });
  const refused = await only('west');
  t.is(said(refused), '428 ImageInUse');
  t.regex(String(refused.json.message), /user1/);
  t.like(await shown(), { global: true });
  t.like(resultOf(await only('east')), { global: false, dc_bound: true, dcs: ['east'] });
  t.like(resultOf(await only('east')), { dc_bound: true, dcs: ['east'] }, 'once more is no harm');
  t.is(said(await only('nowhere')), '404 ResourceNotFound');
  for (const by of [eve, will]) {
    t.regex(said(await by('POST', `/api/dc/west/image/${uuid}`, { only: true })), /^40[34] /);
  }
  t.is(said(await root('POST', `/api/dc/west/image/${uuid}`, { only: 'yes' })), '400 InvalidInput only');
});
