import test from 'ava';
import { type Fleet, manifest, resultOf, said, startFleet } from '../support/managed.js';
import { kept } from '../support/told.js';

async function withoutServer(t: Parameters<typeof startFleet>[0]): Promise<Fleet> {
  const fleet = await startFleet(t);
  await fleet.root('PUT', '/api/dc/main/settings', { VMS_IMAGE_VM: '' });
  return fleet;
}

test('records are made, changed and deleted, and stand in their data center', async (t) => {
  const fleet = await withoutServer(t);
  const made = await fleet.eve('POST', '/api/image/web', { manifest, access: 1 });
  t.is(made.status, 201);
  t.like(resultOf(made), { ready: true, not_ready: null, dcs: ['east'], dc_bound: true, status: 1 });
  t.deepEqual(resultOf<string[]>(await fleet.dora('GET', '/api/dc/east/image')), ['web']);
  const picked = resultOf<{ name: string }[]>(await fleet.mia('GET', '/api/dc/east/picker'));
  t.deepEqual(
    picked.map(({ name }) => name),
    ['web'],
  );
  t.is((await fleet.eve('PUT', '/api/image/web', { alias: 'other' })).status, 200);
  t.is((await fleet.eve('DELETE', '/api/image/web')).status, 200);
  t.deepEqual((await kept(fleet)).images, []);
});

test('files are refused before a byte is kept', async (t) => {
  const fleet = await withoutServer(t);
  const { uuid } = resultOf<{ uuid: string }>(await fleet.eve('POST', '/api/image/web', { manifest }));
  t.is(said(await fleet.ask('PUT', `/images/${uuid}/file?compression=none`, { body: 'bytes' })), '422 NoImageServer');
  t.deepEqual(await kept(fleet), { images: [uuid], whole: 0, staged: 0 });
  t.false(resultOf<{ may: string[] }>(await fleet.eve('GET', '/api/image/web')).may.includes('upload'));
});

test('whoever is signed in is told that there are records only', async (t) => {
  const fleet = await startFleet(t);
  const isSo = async () => resultOf<{ records_only: boolean }>(await fleet.sam('GET', '/api/account')).records_only;
  t.false(await isSo());
  await fleet.root('PUT', '/api/dc/main/settings', { VMS_IMAGE_VM: '' });
  t.true(await isSo());
});
