import { images } from '../../server/model/image.js';
import { StorageDown } from '../../storage/errors.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import { place } from '../support/datacenters.js';
import { ownCatalog } from '../support/engines.js';
import { type Filled, fillIn, opened, refusedWith, toasted } from '../support/forms.js';
import { addImage, disk, resultOf, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

test('whoever manages an image changes what is said of it, and is told what is wrong while typing', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(server, 'base', { alias: 'base', desc: 'before' });
  const { page, open, complaints } = await takeSeat(t, server, { token: 'token-of-eve' });
  await open('/image/base');
  const dialog = await opened(page, 'Change …', 'Change base');
  t.deepEqual(await seriousOf(page), []);

  // Row by row what the server refuses, in its words, before anything is sent.
  const wrong: readonly (readonly [field: string, value: string, words: RegExp, good: string])[] = [
    ['Name', 'a'.repeat(33), /is not 1 to 32 letters/, 'ground'],
    ['Version', 'a b', /is not 1 to 16 letters/, '2.0'],
    ['Description', '<b>', /at most 128, without </, 'what all builds on'],
    ['Description', 'x'.repeat(129), /at most 128, without </, 'what all builds on'],
    ['Homepage', 'javascript:alert(1)', /is no http or https address/, 'https://example.com/base'],
    ['Tags', 'a.b, c$', /is not a tag/, 'web, east coast'],
    ['Owner', 'nobody', /there is no active user "nobody"/, 'eve'],
  ];
  for (const [field, value, words, good] of wrong) {
    await fillIn(dialog, { [field]: value });
    await dialog.getByText(words).waitFor();
    await fillIn(dialog, { [field]: good });
    await dialog.getByText(words).waitFor({ state: 'detached' });
  }
  t.like(resultOf(await server.eve('GET', '/api/image/base')), { alias: 'base', desc: 'before', tags: [] });

  await dialog.getByText('Advanced').click();
  const switches: Filled = { Golden: true, 'Disks made of it may be larger': false, 'Its machines switch': true };
  await fillIn(dialog, switches);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await toasted(page, 'base is changed');
  await page.getByRole('heading', { name: 'ground', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'https://example.com/base' }).waitFor();
  const expected = { version: '2.0', homepage: 'https://example.com/base' };
  t.like(resultOf(await server.eve('GET', '/api/image/base')), {
    ...{ ...expected, alias: 'ground', desc: 'what all builds on', owner: 'eve', tags: ['web', 'east coast'] },
    ...{ golden: true, resize: false, deploy: true },
  });
  // IMGAPI shows it at once, as machines will inherit it.
  const { json } = await server.ask('GET', `/images/${uuid}`, { as: 'admin' });
  t.like(json, { ...expected, name: 'ground', description: 'what all builds on' });
  t.deepEqual(Object(json.tags).erigones, ['web', 'east coast']);
  t.deepEqual(complaints, []);
});

test('the access is chosen, and members see what is for everybody; that takes the name, typed again', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(server, 'base');
  const { page, open, complaints } = await takeSeat(t, server, { token: 'token-of-eve' });
  await open('/image/base');
  const access = async () => resultOf<{ access: number }>(await server.eve('GET', '/api/image/base')).access;
  const mia = await takeSeat(t, server, { token: 'token-of-mia' });
  const none = mia.page.getByText('No image of east is both ready and offered to you yet');
  await mia.open('/offered');
  await none.waitFor();
  const dialog = await opened(page, 'Change …', 'Change base');
  await fillIn(dialog, { Access: 'public: everybody in its data centers' });
  await refusedWith(dialog, 'Save', /is not "base"/);
  t.is(await access(), 3);
  t.is((await server.mia('GET', `/images/${uuid}`)).status, 404);
  await fillIn(dialog, { 'Type base': 'base' });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('everybody there').waitFor();
  t.is(await access(), 1);
  t.is((await server.mia('GET', `/images/${uuid}`)).status, 200);
  await mia.page.reload();
  await mia.page.getByRole('gridcell').getByText(uuid).waitFor();

  const again = await opened(page, 'Change …', 'Change base');
  await fillIn(again, { Access: 'deleted: offered to nobody, kept for the machines that use it' });
  t.is(await again.getByLabel('Type base').count(), 0);
  await again.getByRole('button', { name: 'Save' }).click();
  await page.getByText('It is not ready: it has been retired.').waitFor();
  t.is(await access(), 4);
  t.is((await server.mia('GET', `/images/${uuid}`)).status, 404);
  await mia.page.reload();
  await none.waitFor();
  t.deepEqual([...complaints, ...mia.complaints], []);
});

