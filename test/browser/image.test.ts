import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { nodeImages } from '../../server/model/node-image.js';
import { addFamily } from '../support/ancestry.js';
import { until } from '../support/catalogs.js';
import { place } from '../support/datacenters.js';
import { numbered } from '../support/fixtures.js';
import { addImage, manifest, resultOf, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

const boxOf = (page: Page, title: string) =>
  page.locator('section').filter({ has: page.getByRole('heading', { name: title, exact: true }) });
const titleOf = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 });

test('a SuperAdmin finds on the page of an image all that is known of it', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const { base, web } = await addFamily(server, { machines: 120 });
  const at = server.deps.now().toISOString();
  await server.root('PUT', '/api/node/n1', { datacenters: 'east' });
  await server.deps.catalog.write(async (tx) => {
    const copy = { node: 'n1', pool: 'zones', image: web, changed: at, seen: at };
    await tx.insert(nodeImages, { ...copy, state: 'ready' as const });
  });
  const machine = { vm: numbered(7), hostname: 'builder', disk: 1, snapshot: 'monday', datacenter: 'east', node: 'n1' };
  await place(server, web, { provenance: { by: 'eve', machine } }, { homepage: 'https://example.com/web' });
  const shown = resultOf<{ files: { sha1: string; sha256: string }[] }>(await server.root('GET', '/api/image/web'));

  const { page, context, open, complaints } = await takeSeat(t, server, { token: server.token, acceptDownloads: true });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open('/image/web');
  await titleOf(page, 'web').waitFor();

  const facts = await boxOf(page, 'What it is').innerText();
  for (const fact of ['for shops', web, 'smartos', 'zone-dataset', 'its manifest does not say'])
    t.true(facts.includes(fact), fact);
  const homepage = page.getByRole('link', { name: 'https://example.com/web' });
  t.is(await homepage.getAttribute('rel'), 'noreferrer noopener');
  const files = await boxOf(page, 'Its file').innerText();
  for (const digest of [shown.files[0]!.sha1, shown.files[0]!.sha256]) t.true(files.includes(digest), digest);
  t.like(shown.files[0], { size: 9, compression: 'none' });
  t.regex(files, /Size\s+9 B\s+Packed\s+not at all/);
  const came = await boxOf(page, 'Where it came from').innerText();
  for (const fact of ['eve', 'builder', 'disk 1', 'monday', 'east', 'n1']) t.true(came.includes(fact), fact);
  t.regex(await boxOf(page, 'Who can use it').innerText(), /only data center east/);
  const places = boxOf(page, 'Where it is');
  t.regex(await places.getByRole('list', { name: 'nodes' }).innerText(), /n1 zones\s+ready/);
  t.true(await places.getByRole('link', { name: 'n1' }).isVisible());

  await page.getByRole('button', { name: 'copy the uuid' }).click();
  await page.getByText('the uuid copied').waitFor();
  // It is set when the page has been drawn.
  t.is(await page.title(), 'web · Slipway');
  t.is(await page.evaluate('navigator.clipboard.readText()'), web);
  await page.getByRole('button', { name: 'copy the command for a node' }).click();
  await page.getByText('the command for a node copied').waitFor();
  t.is(await page.evaluate('navigator.clipboard.readText()'), `imgadm import ${web}`);
  t.regex(await boxOf(page, 'How to pull it').innerText(), /Authorization: Bearer \$SLIPWAY_TOKEN/);
  await page.getByText('The manifest, as nodes get it').click();
  const text = await page.locator('.manifest pre').innerText();
  t.deepEqual(JSON.parse(text), (await server.ask('GET', `/images/${web}`, { as: 'admin' })).json);

  const downloading = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download the file' }).click();
  const download = await downloading;
  t.is(download.suggestedFilename(), 'web-2.0.zfs');
  t.is(String(await readFile(await download.path())), 'the bytes');

  // A pull is noted when its sending has ended: the browser may have all of it before.
  await until(async () => {
    await server.deps.audit.flush();
    const pulls = await server.root('GET', `/api/audit?object=${web}&what=GetManagedImageFile`);
    return resultOf<object[]>(pulls).length > 0;
  }, 'the pull is noted');
  await page.reload();
  const machines = page.getByRole('grid', { name: 'Machines that use web' });
  await machines.getByText('web-001', { exact: true }).waitFor();
  t.is(await machines.getAttribute('aria-rowcount'), '121');
  await machines.focus();
  await page.keyboard.press('End');
  await machines.getByText('web-120', { exact: true }).waitFor();

  const history = page.getByRole('grid', { name: 'What was done to web' });
  await history.getByRole('button', { name: 'GetManagedImageFile' }).first().waitFor();
  await history.getByRole('button', { name: 'CreateManagedImage' }).click();
  await page.getByRole('dialog', { name: 'CreateManagedImage' }).getByText('admin', { exact: false }).first().waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).click();
  t.deepEqual(await seriousOf(page), []);

  const lineage = page.getByRole('list', { name: 'lineage' });
  await lineage.getByText('shop').waitFor();
  t.deepEqual(await lineage.locator('.node').allInnerTexts(), ['base 1.base', 'web 2.0 this image', 'shop 3.0']);
  t.is(await lineage.locator('[aria-current=true]').innerText(), 'web 2.0 this image');
  await lineage.getByRole('link', { name: 'base' }).click();
  await titleOf(page, 'base').waitFor();
  await page.getByText('It is built on no other image, 2 images on it.').waitFor();
  t.true(page.url().endsWith(`/console/image/${base}`));
  t.deepEqual(complaints, []);
});

