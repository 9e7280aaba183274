import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import type { DatacenterSettings } from '../../server/model/datacenter-settings.js';
import { usage } from '../../server/model/usage.js';
import { userUuid } from '../../server/model/user.js';
import { addImage, type Fleet, manifest, resultOf, said, startFleet } from '../support/managed.js';
import { kept } from '../support/told.js';

const MIB = 1024 ** 2;

const limit = ({ root }: Fleet, dc: string, settings: Partial<DatacenterSettings>) =>
  root('PUT', `/api/dc/${dc}/settings`, settings);

const limitUser = ({ root }: Fleet, name: string, image_bytes_limit: number | null) =>
  root('PUT', `/api/user/${name}`, { image_bytes_limit });

async function counted({ deps }: Fleet): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { of, images, bytes } of deps.catalog.list(usage)) {
    const [kind = '', id = ''] = of.split(':');
    const name = kind === 'owner' ? deps.directory.users.get(id)?.name : id;
    if (images !== 0 || bytes !== 0) found[`${kind} ${name}`] = `${images} images, ${bytes} bytes`;
  }
  return found;
}

/** An image that waits for its file. */
async function empty(fleet: Fleet, name: string, body: object = {}): Promise<string> {
  const made = await fleet.root('POST', `/api/image/${name}`, {
    manifest: { ...manifest, version: name },
    dc: 'east',
    ...body,
  });
  return resultOf<{ uuid: string }>(made).uuid;
}

const send = ({ ask }: Fleet, uuid: string, body: Buffer | PassThrough | string) =>
  ask('PUT', `/images/${uuid}/file?compression=none`, { body });

test('counts follow images, whoever changes them', async (t) => {
  const fleet = await startFleet(t);
  const { root, ask } = fleet;
  const web = await addImage(fleet, 'web');
  await addImage(fleet, 'common', { dc_bound: false });
  const east = (text: string) => ({ 'datacenter east': text });
  t.deepEqual(await counted(fleet), { ...east('1 images, 9 bytes'), 'owner admin': '2 images, 18 bytes' });
  await root('PUT', '/api/image/web', { owner: 'eve' });
  const both = { 'owner admin': '1 images, 9 bytes', 'owner eve': '1 images, 9 bytes' };
  t.deepEqual(await counted(fleet), { ...east('1 images, 9 bytes'), ...both });
  await root('PUT', '/api/image/web', { dc_bound: false });
  t.deepEqual(await counted(fleet), both, 'shared images count for their owner only');
  await root('PUT', '/api/image/common', { dc_bound: true });
  t.deepEqual(await counted(fleet), { ...east('1 images, 9 bytes'), ...both });
  await ask('DELETE', `/images/${web}`);
  t.deepEqual(await counted(fleet), { ...east('1 images, 9 bytes'), 'owner admin': '1 images, 9 bytes' });
  const second = await empty(fleet, 'second');
  await send(fleet, second, 'four');
  await send(fleet, second, 'sixsix');
  t.deepEqual(await counted(fleet), { ...east('2 images, 15 bytes'), 'owner admin': '2 images, 15 bytes' });
  for (const name of ['common', 'second']) await root('DELETE', `/api/image/${name}`);
  t.deepEqual(await counted(fleet), {});
});

test('so many images are bound to a data center, and no more; shared ones are not counted', async (t) => {
  const fleet = await startFleet(t);
  const { root, eve, ask } = fleet;
  await limit(fleet, 'east', { VMS_IMAGE_LIMIT: 1 });
  await addImage(fleet, 'common', { dc_bound: false });
  await addImage(fleet, 'one');
  const before = await kept(fleet);
  const two = { manifest: { ...manifest, version: '2' } };
  const refused = await eve('POST', '/api/image/two', two);
  t.is(said(refused), '400 QuotaExceeded');
  t.regex(refused.json.message ?? '', /data center east may have 1 image, and has 1/);
  t.is(said(await root('POST', '/api/image/two', { ...two, dc: 'east' })), '400 QuotaExceeded');
  const overImgapi = await ask('POST', '/images?dc=east', { body: { ...manifest, owner: userUuid('eve') } });
  t.is(said(overImgapi), '422 QuotaExceeded');
  const uuid = '00000000-0000-4000-8000-000000000001';
  const imported = await ask('POST', `/images/${uuid}?action=import&dc=east`, { body: { v: 2, uuid, ...manifest } });
  t.is(said(imported), '422 QuotaExceeded');
  t.deepEqual(await kept(fleet), before);
  t.is((await root('PUT', '/api/image/common', { dc_bound: true })).status, 200, 'SuperAdmins bind beyond it');
  await root('DELETE', '/api/image/common');
  await root('DELETE', '/api/image/one');
  t.is((await eve('POST', '/api/image/two', two)).status, 201);
});