test('what somebody else has changed meanwhile is shown, and never written over unseen', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  await addImage(server, 'base', { desc: 'before' });
  const { page, context, open, complaints } = await takeSeat(t, server, { token: 'token-of-eve' });
  const desc = async () => resultOf<{ desc: string }>(await server.eve('GET', '/api/image/base')).desc;

  // Live: it is told while it is typed.
  await open('/image/base');
  const dialog = await opened(page, 'Change …', 'Change base');
  await fillIn(dialog, { Description: 'mine' });
  await server.root('PUT', '/api/image/base', { desc: 'theirs', tags: 'web' });
  await dialog.getByText('Somebody else has made it “theirs” meanwhile.').waitFor();
  t.is(await dialog.getByLabel('Tags').inputValue(), 'web');
  await dialog.getByRole('button', { name: 'Take that' }).click();
  t.is(await dialog.getByLabel('Description').inputValue(), 'theirs');
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  // Where nothing is told live, the change is refused, and what was typed is kept.
  await context.route('**/api/events', (route) => route.abort());
  await page.reload();
  const later = await opened(page, 'Change …', 'Change base');
  await fillIn(later, { Description: 'mine' });
  await server.root('PUT', '/api/image/base', { desc: 'theirs again' });
  await refusedWith(later, 'Save', /Somebody else has changed it/);
  t.is(await desc(), 'theirs again');
  await later.getByRole('button', { name: 'Load it anew' }).click();
  await later.getByText('Somebody else has made it “theirs again” meanwhile.').waitFor();
  t.is(await later.getByLabel('Description').inputValue(), 'mine');
  await later.getByRole('button', { name: 'Save' }).click();
  await toasted(page, 'base is changed');
  t.is(await desc(), 'mine');
  t.deepEqual(complaints, []);
});

test('a store that fails leaves the image as it was, and the form as it was filled in', async (t) => {
  const catalog = await ownCatalog();
  let isBroken = false;
  const failing = wrappedCatalog(catalog, {
    write: (change) =>
      catalog.write(async (tx) => {
        const done = await change(tx);
        if (isBroken) throw new StorageDown('the catalog', new Error('the disk is full'));
        return done;
      }),
  });
  const server = await startFleet(t, { console: consoleFiles, catalog: failing });
  const uuid = await addImage(server, 'base', { desc: 'before' });
  const { page, open, complaints } = await takeSeat(t, server, { token: 'token-of-eve' });
  await open('/image/base');
  const dialog = await opened(page, 'Change …', 'Change base');
  await fillIn(dialog, { Description: 'after', Version: '9' });
  const before = await catalog.get(images, uuid);
  isBroken = true;
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByRole('alert').waitFor();
  t.is(await dialog.getByLabel('Description').inputValue(), 'after');
  isBroken = false;
  t.deepEqual(await catalog.get(images, uuid), before);
  t.like((await server.ask('GET', `/images/${uuid}`, { as: 'admin' })).json, { description: 'before' });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await toasted(page, 'base is changed');
  t.like((await server.ask('GET', `/images/${uuid}`, { as: 'admin' })).json, { description: 'after', version: '9' });
  t.deepEqual(complaints, []);
});

test('what something works on is not changed, and says so; by those who may not it is never offered', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(server, 'base', { manifest: disk });
  await place(server, uuid, { pending: { task: 'none', what: 'copy to rep' } });
  const { page, open, complaints } = await takeSeat(t, server, { token: 'token-of-eve' });
  await open('/image/base');
  await page.getByText(/^10 GiB/).waitFor();
  const button = page.getByRole('button', { name: 'Change …' });
  await button.waitFor();
  t.is(await button.getAttribute('aria-disabled'), 'true');
  t.regex(String(await button.getAttribute('title')), /copy to rep/);
  await page.getByText('It is not ready: something works on it.').waitFor();
  await place(server, uuid, { pending: undefined as never });
  await page.locator('button:not([aria-disabled=true])', { hasText: 'Change …' }).waitFor();

  const dora = await takeSeat(t, server, { token: 'token-of-dora' });
  await dora.open('/image/base');
  await dora.page.getByText('What it is').waitFor();
  t.is(await dora.page.getByRole('button', { name: 'Change …' }).count(), 0);
  t.deepEqual([...complaints, ...dora.complaints], []);
});