test('administrators only read it, members see what they may use, and nobody learns of what is hidden', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const { web, shop } = await addFamily(server, { machines: 1 });
  await server.root('PUT', '/api/image/web', { users: 'mia' });

  const dora = await takeSeat(t, server, { token: 'token-of-dora' });
  await dora.open('/image/web');
  await titleOf(dora.page, 'web').waitFor();
  await dora.page.getByText('web-001').waitFor();
  t.is(await dora.page.getByRole('button', { name: /^(Change|actions of)/ }).count(), 0);
  t.deepEqual(await seriousOf(dora.page), []);
  await dora.page.getByRole('list', { name: 'lineage' }).getByRole('link', { name: 'shop' }).click();
  await titleOf(dora.page, 'shop').waitFor();
  await dora.page.getByText('No machine that you can see uses it.').waitFor();

  const mia = await takeSeat(t, server, { token: 'token-of-mia', acceptDownloads: true });
  await mia.open('/image/web?dc=east');
  await titleOf(mia.page, 'web').waitFor();
  await mia.page.getByText('private, and shared with you').waitFor();
  t.is(await mia.page.getByRole('grid').count(), 0);
  await mia.page.getByText('not here, or not for you to see').waitFor();
  const downloading = mia.page.waitForEvent('download');
  await mia.page.getByRole('link', { name: 'Download the file' }).click();
  t.is(String(await readFile(await (await downloading).path())), 'the bytes');
  t.deepEqual(await seriousOf(mia.page), []);
  await mia.settled();
  t.false(mia.received.join().includes(shop));
  t.false(mia.received.join().includes('web-001'));
  await mia.open(`/image/${shop}`);
  await titleOf(mia.page, 'There is no such image').waitFor();

  for (const who of ['will', 'sam']) {
    const seat = await takeSeat(t, server, { token: `token-of-${who}` });
    await seat.open('/image/web');
    await titleOf(seat.page, 'There is no such image').waitFor();
    await seat.settled();
    t.false(seat.received.join().includes(web), who);
    t.deepEqual(seat.complaints, []);
  }
  t.deepEqual([...dora.complaints, ...mia.complaints], []);
});

