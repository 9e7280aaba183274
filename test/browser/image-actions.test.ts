import type { Locator, Page } from 'playwright-core';
import { labels } from '../../server/model/registration.js';
import { type FoundHere, vmStates, vms } from '../../server/model/vm.js';
import { addMachine } from '../support/datacenters.js';
import { numbered } from '../support/fixtures.js';
import { choose, confirm, keysOf, openMenu, rowOf } from '../support/image-rows.js';
import { addImage, resultOf, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

const isStruck = (at: Locator) =>
  at.evaluate((element) => {
    const { getComputedStyle } = globalThis as unknown as { getComputedStyle(of: unknown): Record<string, string> };
    return getComputedStyle(element).textDecorationLine === 'line-through';
  });

test('an image is marked as golden and retired, and both taken back', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  await addImage(fleet, 'web');
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  const shown = async () => resultOf(await fleet.eve('GET', '/api/image/web'));
  await open('/');
  await confirm(await choose(page, 'web', 'Mark as golden …'), 'Mark it');
  await rowOf(page, 'web').getByText('golden').first().waitFor();
  t.like(await shown(), { golden: true });
  await confirm(await choose(page, 'web', 'Take golden away …'), 'Take it away');
  t.like(await shown(), { golden: false });

  await confirm(await choose(page, 'web', 'Retire …'), 'Retire it');
  await rowOf(page, 'web').waitFor({ state: 'detached' });
  t.like(await shown(), { access: 4 });
  await page.getByLabel('Show deleted').check();
  await confirm(await choose(page, 'web', 'Offer again …'), 'Offer it again');
  t.like(await shown(), { access: 3 });
  t.deepEqual(complaints, []);
});

test('a deprecated image is struck through, with its reason and what to take instead, is picked no more and pulled as ever, until that is taken back', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'web', { access: 1 });
  const newer = await addImage(fleet, 'newer', { access: 1 });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  const mia = await takeSeat(t, fleet, { token: 'token-of-mia' });
  const shown = async () =>
    resultOf<{ deprecated: object | null }>(await fleet.eve('GET', '/api/image/web')).deprecated;
  const picked = async () =>
    resultOf<{ name: string }[]>(await fleet.mia('GET', '/api/dc/east/picker')).map(({ name }) => name);
  const banner = (at: Page) => at.getByRole('region', { name: 'why it is deprecated' });
  await open('/');
  await page.getByText('live', { exact: true }).waitFor();
  t.false(await isStruck(rowOf(page, 'web').locator('.title')));

  const dialog = await choose(page, 'web', 'Deprecate …');
  await dialog.getByLabel('Reason').fill('no more updates');
  await dialog.getByLabel('Take instead').fill('nowhere');
  await dialog.getByRole('button', { name: 'Deprecate it' }).click();
  await dialog.getByText('there is no image "nowhere"').first().waitFor();
  t.deepEqual(await seriousOf(page), []);
  t.is(await shown(), null);
  await dialog.getByLabel('Take instead').fill('newer');
  // Somebody else is quicker: that is said, and then it is done all the same.
  await fleet.root('PUT', '/api/image/web/deprecate', { reason: 'theirs' });
  await dialog.getByRole('button', { name: 'Deprecate it' }).click();
  await dialog.getByText('its deprecated was “no” and is “theirs”').waitFor();
  await dialog.getByRole('button', { name: 'Load it anew' }).click();
  await confirm(dialog, 'Deprecate it');
  await rowOf(page, 'web').getByText('deprecated').first().waitFor();
  t.true(await isStruck(rowOf(page, 'web').locator('.title')));
  t.like(await shown(), { reason: 'no more updates', replacement: newer });
  t.deepEqual(await picked(), ['newer']);
  const lines = await openMenu(page, 'web');
  t.false(lines.some((line) => line.startsWith('Deprecate')));

  await mia.open('/offered');
  await mia.page.getByText('1.newer').waitFor();
  await mia.page.locator('[role=grid][aria-rowcount="2"]').waitFor();
  t.is(await mia.page.getByText('1.web').count(), 0);
  for (const seat of [mia.page, page]) {
    await seat.goto(`${fleet.url}/console/image/${uuid}`);
    await banner(seat).getByText('It is deprecated: no more updates.').waitFor();
    t.true(await isStruck(seat.getByRole('heading', { level: 1 }).locator('span.struck')));
    t.is(await banner(seat).getByRole('link').getAttribute('href'), `/console/image/${newer}`);
    t.deepEqual(await seriousOf(seat), []);
  }
  for (const who of [
    { as: 'admin' },
    { as: 'anonymous', headers: { authorization: 'Bearer token-of-mia' } },
  ] as const) {
    t.is((await fleet.ask('GET', `/images/${uuid}/file`, who)).status, 200, who.as);
  }

  await page.getByRole('button', { name: 'actions of web' }).click();
  await page.getByRole('button', { name: 'Take deprecation back …' }).click();
  await confirm(page.getByRole('dialog'), 'Take it back');
  await banner(page).waitFor({ state: 'detached' });
  t.is(await shown(), null);
  t.deepEqual(await picked(), ['newer', 'web']);
  t.deepEqual([...complaints, ...mia.complaints], []);
});