test('of many that are made at the same time, as many as there is room for', async (t) => {
  const fleet = await startFleet(t);
  await limit(fleet, 'east', { VMS_IMAGE_LIMIT: 3 });
  const made = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      fleet.eve('POST', `/api/image/i${n}`, { manifest: { ...manifest, version: `${n}` } }),
    ),
  );
  t.deepEqual(made.map(({ status }) => status).sort(), [201, 201, 201, 400, 400, 400, 400, 400]);
  t.is(fleet.deps.listing.size, 3);
});

test('bytes of a data center and of an owner', async (t) => {
  const fleet = await startFleet(t);
  await limit(fleet, 'east', { imageBytesLimit: 10 });
  await limitUser(fleet, 'eve', 8);
  const east = await empty(fleet, 'east');
  const eves = await empty(fleet, 'eves', { dc_bound: false, owner: 'eve' });
  const refused = await send(fleet, east, 'eleven bytes');
  t.is(said(refused), '422 QuotaExceeded');
  t.regex(refused.json.message ?? '', /data center east may have 10 bytes: 12 are needed, 10 are left/);
  t.regex(
    (await send(fleet, eves, 'nine byte')).json.message ?? '',
    /owner eve may have 8 bytes: 9 are needed, 8 are left/,
  );
  t.deepEqual(await kept(fleet), { images: [east, eves].sort(), whole: 0, staged: 0 });
  t.is((await send(fleet, east, '8 bytes!')).status, 200);
  t.is((await send(fleet, east, '10 bytes!!')).status, 200, 'the new file takes the place of the old one');
  t.is((await send(fleet, eves, '8 bytes!')).status, 200);
  t.is(said(await fleet.root('PUT', '/api/image/east', { owner: 'eve' })), '400 QuotaExceeded', 'nor given away');
  t.is(said(await fleet.eve('PUT', '/api/user/eve', { image_bytes_limit: null })), '403 NotPermitted');
  t.is((await limitUser(fleet, 'eve', null)).status, 200);
  t.is((await fleet.root('PUT', '/api/image/east', { owner: 'eve' })).status, 200);
  t.is(await fleet.deps.reservations.bytesBeside(fleet.deps.catalog, 'datacenter:east'), 0);
});

test('what is on its way has its room: told sizes at once, others as they come; it is given back', async (t) => {
  const fleet = await startFleet(t);
  await limit(fleet, 'east', { imageBytesLimit: 20 * MIB });
  const [first, second] = [await empty(fleet, 'first'), await empty(fleet, 'second')];
  const slow = new PassThrough();
  const headers = { 'content-length': String(12 * MIB) };
  const path = (uuid: string) => `/images/${uuid}/file?compression=none`;
  const sending = fleet.ask('PUT', path(first), { body: slow, headers }).catch(() => undefined);
  slow.write('x');
  const reserved = () => fleet.deps.reservations.bytesBeside(fleet.deps.catalog, 'datacenter:east');
  while ((await reserved()) === 0) await setImmediate();
  t.is(await reserved(), 12 * MIB);
  const refused = await send(fleet, second, Buffer.alloc(9 * MIB));
  t.regex(refused.json.message ?? '', new RegExp(`${9 * MIB} are needed, ${8 * MIB} are left`));
  const untold = new PassThrough();
  untold.end(Buffer.alloc(9 * MIB));
  t.is(said(await send(fleet, second, untold)), '422 QuotaExceeded', 'a size that nobody told');
  const fits = new PassThrough();
  fits.end(Buffer.alloc(7 * MIB));
  t.is((await send(fleet, second, fits)).status, 200);
  slow.destroy(new Error('gone'));
  await sending;
  while ((await reserved()) > 0) await setImmediate();
  t.is((await send(fleet, first, Buffer.alloc(13 * MIB))).status, 200, 'an upload that was cut off takes no room');
  t.is(await reserved(), 0);
});

test('two that would fit alone do not fit together', async (t) => {
  const fleet = await startFleet(t);
  await limit(fleet, 'east', { imageBytesLimit: 3 * MIB });
  const uuids = await Promise.all(['a', 'b', 'c', 'd'].map((name) => empty(fleet, name)));
  const answers = await Promise.all(uuids.map((uuid) => send(fleet, uuid, Buffer.alloc(2 * MIB))));
  t.deepEqual(answers.map(({ status }) => status).sort(), [200, 422, 422, 422]);
  t.is((await counted(fleet))['datacenter east'], `4 images, ${2 * MIB} bytes`);
});
