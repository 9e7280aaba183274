import { addMachine } from '../support/datacenters.js';
import { choose, confirm, keysOf, openMenu, rowOf } from '../support/image-rows.js';
import { addImage, resultOf, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

test('an image is marked, deprecated with a reason, retired, and all of it taken back', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'web', { access: 1 });
  await addImage(fleet, 'newer');
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  const shown = async () => resultOf(await fleet.eve('GET', '/api/image/web'));
  const picked = async () =>
    resultOf<{ name: string }[]>(await fleet.mia('GET', '/api/dc/east/picker')).map(({ name }) => name);
  await open('/');
  await confirm(await choose(page, 'web', 'Mark as golden …'), 'Mark it');
  await rowOf(page, 'web').getByText('golden').first().waitFor();
  t.like(await shown(), { golden: true });
  await confirm(await choose(page, 'web', 'Take golden away …'), 'Take it away');
  t.like(await shown(), { golden: false });

  const dialog = await choose(page, 'web', 'Deprecate …');
  await dialog.getByLabel('Reason').fill('no more updates');
  await dialog.getByLabel('Take instead').fill('nowhere');
  await dialog.getByRole('button', { name: 'Deprecate it' }).click();
  await dialog.getByText('there is no image "nowhere"').first().waitFor();
  t.deepEqual(await seriousOf(page), []);
  t.like(await shown(), { deprecated: null });
  await dialog.getByLabel('Take instead').fill('newer');
  await confirm(dialog, 'Deprecate it');
  await rowOf(page, 'web').getByText('deprecated').first().waitFor();
  t.like(resultOf<{ deprecated: object }>(await fleet.eve('GET', '/api/image/web')).deprecated, {
    reason: 'no more updates',
    by: 'eve',
  });
  t.deepEqual(await picked(), []);
  t.is((await fleet.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).status, 200, 'nodes still get it');
  t.false((await openMenu(page, 'web')).some((line) => line.startsWith('Deprecate')));
  await page.keyboard.press('Escape');
  await confirm(await choose(page, 'web', 'Take deprecation back …'), 'Take it back');
  t.like(await shown(), { deprecated: null });
  t.deepEqual(await picked(), ['web']);

  await confirm(await choose(page, 'web', 'Retire …'), 'Retire it');
  await rowOf(page, 'web').waitFor({ state: 'detached' });
  t.like(await shown(), { access: 4 });
  await page.getByLabel('Show deleted').check();
  await confirm(await choose(page, 'web', 'Offer again …'), 'Offer it again');
  t.like(await shown(), { access: 3 });
  t.deepEqual(complaints, []);
});

test('SuperAdmins attach, bind and detach images, and let them be everywhere; others are not offered that', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  await addImage(fleet, 'web');
  const { page, open, complaints } = await takeSeat(t, fleet, { token: fleet.token });
  const shown = async () => resultOf(await fleet.root('GET', '/api/image/web'));
  const west = async () => resultOf<string[]>(await fleet.will('GET', '/api/dc/west/image'));
  await open('/');
  const attach = await choose(page, 'web', 'Attach to a data center …');
  await attach.getByText('It is bound to east').waitFor();
  await attach.getByLabel('Data center').selectOption('west');
  await confirm(attach, 'Attach it');
  t.like(await shown(), { dc_bound: false, dcs: ['east', 'west'] });
  t.deepEqual(await west(), ['web']);
  await rowOf(page, 'web').getByText('east, west').waitFor();
  t.true((await openMenu(page, 'web')).some((line) => /^Bind .*it is attached to 2 data centers$/s.test(line)));
  await page.keyboard.press('Escape');

  const eve = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await eve.open('/');
  await rowOf(eve.page, 'web').waitFor();
  t.is(await eve.page.getByRole('button', { name: /actions of|rename/ }).count(), 0, 'it is shared: others manage it');

  const detach = await choose(page, 'web', 'Detach from a data center …');
  await detach.getByLabel('Data center').selectOption('west');
  await confirm(detach, 'Detach it');
  t.deepEqual(await west(), []);
  await rowOf(page, 'web').getByText('east', { exact: true }).waitFor();
  await confirm(await choose(page, 'web', 'Bind to its data center …'), 'Bind it');
  t.like(await shown(), { dc_bound: true });
  await rowOf(eve.page, 'web').getByRole('button', { name: 'actions of web' }).waitFor();
  t.deepEqual(
    (await openMenu(eve.page, 'web')).filter((line) => /data center/.test(line)),
    [],
  );
  await rowOf(page, 'web').getByText('east only').first().waitFor();
  await confirm(await choose(page, 'web', 'Share among data centers …'), 'Unbind it');
  t.like(await shown(), { dc_bound: false });
  await rowOf(page, 'web').getByText('east', { exact: true }).waitFor();
  await confirm(await choose(page, 'web', 'Attach to all data centers …'), 'Attach to all');
  t.deepEqual(await west(), ['web']);
  await rowOf(page, 'web').getByText('all', { exact: true }).waitFor();
  await confirm(await choose(page, 'web', 'Only to chosen data centers …'), 'Only to chosen ones');
  t.deepEqual(await west(), []);
  await rowOf(page, 'web').getByText('east', { exact: true }).waitFor();
  const only = await choose(page, 'web', 'Attach to a data center …');
  await only.getByLabel('Data center').selectOption('west');
  await only.getByLabel('Only there').check();
  await confirm(only, 'Attach it');
  t.like(await shown(), { dc_bound: true, dcs: ['west'] });
  await rowOf(page, 'web').getByText('west only').first().waitFor();
  for (const one of [complaints, eve.complaints]) t.deepEqual(one, []);
});