test('SuperAdmins attach and detach images, and let them be everywhere', async (t) => {
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

  const detach = await choose(page, 'web', 'Detach from a data center …');
  await detach.getByLabel('Data center').selectOption('west');
  await confirm(detach, 'Detach it');
  t.deepEqual(await west(), []);
  await rowOf(page, 'web').getByText('east', { exact: true }).waitFor();
  await confirm(await choose(page, 'web', 'Attach to all data centers …'), 'Attach to all');
  t.deepEqual(await west(), ['web']);
  await rowOf(page, 'web').getByText('all', { exact: true }).waitFor();
  await confirm(await choose(page, 'web', 'Only to chosen data centers …'), 'Only to chosen ones');
  t.deepEqual(await west(), []);
  await rowOf(page, 'web').getByText('east', { exact: true }).waitFor();
  await fleet.root('PUT', '/api/image/web', { global: true });
  await rowOf(page, 'web').getByText('all', { exact: true }).waitFor();
  await fleet.root('PUT', `/api/vm/${numbered(7)}`, {
    hostname: 'user1',
    dc: 'east',
    images: [{ disk: 1, image: 'web' }],
  });
  const only = await choose(page, 'web', 'Share with one data center only …');
  await only.getByText(/^It is in all data centers/).waitFor();
  await only.getByLabel('Data center').selectOption('west');
  await only.getByRole('button', { name: 'Only there' }).click();
  await only.getByText(/is used by user1/).waitFor();
  t.like(await shown(), { global: true, dcs: ['east'] }, 'nothing is done by halves');
  await fleet.root('DELETE', `/api/vm/${numbered(7)}`);
  await confirm(only, 'Only there');
  t.like(await shown(), { dc_bound: true, dcs: ['west'] });
  await rowOf(page, 'web').getByText('west only').first().waitFor();
  t.deepEqual(complaints, []);
});

test('an image in just one data center is bound to it by SuperAdmins, and managed by its image administrators then', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  await addImage(fleet, 'web');
  await fleet.root('PUT', '/api/image/web', { dc_bound: false });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: fleet.token });
  const eve = await takeSeat(t, fleet, { token: 'token-of-eve' });
  const shown = async () => resultOf(await fleet.root('GET', '/api/image/web'));
  await open('/');
  await eve.open('/');
  await rowOf(eve.page, 'web').waitFor();
  await eve.page.getByText('live', { exact: true }).waitFor();
  t.is(await eve.page.getByRole('button', { name: /actions of|rename/ }).count(), 0, 'it is shared: others manage it');

  await confirm(await choose(page, 'web', 'Detach from a data center …'), 'Detach it');
  await rowOf(page, 'web').getByText('none', { exact: true }).waitFor();
  t.true((await openMenu(page, 'web')).some((line) => /^Bind .*it is attached to no data center$/s.test(line)));
  await page.keyboard.press('Escape');
  const attach = await choose(page, 'web', 'Attach to a data center …');
  await attach.getByLabel('Data center').selectOption('east');
  await confirm(attach, 'Attach it');
  await rowOf(page, 'web').getByText('east', { exact: true }).waitFor();

  // It comes into a second one while the question stands.
  const bind = await choose(page, 'web', 'Bind to its data center …');
  await fleet.root('POST', '/api/dc/west/image/web');
  await bind.getByRole('button', { name: 'Bind it' }).click();
  await bind.getByText('its data centers was “east” and is “east, west”').waitFor();
  await bind.getByRole('button', { name: 'Load it anew' }).click();
  await bind.getByRole('button', { name: 'Bind it' }).click();
  await bind
    .getByText(/dc_bound can not be set: image web is attached to 2 data centers/)
    .first()
    .waitFor();
  t.like(await shown(), { dc_bound: false, dcs: ['east', 'west'] });
  await bind.getByRole('button', { name: 'Cancel' }).click();
  await rowOf(page, 'web').getByText('east, west').waitFor();
  t.true((await openMenu(page, 'web')).some((line) => /^Bind .*it is attached to 2 data centers$/s.test(line)));
  await page.keyboard.press('Escape');
  const detach = await choose(page, 'web', 'Detach from a data center …');
  await detach.getByLabel('Data center').selectOption('west');
  await confirm(detach, 'Detach it');
  await rowOf(page, 'web').getByText('east', { exact: true }).waitFor();
  await confirm(await choose(page, 'web', 'Bind to its data center …'), 'Bind it');
  t.like(await shown(), { dc_bound: true, dcs: ['east'] });

  await rowOf(eve.page, 'web').getByRole('button', { name: 'actions of web' }).waitFor();
  const lines = await openMenu(eve.page, 'web');
  t.deepEqual(
    lines.filter((line) => /data center/.test(line)),
    [],
    'that is for SuperAdmins',
  );
  await eve.page.keyboard.press('Escape');
  await confirm(await choose(eve.page, 'web', 'Mark as golden …'), 'Mark it');
  t.like(await shown(), { golden: true });
  await rowOf(page, 'web').getByText('golden').first().waitFor();
  await confirm(await choose(page, 'web', 'Share among data centers …'), 'Unbind it');
  t.like(await shown(), { dc_bound: false });
  await eve.page.getByRole('button', { name: 'actions of web' }).waitFor({ state: 'detached' });
  t.deepEqual([...complaints, ...eve.complaints], []);
});

