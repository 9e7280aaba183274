import { createReadStream } from 'node:fs';
import { restore } from '../../storage/backup.js';
import { contents } from '../../storage/holdings.js';
import { ownBlobs, ownCatalog } from '../support/engines.js';
import { fillIn, refusedWith, toasted } from '../support/forms.js';
import { gate } from '../support/gate.js';
import { addImage, resultOf, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

const east = '/api/dc/east/settings';
const main = '/api/dc/main/settings';

test('the settings of all and of one data center are changed, each refusal at its field, and nobody is overwritten', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/server');
  await page.getByRole('link', { name: 'Settings of all data centers' }).click();
  await page.getByRole('heading', { name: 'main', level: 1 }).waitFor();
  const box = (name: string) => page.locator('section.box').filter({ has: page.getByRole('heading', { name }) });

  const limits = box('Limits');
  await fillIn(limits, { 'How many bytes together': '5 parsecs', 'How many': '-1' });
  await refusedWith(limits, 'Save', /imageBytesLimit/);
  await limits.getByText(/VMS_IMAGE_LIMIT is neither a whole number/).waitFor();
  t.like(resultOf(await server.root('GET', main)), { VMS_IMAGE_LIMIT: null, imageBytesLimit: null });
  await fillIn(limits, { 'How many bytes together': '5 GiB', 'How many': '11' });
  // What is typed while it is on its way is not what was sent; and more is saved before that was read again.
  const read = gate();
  t.teardown(read.open);
  await page.route(`**${main}*`, async (route) => {
    if (route.request().method() === 'PUT') await fillIn(limits, { 'How many': '12' });
    else await read.opened;
    await route.continue().catch(() => {}); // the page may have gone on meanwhile
  });
  await limits.getByRole('button', { name: 'Save' }).click();
  await toasted(page, 'Limits: set in main');
  t.like(resultOf(await server.root('GET', main)), { VMS_IMAGE_LIMIT: 11, imageBytesLimit: 5 * 2 ** 30 });
  t.is(await limits.getByLabel(/^How many$/).inputValue(), '12');
  const saved = page.waitForResponse((response) => response.request().method() === 'PUT');
  await limits.getByRole('button', { name: 'Save' }).click();
  t.is((await saved).status(), 200);
  read.open();
  await limits.getByText('set here, else: any number').nth(1).waitFor();
  t.like(resultOf(await server.root('GET', main)), { VMS_IMAGE_LIMIT: 12, imageBytesLimit: 5 * 2 ** 30 });

  const urls = box('Image server');
  await fillIn(urls, { 'Other image servers that nodes are told of': 'https://one.example.com\nnowhere' });
  await refusedWith(urls, 'Save', /VMS_IMAGE_SOURCES/);
  t.deepEqual(await seriousOf(page), []);
  await fillIn(urls, { 'Other image servers that nodes are told of': 'https://one.example.com' });
  await urls.getByRole('button', { name: 'Save' }).click();
  await toasted(page, 'Image server: set in main');
  t.like(resultOf(await server.root('GET', main)), { VMS_IMAGE_SOURCES: ['https://one.example.com'] });

  await open('/datacenters/east');
  await box('Limits').getByText('as set in main').first().waitFor();
  t.is(
    await box('Limits')
      .getByLabel(/^How many$/)
      .inputValue(),
    '12',
    'what it inherits',
  );
  await fillIn(box('Limits'), { 'How many': '3' });
  t.is((await server.root('PUT', east, { VMS_IMAGE_LIMIT: 7 })).status, 200);
  await box('Limits').getByText('Somebody else has made it “7” meanwhile.').waitFor();
  await box('Limits').getByRole('button', { name: 'Save' }).click();
  await toasted(page, 'Limits: set in east');
  await box('Limits').getByText('set here, else: 12').waitFor();
  t.like(resultOf(await server.root('GET', east)), { VMS_IMAGE_LIMIT: 3 });
  t.like(resultOf(await server.root('GET', main)), { VMS_IMAGE_LIMIT: 12 });
  t.is(await box('Image server').count(), 0, 'that is for all');

  const dora = await takeSeat(t, server, { token: 'token-of-dora' });
  await dora.open('/datacenters/east');
  await dora.page.getByRole('heading', { name: 'Limits' }).waitFor();
  await dora.page.getByText('5 GiB as set in main').waitFor();
  t.is(await dora.page.getByRole('button', { name: 'Save' }).count(), 0);
  await dora.open('/server');
  await dora.page.getByRole('heading', { name: /not for you|no such page/i }).waitFor();
  t.deepEqual([...complaints, ...dora.complaints], []);
});

test('the page of the server tells of its members, and gives a backup that another server takes', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  await addImage(server, 'base');
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/server');
  await page
    .getByRole('list', { name: 'members' })
    .getByText(/^this one/)
    .waitFor();
  await page.getByText('the server is not moving').waitFor();
  t.deepEqual(await seriousOf(page), []);
  const started = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download a backup' }).click();
  const download = await started;
  t.regex(download.suggestedFilename(), /^slipway-\d{4}-\d\d-\d\d\.tar$/);
  const [catalog, blobs] = [await ownCatalog(), await ownBlobs()];
  const restored = await restore(createReadStream(await download.path()), { catalog, blobs, keep: async () => {} });
  t.is(restored.contents, 1);
  for await (const holding of catalog.list(contents)) t.is(holding.size, 'the bytes'.length);
  await catalog.close();
  t.deepEqual(complaints, []);
});