test('what is deleted is named first; one that came into use meanwhile stays, and the dialog says whose it is', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'web');
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  const dialog = await choose(page, 'web', 'Delete …');
  for (const text of [uuid, 'its file of 9 B, from the store', 'its place in east'])
    await dialog.getByText(text).waitFor();
  const vm = await addMachine(fleet, { hostname: 'one', datacenter: 'east', images: [{ disk: 1, image: uuid }] });
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await dialog.getByText('is used by one').waitFor();
  t.truthy(await fleet.stored(uuid));
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await fleet.dora('DELETE', `/api/vm/${vm.uuid}`);
  await confirm(await choose(page, 'web', 'Delete …'), 'Delete');
  await page.getByText('There is no image yet').waitFor();
  t.is((await fleet.eve('GET', '/api/image/web')).status, 404);
  t.is((await fleet.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).status, 404);
  t.deepEqual(complaints, []);
});

test('nobody overwrites what another person has made of an image meanwhile', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  await addImage(fleet, 'web');
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  const dialog = await choose(page, 'web', 'Change …');
  await dialog.getByLabel('Description').fill('mine');
  await fleet.root('PUT', '/api/image/web', { desc: 'theirs', version: '2' });
  await dialog.getByText('Somebody else has made it “theirs” meanwhile').waitFor();
  t.is(await dialog.getByLabel('Description').inputValue(), 'mine', 'what was typed is kept');
  await confirm(dialog, 'Save');
  t.like(resultOf(await fleet.eve('GET', '/api/image/web')), { desc: 'mine', version: '2' });

  const retire = await choose(page, 'web', 'Retire …');
  await fleet.root('PUT', '/api/image/web', { golden: true });
  await retire.getByRole('button', { name: 'Retire it' }).click();
  await retire.getByText('its golden was “no” and is “yes”').waitFor();
  t.like(resultOf(await fleet.eve('GET', '/api/image/web')), { access: 3 });
  await retire.getByRole('button', { name: 'Load it anew' }).click();
  await retire.getByText('its golden was').waitFor({ state: 'detached' });
  await fleet.root('DELETE', '/api/image/web');
  await retire.getByRole('button', { name: 'Retire it' }).click();
  await retire.getByText(/there is no image/).waitFor();
  t.deepEqual(complaints, []);
});