test('what is deleted is named first; machines in every state keep it, also those that came meanwhile, and are named', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'web');
  const images = [{ disk: 1, image: uuid }];
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  await page.getByText('live', { exact: true }).waitFor();
  const dialog = await choose(page, 'web', 'Delete …');
  for (const text of [uuid, 'its file of 9 B, from the store', 'its place in east'])
    await dialog.getByText(text).waitFor();
  const registered = await Promise.all(
    vmStates.map((state) => addMachine(fleet, { hostname: state, datacenter: 'east', images, state })),
  );
  // As the inventory of a node tells: it does not run, and nobody has registered it.
  const at = fleet.deps.now().toISOString();
  const found: FoundHere = { node: 'n1', since: at, hostname: 'stopped', state: 'stopped', tags: [], images };
  const stopped = await addMachine(fleet, { hostname: 'stopped', datacenter: 'east', unregistered: true, found });
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  const refused = dialog.getByText(/is used by/);
  await refused.waitFor();
  const named = (await refused.innerText()).split('is used by ')[1] ?? '';
  t.deepEqual(named.split(', ').sort(), [...vmStates, 'stopped'].sort());
  t.truthy(await fleet.stored(uuid));
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'actions of web' }).click();
  const line = page.locator('.menu-line', { hasText: /^Delete …/ });
  for (const { uuid: vm } of registered) await fleet.dora('DELETE', `/api/vm/${vm}`);
  await line.filter({ hasText: '1 machine uses it' }).waitFor();
  t.is(await line.getAttribute('aria-disabled'), 'true', 'that its node still has');
  await fleet.deps.catalog.write((tx) => tx.delete(vms, stopped.uuid));
  await page.reload();
  await confirm(await choose(page, 'web', 'Delete …'), 'Delete');
  await page.getByText('There is no image yet').waitFor();
  t.is((await fleet.eve('GET', '/api/image/web')).status, 404);
  t.is((await fleet.ask('GET', `/images/${uuid}/file`, { as: 'admin' })).status, 404);
  t.deepEqual(complaints, []);
});

test('from machines that use it an image is taken by SuperAdmins who type its name', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'web');
  await addMachine(fleet, { hostname: 'one', datacenter: 'east', images: [{ disk: 1, image: uuid }] });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: fleet.token });
  const places = async () => resultOf<{ dcs: string[] }>(await fleet.root('GET', '/api/image/web')).dcs;
  await open('/image/web');
  const lines = await openMenu(page, 'web');
  t.false(lines.includes('Change …'), 'there is a button for that');
  await page.getByRole('button', { name: 'Detach from a data center …' }).click();
  const dialog = page.getByRole('dialog', { name: 'Detach web from a data center' });
  await dialog.getByText('Machines of east use it: one.').waitFor();
  await dialog.getByRole('button', { name: 'Detach it' }).click();
  await dialog
    .getByRole('alert')
    .getByText(/is used by one/)
    .waitFor();
  const proof = dialog.getByLabel('Type web to detach it all the same');
  await proof.fill('wed');
  await dialog.getByRole('button', { name: 'Detach it' }).click();
  await dialog.getByText('is not "web"').waitFor();
  t.deepEqual(await seriousOf(page), []);
  t.deepEqual(await places(), ['east']);
  await proof.fill('web');
  await confirm(dialog, 'Detach it');
  t.deepEqual(await places(), []);
  t.deepEqual(resultOf(await fleet.root('GET', '/api/image/web/vm')), ['one'], 'they keep it');
  t.deepEqual(complaints, []);
});

