import { addMachine, place } from '../support/datacenters.js';
import { cellsOf, keysOf, openMenu, rowOf } from '../support/image-rows.js';
import { addImage, disk, manifest, resultOf, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

const names = (answer: Parameters<typeof resultOf>[0]) => resultOf<string[]>(answer).toSorted();

test('the images of a data center, of all, and those that were deleted: each as its roles have it', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  for (const [name, body] of [
    ['web', {}],
    ['gone', { access: 4 }],
    ['common', { dc_bound: false }],
    ['wild', { dc: 'west' }],
  ] as const) {
    await addImage(fleet, name, body);
  }
  await place(fleet, await addImage(fleet, 'inner'), { access: 'internal' });

  const eve = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await eve.open('/');
  await rowOf(eve.page, 'common').waitFor();
  t.deepEqual((await keysOf(eve.page)).toSorted(), names(await fleet.eve('GET', '/api/dc/east/image')));
  await eve.page.getByLabel('Show deleted').check();
  await rowOf(eve.page, 'gone').getByText('retired').first().waitFor();
  await eve.page.getByLabel('Show all').check();
  await rowOf(eve.page, 'common').waitFor({ state: 'detached' });
  t.deepEqual((await keysOf(eve.page)).toSorted(), names(await fleet.eve('GET', '/api/image')));
  t.regex(eve.page.url(), /all=yes/);
  await eve.settled();
  t.deepEqual(
    eve.received.filter((text) => /wild|inner/.test(text)),
    [],
    'what is hidden never reaches the browser',
  );

  const dora = await takeSeat(t, fleet, { token: 'token-of-dora' });
  await dora.open('/');
  await rowOf(dora.page, 'web').waitFor();
  t.deepEqual((await keysOf(dora.page)).toSorted(), names(await fleet.dora('GET', '/api/dc/east/image')));
  for (const offered of [dora.page.getByRole('checkbox'), dora.page.getByRole('button', { name: /actions|rename/ })]) {
    t.is(await offered.count(), 0);
  }
  for (const other of ['west', 'nowhere']) {
    await dora.open(`/?dc=${other}`);
    await dora.page.getByRole('alert').getByText(`there is no data center "${other}"`).waitFor();
    t.is(await dora.page.getByRole('grid').count(), 0, 'one that is not hers is told as one that is not');
  }
  await dora.open('/?deleted=yes&all=yes');
  await rowOf(dora.page, 'web').waitFor();
  t.deepEqual((await keysOf(dora.page)).toSorted(), ['common', 'web'], 'an address gives nobody a role');

  const mia = await takeSeat(t, fleet, { token: 'token-of-mia' });
  await mia.open('/?dc=east');
  await mia.page.getByRole('heading', { name: 'Images to use', level: 1 }).waitFor();
  await mia.page.getByText('No image of east is both ready and offered to you yet').waitFor();
  await mia.settled();
  t.false(/"(web|gone|common|wild|inner)"/.test(mia.received.join()), 'whoever administrates nothing gets no list');

  const root = await takeSeat(t, fleet, { token: fleet.token });
  await root.open('/');
  await rowOf(root.page, 'wild').waitFor();
  t.deepEqual((await keysOf(root.page)).toSorted(), ['common', 'web', 'wild']);
  await root.page.getByLabel('Show all').uncheck();
  await root.page.getByLabel('data center', { exact: true }).selectOption('west');
  await rowOf(root.page, 'web').waitFor({ state: 'detached' });
  t.deepEqual(await keysOf(root.page), ['wild']);
  await root.page.getByLabel('data center', { exact: true }).selectOption('east');
  await rowOf(root.page, 'web').waitFor();
  t.deepEqual((await keysOf(root.page)).toSorted(), ['common', 'web']);
  t.false(await root.page.getByLabel('Show deleted').isChecked());
  await root.page.getByLabel('Show deleted').check();
  await rowOf(root.page, 'gone').getByText('retired').first().waitFor();
  t.deepEqual((await keysOf(root.page)).toSorted(), ['common', 'gone', 'web']);
  t.deepEqual(await seriousOf(root.page), []);
  for (const { complaints } of [eve, dora, mia, root]) t.deepEqual(complaints, []);
});

test('a row says of an image what the API says, among those of its data center and among all', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const body = { manifest: disk, alias: 'Ground', version: '2.1', access: 1, tags: ['web', 'east coast'] };
  await addImage(fleet, 'base', body);
  await addImage(fleet, 'zone');
  const eve = await takeSeat(t, fleet, { token: 'token-of-eve' });
  const root = await takeSeat(t, fleet, { token: fleet.token });
  const told = { alias: 'Ground', version: '2.1', name: 'base', ostype: 1, size: 10_240, access: 1, ready: true };
  const said = { Name: 'Ground 2.1', Key: 'base', OS: 'Linux', Size: '10 GiB', Access: 'public', Status: 'ready' };
  for (const [{ page, open }, ask, path, api] of [
    [eve, fleet.eve, '/', '/api/dc/east/image/base'],
    [eve, fleet.eve, '/?all=yes', '/api/image/base'],
    [root, fleet.root, '/?dc=east', '/api/dc/east/image/base'],
    [root, fleet.root, '/', '/api/image/base'],
  ] as const) {
    t.like(resultOf(await ask('GET', api)), told);
    await open(path);
    await rowOf(page, 'base').waitFor();
    t.like(await cellsOf(page, 'base'), {
      ...said,
      Owner: 'admin',
      'Data centers': 'east only : bound to its one data center',
    });
    t.like(await cellsOf(page, 'zone'), { Key: 'zone', OS: 'SunOS zone', Size: '–', Access: 'private' });
  }
  await eve.page.getByRole('button', { name: 'Columns' }).click();
  await eve.page.getByRole('checkbox', { name: 'Tags' }).check();
  t.is((await cellsOf(eve.page, 'base')).Tags, 'web, east coast');
  t.deepEqual([...eve.complaints, ...root.complaints], []);
});