test('an image is renamed where it stands, and labelled with one of 24 marks or none', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'web', {
    manifest: { name: 'base', version: '1', os: 'smartos', type: 'zone-dataset' },
  });
  await addImage(fleet, 'other', { manifest: { name: 'taken', version: '1', os: 'smartos', type: 'zone-dataset' } });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  const row = rowOf(page, 'web');
  const alias = async () => resultOf<{ alias: string }>(await fleet.eve('GET', '/api/image/web')).alias;
  const type = async (text: string, key: string) => {
    await row.getByRole('textbox').fill(text);
    await page.keyboard.press(key);
  };
  await row.getByRole('button', { name: 'base: rename' }).click();
  for (const [wrong, words] of [
    ['', /is not 1 to 32/],
    ['a<script>', /is not 1 to 32/],
    ['TAKEN', /is taken 1 already/],
  ] as const) {
    await type(wrong, 'Enter');
    await row.getByRole('alert').getByText(words).waitFor();
    t.is(await alias(), 'base', wrong);
  }
  await page.keyboard.press('Escape');
  await row.getByRole('button', { name: 'base: rename' }).click();
  await fleet.root('PUT', '/api/image/web', { alias: 'theirs' });
  await type('mine', 'Enter');
  await row.getByText('its name was “base” and is “theirs”').waitFor();
  t.is(await alias(), 'theirs');
  await page.keyboard.press('Enter');
  await row.getByRole('button', { name: 'mine: rename' }).waitFor();
  t.like((await fleet.ask('GET', `/images/${uuid}`, { as: 'admin' })).json, { uuid, name: 'mine' });

  // Whoever has gone elsewhere meanwhile is left there.
  await row.getByRole('button', { name: 'mine: rename' }).click();
  await page.getByLabel('Search images').focus();
  await fleet.root('PUT', '/api/image/other', { label: 'star' });
  await rowOf(page, 'other').getByRole('button', { name: 'label: star' }).waitFor();
  t.is(await page.locator(':focus').getAttribute('aria-label'), 'Search images');
  await row.getByRole('textbox').press('Escape');

  await row.getByRole('button', { name: 'label: none' }).click();
  t.is(await row.locator('.labels button').count(), 25);
  t.deepEqual(await seriousOf(page), []);
  await row.getByRole('button', { name: 'flag-red' }).click();
  await row.getByRole('button', { name: 'label: flag-red' }).waitFor();
  t.like(resultOf(await fleet.eve('GET', '/api/image/web')), { label: 'flag-red' });
  await page.getByLabel('label', { exact: true }).selectOption('flag-red');
  await rowOf(page, 'other').waitFor({ state: 'detached' });
  t.deepEqual(await keysOf(page), ['web']);

  // Where nothing is told live, either; what one has chosen oneself is in nobody's way.
  await page.route('**/api/events*', (route) => route.abort());
  await open('/');
  await row.getByRole('button', { name: 'label: flag-red' }).click();
  for (const label of ['star', 'bug']) await row.getByRole('button', { name: label, exact: true }).click();
  await row.getByRole('button', { name: 'label: bug' }).waitFor();
  await page.keyboard.press('Escape');
  await row.getByRole('button', { name: 'mine: rename' }).click();
  await type('ours', 'Enter');
  await row.getByRole('button', { name: 'ours: rename' }).waitFor();
  t.deepEqual(await page.locator('.toasts .bad').allTextContents(), []);
  t.deepEqual(complaints, []);
});

test('by keys alone, in the dark, on a phone: an image is found, marked, and its menu left again', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  for (const name of ['one', 'two']) await addImage(fleet, name);
  const dark = { colorScheme: 'dark', viewport: { width: 390, height: 800 } } as const;
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve', ...dark });
  await open('/?sort=name');
  await rowOf(page, 'two').waitFor();
  t.deepEqual(await seriousOf(page), []);
  t.true(Number(await page.evaluate('document.documentElement.scrollWidth')) <= 390, 'nothing is cut off beside it');
  await page.getByRole('grid', { name: 'Images' }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await page.getByText('1 selected').first().waitFor();
  t.true(await page.getByLabel('select two').isChecked());

  const actions = page.getByRole('button', { name: 'actions of two' });
  await actions.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Mark as golden …' }).waitFor();
  t.deepEqual(await seriousOf(page), []);
  await page.keyboard.press('Escape');
  t.true(await actions.evaluate((button) => button.ownerDocument.activeElement === button));
  await page.keyboard.press('Enter');
  for (const _ of ['Change …', 'Label …', 'Mark as golden …']) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Mark two as golden' });
  await dialog.waitFor();
  t.deepEqual(await seriousOf(page), []);
  await dialog.getByRole('button', { name: 'Mark it' }).focus();
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  t.like(resultOf(await fleet.eve('GET', '/api/image/two')), { golden: true });
  await page.getByRole('grid', { name: 'Images' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/image\//);
  t.deepEqual(complaints, []);
});