test('nobody overwrites what another person has made of an image meanwhile', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  await addImage(fleet, 'web');
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  await page.getByText('live', { exact: true }).waitFor();
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

test('an image is renamed where it stands, and so in the picker and over IMGAPI', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'web', {
    access: 1,
    manifest: { name: 'base', version: '1', os: 'smartos', type: 'zone-dataset' },
  });
  await addImage(fleet, 'other', { manifest: { name: 'taken', version: '1', os: 'smartos', type: 'zone-dataset' } });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  await page.getByText('live', { exact: true }).waitFor();
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
    const answered = page.waitForResponse((response) => response.request().method() === 'PUT');
    await type(wrong, 'Enter');
    t.is((await answered).status(), 400, wrong);
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
  const mia = await takeSeat(t, fleet, { token: 'token-of-mia' });
  await mia.open('/offered');
  const picked = mia.page.getByRole('gridcell').getByRole('link', { name: 'mine', exact: true });
  t.is(await picked.getAttribute('href'), `/console/image/${uuid}`, 'the picker has it too');

  // Whoever has gone elsewhere meanwhile is left there.
  await row.getByRole('button', { name: 'mine: rename' }).click();
  await page.getByLabel('Search images').focus();
  await fleet.root('PUT', '/api/image/other', { label: 'star' });
  await rowOf(page, 'other').getByRole('button', { name: 'label: star' }).waitFor();
  t.is(await page.locator(':focus').getAttribute('aria-label'), 'Search images');
  await row.getByRole('textbox').press('Escape');
  t.deepEqual([...complaints, ...mia.complaints], []);
});

test('an image is labelled with one of 24 marks or none, of which nodes hear nothing; what one does oneself is in nobody’s way', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'web');
  await addImage(fleet, 'other');
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  await page.getByText('live', { exact: true }).waitFor();
  const row = rowOf(page, 'web');
  const manifest = async () => String((await fleet.ask('GET', `/images/${uuid}`, { as: 'admin' })).bytes);
  const before = await manifest();
  await row.getByRole('button', { name: 'label: none' }).click();
  const choices = await row.locator('.labels button').evaluateAll((all) => all.map(({ title }) => title));
  t.deepEqual(choices.toSorted(), ['none', ...labels].toSorted());
  t.deepEqual(await seriousOf(page), []);
  await row.getByRole('button', { name: 'flag-red' }).click();
  await row.getByRole('button', { name: 'label: flag-red' }).waitFor();
  t.like(resultOf(await fleet.eve('GET', '/api/image/web')), { label: 'flag-red' });
  await row.getByRole('button', { name: 'none', exact: true }).click();
  await row.getByRole('button', { name: 'label: none' }).waitFor();
  t.like(resultOf(await fleet.eve('GET', '/api/image/web')), { label: null });
  await row.getByRole('button', { name: 'flag-red', exact: true }).click();
  await row.getByRole('button', { name: 'label: flag-red' }).waitFor();
  t.is(await manifest(), before, 'nodes are told nothing new');
  await page.getByLabel('label', { exact: true }).selectOption('flag-red');
  await rowOf(page, 'other').waitFor({ state: 'detached' });
  t.deepEqual(await keysOf(page), ['web']);

  // Where nothing is told live, either.
  await page.route('**/api/events*', (route) => route.abort());
  await open('/');
  await row.getByRole('button', { name: 'label: flag-red' }).click();
  for (const label of ['star', 'bug']) await row.getByRole('button', { name: label, exact: true }).click();
  await row.getByRole('button', { name: 'label: bug' }).waitFor();
  await page.keyboard.press('Escape');
  await row.getByRole('button', { name: 'base: rename' }).click();
  await row.getByRole('textbox').fill('ours');
  await page.keyboard.press('Enter');
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
