import test from 'ava';
import { grant } from '../support/datacenters.js';
import { addUser } from '../support/fixtures.js';
import { addImage, manifest, resultOf, said, startFleet } from '../support/managed.js';

interface Lineage {
  origins: { uuid: string; image: { name: string } | null }[];
  descendants: { name: string; origin: string }[];
  more: boolean;
}

const built = (origin: string, version: string) => ({ manifest: { ...manifest, version, origin } });

test('the lineage tells of origins and descendants, and no more of what is hidden than its uuid', async (t) => {
  const server = await startFleet(t);
  const { root, eve, dora, will, mia, sam } = server;
  const base = await addImage(server, 'base', { dc_bound: false });
  await root('POST', '/api/dc/west/image/base', {});
  const web = await addImage(server, 'web', { ...built(base, '2'), access: 1 });
  await addImage(server, 'shop', built(web, '3'));
  await addImage(server, 'far', { ...built(base, '4'), dc: 'west' });

  const whole = resultOf<Lineage>(await root('GET', '/api/image/base/lineage'));
  t.deepEqual(whole.origins, []);
  t.deepEqual(whole.descendants.map(({ name }) => name).sort(), ['far', 'shop', 'web']);
  t.false(whole.more);

  const ofEast = resultOf<Lineage>(await eve('GET', '/api/image/base/lineage'));
  t.deepEqual(ofEast.descendants.map(({ name }) => name).sort(), ['shop', 'web']);
  t.deepEqual(
    resultOf<Lineage>(await dora('GET', '/api/image/shop/lineage')).origins.map(({ image }) => image?.name),
    ['web', 'base'],
  );

  // A member sees the public one only, and of its private origin the uuid that its manifest has.
  const asMember = resultOf<Lineage>(await mia('GET', '/api/image/web/lineage?dc=east'));
  t.deepEqual(asMember, { origins: [{ uuid: base, image: null }], descendants: [], more: false });
  t.is(said(await mia('GET', '/api/image/shop/lineage')), '404 ResourceNotFound');
  t.is(said(await will('GET', `/api/image/${web}/lineage`)), '404 ResourceNotFound');
  t.is(said(await sam('GET', '/api/image/web/lineage')), '404 ResourceNotFound');
  t.is(said(await mia('GET', '/api/image/web/lineage?dc=west')), '400 InvalidInput dc');
});

test('who sees several images of one name is told where they are, as far as they are there', async (t) => {
  const server = await startFleet(t);
  await addImage(server, 'web', { access: 1 });
  await addImage(server, 'web', { access: 1, dc: 'west' });
  const both = await addUser(server, 'both');
  await grant(server, both, 'east');
  await grant(server, both, 'west');
  const { json } = await server.ask('GET', '/api/image/web/manifest', { as: 'anonymous', headers: both.headers });
  t.deepEqual(
    json.errors?.map(({ message }) => message),
    ['dc: several images are named "web", in east, west: say which by dc, or by uuid'],
  );
  const { status } = await server.ask('GET', '/api/image/web/manifest?dc=west', {
    as: 'anonymous',
    headers: both.headers,
  });
  t.is(status, 200);
  await server.root('PUT', '/api/dc/east/settings', { anonymous: true });
  await server.root('PUT', '/api/dc/west/settings', { anonymous: true });
  const elsewhere = await server.sam('GET', '/api/image/web/manifest');
  t.deepEqual(
    elsewhere.json.errors?.map(({ message }) => message),
    ['dc: several images are named "web": say which by uuid'],
  );
});

