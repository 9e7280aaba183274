import test from 'ava';
import { datacenters } from '../../server/model/datacenter.js';
import type { DatacenterSettings } from '../../server/model/datacenter-settings.js';
import { place } from '../support/datacenters.js';
import { addImage, disk, type Fleet, manifest, resultOf, said, startFleet } from '../support/managed.js';

interface Offer {
  name: string;
  default: boolean;
  golden: boolean;
  belongs: string;
  groups: string[];
  class: string | null;
}

const offers = async (by: Fleet['eve'], query = '') =>
  resultOf<Offer[]>(await by('GET', `/api/dc/east/picker${query}`));
const names = async (by: Fleet['eve'], query = '') => (await offers(by, query)).map(({ name }) => name);
const preselected = async (by: Fleet['eve']) =>
  (await offers(by)).filter((offer) => offer.default).map(({ name }) => name);

async function configure({ deps }: Fleet, settings: Partial<DatacenterSettings>, location = ''): Promise<void> {
  await deps.catalog.write(async (tx) => {
    const before = await tx.get(datacenters, 'east');
    await tx.replace(datacenters, { ...before!, location, settings });
  });
}

test('only what can be used right now', async (t) => {
  const fleet = await startFleet(t);
  const { root, mia, eve, will, sam } = fleet;
  await addImage(fleet, 'open', { access: 1 });
  await addImage(fleet, 'old', { access: 1 });
  await addImage(fleet, 'gone', { access: 4 });
  await addImage(fleet, 'private');
  await addImage(fleet, 'mias', { owner: 'mia' });
  await addImage(fleet, 'theirs', { dc: 'west', access: 1 });
  const disabled = await addImage(fleet, 'disabled', { access: 1 });
  const pending = await addImage(fleet, 'pending', { access: 1 });
  await fleet.ask('POST', `/images/${disabled}?action=disable`);
  await place(fleet, pending, { pending: { task: 'x', what: 'testing' } });
  await root('PUT', '/api/image/old/deprecate', {});
  await root('POST', '/api/image/empty', { manifest: { ...manifest, version: '9' }, dc: 'east', access: 1 });
  t.deepEqual(await names(mia), ['mias', 'open']);
  t.deepEqual(await names(eve), ['open'], 'private images of others are theirs');
  t.deepEqual(await names(root), ['mias', 'open', 'private']);
  t.deepEqual(await names(eve, '?user=mia'), ['mias', 'open']);
  await configure(fleet, { privateUsableByDcAdmin: true });
  t.deepEqual(await names(eve), ['mias', 'open', 'private']);
  t.is(said(await mia('GET', '/api/dc/east/picker?user=eve')), '403 NotPermitted');
  for (const name of ['sam', 'will', 'absent']) {
    t.is(said(await eve('GET', `/api/dc/east/picker?user=${name}`)), '400 InvalidInput user', name);
  }
  t.is(said(await root('GET', '/api/dc/east/picker?user=absent')), '400 InvalidInput user');
  for (const dc of ['east', 'nowhere']) t.is(said(await will('GET', `/api/dc/${dc}/picker`)), '404 ResourceNotFound');
  t.is(said(await sam('GET', '/api/dc/east/picker')), '403 NotPermitted');
  await root('DELETE', '/api/image/old/deprecate');
  t.deepEqual(await names(mia), ['mias', 'old', 'open']);
});

test('by what a machine shall be, and where', async (t) => {
  const fleet = await startFleet(t);
  const { mia } = fleet;
  await configure(fleet, {}, 'harbour');
  await addImage(fleet, 'zone', { access: 1, golden: true });
  await addImage(fleet, 'vm', { access: 1, manifest: { ...disk, tags: { class: 'render' } } });
  await addImage(fleet, 'lx', { access: 1, manifest: { ...manifest, type: 'lx-dataset', os: 'linux', version: '2' } });
  t.deepEqual(await names(mia, '?ostype=1'), ['vm']);
  t.deepEqual(await names(mia, '?ostype=5'), ['zone']);
  t.deepEqual(await names(mia, '?ostype=6'), ['lx']);
  t.deepEqual(await names(mia, '?class=render'), ['lx', 'vm', 'zone']);
  t.deepEqual(await names(mia, '?class=desktop'), ['lx', 'zone']);
  t.deepEqual(await names(mia, '?location=harbour&ostype=5'), ['zone']);
  t.deepEqual(await names(mia, '?location=elsewhere'), []);
  t.is(said(await mia('GET', '/api/dc/east/picker?ostype=7')), '400 InvalidInput ostype');
  t.is(said(await mia('GET', '/api/dc/east/picker?colour=red')), '400 InvalidInput colour');
  const [lx, vm, zone] = await offers(mia);
  t.deepEqual(
    [lx, vm].map((offer) => offer?.class),
    [null, 'render'],
  );
  t.like(zone!, { golden: true, belongs: 'system' });
  t.like(lx!, { golden: false });
});

test('to whom an image belongs is told by the groups that are known', async (t) => {
  const fleet = await startFleet(t);
  const { root, eve, mia, deps } = fleet;
  const uuid = await addImage(fleet, 'ours', { access: 1 });
  await root('POST', '/api/group/crew', { users: ['mia'] });
  await root('POST', '/api/group/others', { users: [] });
  await root('POST', '/api/group/abroad', { users: ['mia'] });
  for (const name of ['crew', 'others']) await root('POST', `/api/dc/east/group/${name}`);
  await root('POST', '/api/dc/west/group/abroad');
  t.like((await offers(mia))[0], { name: 'ours', belongs: 'system', groups: [] });
  await place(fleet, uuid, { groups: ['abroad', 'crew', 'others'] });
  t.deepEqual(deps.directory.groups.get('abroad')?.datacenters, ['west']);
  t.like((await offers(mia))[0], { name: 'ours', belongs: 'group', groups: ['crew'] });
  t.like((await offers(eve, '?user=mia'))[0], { groups: ['crew', 'others'] }, 'administrators know those of theirs');
});

test('what is preselected: as the data center says, for zones else the first one', async (t) => {
  const fleet = await startFleet(t);
  const { mia, root } = fleet;
  const lx = { ...manifest, type: 'lx-dataset', os: 'linux' };
  await addImage(fleet, 'a-zone', { access: 1 });
  await addImage(fleet, 'b-zone', { access: 1, alias: 'b' });
  await addImage(fleet, 'a-vm', { access: 1, manifest: disk });
  await addImage(fleet, 'b-vm', { access: 1, manifest: disk, alias: 'b-vm' });
  await addImage(fleet, 'a-lx', { access: 1, manifest: { ...lx, version: '3' } });
  await addImage(fleet, 'alpine-3', { access: 1, manifest: { ...lx, version: '4' } });
  t.deepEqual(await preselected(mia), ['a-zone', 'alpine-3']);
  await configure(fleet, { VMS_DISK_IMAGE_DEFAULT: 'b-vm', VMS_DISK_IMAGE_ZONE_DEFAULT: 'b-zone' });
  t.deepEqual(await preselected(mia), ['alpine-3', 'b-vm', 'b-zone']);
  await root('PUT', '/api/image/b-zone/deprecate', {});
  t.deepEqual(await preselected(mia), ['a-zone', 'alpine-3', 'b-vm']);
  await configure(fleet, { VMS_DISK_IMAGE_DEFAULT: 'a-zone', VMS_DISK_IMAGE_LX_ZONE_DEFAULT: 'absent' });
  t.deepEqual(await preselected(mia), ['a-zone'], 'an image of another kind is no default of this one');
});