test('why an image is not ready stands above all else, with what helps, and goes away by itself', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const made = await server.eve('POST', '/api/image/new', { manifest, dc: 'east' });
  const { uuid } = resultOf<{ uuid: string }>(made);
  const { page, open, complaints } = await takeSeat(t, server, { token: 'token-of-eve' });
  await open('/image/new');
  const why = page.getByRole('region', { name: 'why it is not ready' });
  await why.getByText('It is not ready: its file has not arrived.').waitFor();
  await why.getByText(`slipway upload FILE --uuid ${uuid}`).waitFor();
  await page.getByText('There is nothing to pull yet').waitFor();
  t.deepEqual(await seriousOf(page), []);
  await page.getByText('live', { exact: true }).waitFor();

  await server.ask('PUT', `/images/${uuid}/file?compression=none`, { body: 'the bytes' });
  await why.getByText('It is not ready: it is not activated yet.').waitFor();
  await server.eve('PUT', '/api/image/new/activate', {});
  await why.waitFor({ state: 'detached' });
  await page.getByText('ready', { exact: true }).waitFor();

  await server.ask('POST', `/images/${uuid}?action=disable`);
  await why.getByText(`slipway enable ${uuid}`).waitFor();
  await server.ask('POST', `/images/${uuid}?action=enable`);
  await server.eve('PUT', '/api/image/new/deprecate', { reason: 'too old' });
  await page.getByText('It is deprecated: too old.').waitFor();
  t.deepEqual(complaints, []);
});

test('the file that an image waits for is sent from its page, and not by those who may not', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const made = await server.eve('POST', '/api/image/new', { manifest, dc: 'east' });
  const { uuid } = resultOf<{ uuid: string }>(made);
  const dora = await takeSeat(t, server, { token: 'token-of-dora' });
  await dora.open('/image/new');
  await dora.page.getByText('Whoever manages it has to send it.').waitFor();
  await dora.page.getByText('live', { exact: true }).waitFor();

  const { page, open, complaints } = await takeSeat(t, server, { token: 'token-of-eve' });
  await open('/image/new');
  const file = { name: 'new.zfs', mimeType: 'application/octet-stream', buffer: Buffer.from('all its bytes') };
  await page.getByRole('region', { name: 'why it is not ready' }).locator('input[type=file]').setInputFiles(file);
  await page.getByText('ready', { exact: true }).waitFor();
  await dora.page.getByText('ready', { exact: true }).waitFor();
  t.is(String((await server.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).bytes), 'all its bytes');
  t.deepEqual([...complaints, ...dora.complaints], []);
});

test('an image that is renamed or deleted under the cursor says so, and leads back to the list', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  await addImage(server, 'base', { alias: 'base' });
  const { page, open, complaints } = await takeSeat(t, server, { token: 'token-of-eve' });
  await open('/image/base');
  await titleOf(page, 'base').waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  await server.root('PUT', '/api/image/base', { alias: 'ground' });
  await titleOf(page, 'ground').waitFor();
  await server.root('DELETE', '/api/image/base', {});
  await titleOf(page, 'This image is gone').waitFor();
  await page.getByRole('alert').getByText('ground').waitFor();
  t.deepEqual(await seriousOf(page), []);
  await page.getByRole('link', { name: 'Go to the images' }).click();
  await titleOf(page, 'Images').waitFor();
  t.deepEqual(complaints, []);
});

test('names that are markup, run from right to left or are very long stay names, on a phone too', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const names = ['<script>alert(1)</script><b>bold</b>', 'تصویر پایه 12', 'x'.repeat(512)];
  const uuids: string[] = [];
  for (const [at, name] of names.entries()) {
    const uuid = await addImage(server, `odd-${at}`);
    // Over IMGAPI it would be refused: a store of another server was taken over with it.
    await place(server, uuid, {}, { name, description: `${name} <i>` });
    uuids.push(uuid);
  }
  const { page, open, complaints } = await takeSeat(t, server, {
    token: server.token,
    viewport: { width: 390, height: 800 },
  });
  for (const [at, name] of names.entries()) {
    await open(`/image/${uuids[at]}`);
    await page.locator('h1').getByText(name).waitFor();
    t.is(await page.locator('h1 bdi').first().innerText(), name);
    t.is(await page.evaluate('document.scrollingElement.scrollWidth'), 390, name.slice(0, 20));
    t.is(await page.locator('main script, main b, main i').count(), 0);
    t.deepEqual(await seriousOf(page), []);
  }
  t.deepEqual(complaints, []);
});