test('how images stand is told at once: at work, not ready, deprecated, golden, of a group', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'web', { golden: true });
  await addImage(fleet, 'old');
  await fleet.root('PUT', '/api/image/old/deprecate', { reason: 'no more updates' });
  await fleet.root('POST', '/api/image/empty', { manifest: { ...manifest, name: 'empty' }, dc: 'east' });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  const web = rowOf(page, 'web');
  await web.getByText('golden', { exact: false }).first().waitFor();
  await web.getByText('ready', { exact: true }).waitFor();
  t.is(
    await page
      .getByTitle('its file has not arrived')
      .innerText()
      .then((text) => text.split('\n')[0]),
    'not ready',
  );
  const old = rowOf(page, 'old');
  const lines = await old.locator('.title').evaluate((title) => {
    const { getComputedStyle } = globalThis as unknown as { getComputedStyle(of: unknown): Record<string, string> };
    return getComputedStyle(title).textDecorationLine;
  });
  t.is(lines, 'line-through');
  const badge = old.locator('.badge', { hasText: 'deprecated' });
  t.regex((await badge.textContent()) ?? '', /^deprecated: no more updates$/, 'whoever hears it is told why');
  await badge.focus();
  const tip = await badge.locator('.tip').boundingBox();
  t.true((tip?.width ?? 0) > 20, 'and whoever comes by keys reads it');

  await place(fleet, uuid, { pending: { task: 'x', what: 'copying' } });
  await web.getByText('copying', { exact: false }).first().waitFor();
  t.is(await web.getByRole('button', { name: /rename|label/ }).count(), 0);
  const greyed = await openMenu(page, 'web');
  t.true(greyed.length > 5);
  t.deepEqual(
    greyed.filter((line) => !line.endsWith('something works on it: copying')),
    [],
  );
  await page.keyboard.press('Escape');
  await place(fleet, uuid, { pending: undefined as never });
  await web.getByText('ready', { exact: true }).waitFor();

  await page.getByLabel('which images').selectOption('golden');
  await old.waitFor({ state: 'detached' });
  t.deepEqual(await keysOf(page), ['web']);
  t.deepEqual(await seriousOf(page), []);
  t.deepEqual(complaints, []);
});

test('of whom an image is, and for which work, a badge says to those who point at it, hear it, or come by keys', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const [group = ''] = [...fleet.deps.directory.groups.keys()].filter((name) => name.endsWith('-east'));
  const gpu = { manifest: { ...manifest, version: '2', tags: { class: 'gpu' } } };
  await place(fleet, await addImage(fleet, 'ours', gpu), { access: 'public', groups: [group] });
  await place(fleet, await addImage(fleet, 'all', { dc_bound: false }), { access: 'public' });
  const ours = `Group ${group} / GPU`;
  const eve = await takeSeat(t, fleet, { token: 'token-of-eve' });
  const mia = await takeSeat(t, fleet, { token: 'token-of-mia' });
  const all = 'System / Universal';
  for (const [{ page, open }, path, name, badge, tip] of [
    [eve, '/', 'ours', 'group', `${ours}: for their members only`],
    [eve, '/', 'all', 'system', `${all}: it belongs to no single data center`],
    [mia, '/offered', 'ours', ours, 'for the members of the group only'],
    [mia, '/offered', 'all', all, 'for everybody in the data center'],
  ] as const) {
    await open(path);
    const { version } = resultOf<{ version: string }>(await fleet.root('GET', `/api/image/${name}`));
    const row = page.getByRole('row').filter({ has: page.getByText(version, { exact: true }) });
    const asked = row.getByTitle(tip, { exact: true });
    await asked.waitFor();
    t.is(await asked.textContent(), `${badge}: ${tip}`, 'whoever hears it');
    const told = asked.locator('.tip');
    t.true(((await told.boundingBox())?.width ?? 0) < 20);
    await row.getByRole('link').focus();
    await page.keyboard.press('Tab');
    await asked.and(page.locator(':focus')).waitFor();
    t.true(((await told.boundingBox())?.width ?? 0) > 20, 'whoever comes by keys');
    t.is(await told.innerText(), tip);
    t.deepEqual(await seriousOf(page), []);
  }
  t.deepEqual([...eve.complaints, ...mia.complaints], []);
});

test('an image that others use is not deleted, and the menu follows what becomes of it', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'web');
  const { uuid: vm } = await addMachine(fleet, {
    hostname: 'one',
    datacenter: 'east',
    images: [{ disk: 1, image: uuid }],
  });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  await rowOf(page, 'web').waitFor();
  t.true((await openMenu(page, 'web')).some((line) => /^Delete …\s+1 machine uses it$/.test(line)));
  await fleet.dora('DELETE', `/api/vm/${vm}`);
  await page.getByText('1 machine uses it').waitFor({ state: 'detached' });
  t.true(await page.getByRole('button', { name: 'Delete …' }).isEnabled());
  t.deepEqual(complaints, []);
});