test('manifest and file go to those who get them over IMGAPI, by name too', async (t) => {
  const server = await startFleet(t);
  const { root, eve, dora, mia, will, sam, ask } = server;
  const open = await addImage(server, 'open', { access: 1 });
  const closed = await addImage(server, 'closed');

  const told = resultOf<{ manifest: object; open: boolean; url: null }>(await mia('GET', '/api/image/open/manifest'));
  t.deepEqual(told.manifest, (await ask('GET', `/images/${open}`, { as: 'admin' })).json);
  t.is(told.url, null);
  t.false(told.open);
  await root('PUT', '/api/dc/east/settings', { anonymous: true, publicUrl: 'https://images.example.com' });
  const later = resultOf<{ open: boolean; url: string }>(await mia('GET', '/api/image/open/manifest?dc=east'));
  t.like(later, { open: true, url: 'https://images.example.com' });

  await eve('PUT', '/api/image/open/deprecate', { reason: 'old', replacement: 'closed' });
  for (const [who, replacement] of [
    [dora, { uuid: closed, name: 'base', version: '1.closed' }],
    [mia, null],
  ] as const) {
    const { deprecated } = resultOf(await who('GET', '/api/image/open/manifest'));
    t.deepEqual(deprecated, { reason: 'old', replacement });
  }

  for (const [who, name] of [
    [mia, 'open'],
    [dora, 'closed'],
    [eve, closed],
  ] as const) {
    const { status, headers, bytes } = await who('GET', `/api/image/${name}/file`);
    t.is(status, 200);
    t.is(String(bytes), 'the bytes');
    t.regex(String(headers['content-disposition']), /^attachment; filename="base-1\.(open|closed)\.zfs"$/);
  }
  for (const who of [mia, will, sam]) {
    t.is(said(await who('GET', '/api/image/closed/file')), '404 ResourceNotFound');
    t.is(said(await who('GET', `/api/image/${closed}/manifest`)), '404 ResourceNotFound');
  }
  t.is(said(await eve('GET', '/api/image/closed/file?index=1')), '404 ResourceNotFound');
  const beyond = await ask('GET', '/api/image/closed/file', { as: 'admin', headers: { range: 'bytes=1000-' } });
  t.is(`${beyond.status} ${beyond.headers['content-disposition']}`, '416 undefined');
  t.is(said(await eve('GET', '/api/image/closed/file?index=x')), '400 InvalidInput index');
});

test('a file that was taken from the console stands in the audit as a pull', async (t) => {
  const server = await startFleet(t);
  const uuid = await addImage(server, 'base');
  await server.eve('GET', '/api/image/base/file');
  await server.deps.audit.flush();
  const entries = resultOf<{ what: string; who: string }[]>(await server.eve('GET', `/api/audit?object=${uuid}`));
  t.true(entries.some(({ what, who }) => what === 'GetManagedImageFile' && who === 'eve'));
});

test('machines are asked for by the image that they use, each of them by those who administer its data center', async (t) => {
  const server = await startFleet(t);
  const { root, dora, will, mia } = server;
  const base = await addImage(server, 'base', { dc_bound: false });
  await root('POST', '/api/dc/west/image/base', {});
  const machine = (dc: string, hostname: string) => ({ hostname, dc, images: [{ disk: 1, image: base }] });
  await root('PUT', '/api/vm/00000000-0000-4000-8000-00000000000a', machine('east', 'web'));
  await root('PUT', '/api/vm/00000000-0000-4000-8000-00000000000b', machine('west', 'mail'));
  await root('PUT', '/api/vm/00000000-0000-4000-8000-00000000000c', { hostname: 'other', dc: 'east' });
  t.deepEqual(resultOf(await root('GET', `/api/vm?image=${base}`)), ['mail', 'web']);
  t.deepEqual(resultOf(await dora('GET', `/api/vm?image=${base}`)), ['web']);
  t.deepEqual(resultOf(await will('GET', `/api/vm?image=${base}&dc=west`)), ['mail']);
  t.is(said(await will('GET', '/api/vm?image=base')), '400 InvalidInput image');
  t.is(said(await mia('GET', `/api/vm?image=${base}`)), '403 NotPermitted');
});

test('a homepage is set and taken away again, and is an address that a browser can open safely', async (t) => {
  const server = await startFleet(t);
  const { eve, ask } = server;
  const uuid = await addImage(server, 'base');
  const set = (homepage: unknown) => eve('PUT', '/api/image/base', { homepage });
  t.is(said(await set('https://example.com/base')), '200');
  t.like(resultOf(await eve('GET', '/api/image/base')), { homepage: 'https://example.com/base' });
  t.like((await ask('GET', `/images/${uuid}`, { as: 'admin' })).json, { homepage: 'https://example.com/base' });
  for (const bad of [
    'javascript:alert(1)',
    'ftp://example.com',
    'example',
    7,
    `https://example.com/${'x'.repeat(512)}`,
  ]) {
    t.is(said(await set(bad)), '400 InvalidInput homepage');
  }
  t.like(resultOf(await set('')), { homepage: null });
  t.false('homepage' in (await ask('GET', `/images/${uuid}`, { as: 'admin' })).json);
});
