import { until } from '../support/catalogs.js';
import { numbered } from '../support/fixtures.js';
import { addImage, manifest, resultOf, said, startFleet } from '../support/managed.js';
import { consoleFiles, type Seat, seriousOf, takeSeat, test } from '../support/seat.js';

const buffer = Buffer.from('bytes');

const rowIn = ({ page }: Seat, name: string) => page.getByRole('row').filter({ hasText: name });

test('a data center is made, changed, given to a group, limited, and deleted', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const { root } = fleet;
  const { page, open, complaints } = await takeSeat(t, fleet, { token: fleet.token });
  const dialog = page.getByRole('dialog');
  await open('/datacenters');
  await page.getByRole('button', { name: 'Make a data center …' }).click();
  await dialog.getByLabel('Name').fill('no spaces');
  await dialog.getByLabel('Owner').fill('nobody-knows');
  await dialog.getByRole('button', { name: 'Make it' }).click();
  await dialog.locator('[name=dc][aria-invalid=true]').waitFor();
  await dialog.getByLabel('Name').fill('north');
  await dialog.getByLabel('Alias').fill('Far north');
  await dialog.getByRole('button', { name: 'Make it' }).click();
  await dialog.locator('[name=owner][aria-invalid=true]').waitFor();
  await dialog.getByText(/"nobody-knows"/).waitFor();
  await dialog.getByLabel('Owner').fill('mia');
  await dialog.getByRole('button', { name: 'Make it' }).click();
  await page.getByRole('heading', { level: 1, name: 'north Far north' }).waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  t.like(resultOf(await root('GET', '/api/dc/north')), { owner: 'mia', alias: 'Far north' });
  const owner = await takeSeat(t, fleet, { token: 'token-of-mia' });
  await owner.open('/datacenters');
  await owner.page.getByRole('link', { name: 'north' }).click();
  await owner.page.getByRole('heading', { level: 1, name: 'north Far north' }).waitFor();
  await owner.page.getByText('live', { exact: true }).waitFor();
  t.is(await owner.page.getByRole('button', { name: /^(Attach|Detach|Change|Delete|Save)/ }).count(), 0);
  t.is(said(await fleet.mia('PUT', '/api/dc/north', { alias: 'Mine' })), '403 NotPermitted');
  await owner.context.close();

  await page.getByRole('button', { name: 'Change …' }).click();
  await dialog.getByLabel('Location').fill('Tromsø');
  // Somebody else is quicker: what is typed stays.
  await root('PUT', '/api/dc/north', { description: 'cold' });
  await page.getByText('cold', { exact: true }).waitFor();
  // The dialog asks for itself: sent before it has its answer, it would be refused as old.
  const described = dialog.getByLabel('Description');
  await until(async () => (await described.inputValue()) === 'cold', 'the dialog has followed');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Tromsø').waitFor();
  t.like(resultOf(await root('GET', '/api/dc/north')), { location: 'Tromsø', description: 'cold' });

  await root('POST', '/api/group/northerners', { permissions: ['admin', 'image_admin'], users: ['sam'] });
  await page.getByRole('button', { name: 'Attach a group …' }).click();
  await dialog.getByLabel('Group').selectOption('northerners');
  await dialog.getByText('sam will be able to').waitFor();
  await dialog.getByRole('button', { name: 'Attach' }).click();
  const groups = page.getByRole('list', { name: 'groups' });
  await groups.getByText('sam may').waitFor();
  t.is((await fleet.sam('GET', '/api/dc/north')).status, 200);

  const limits = page.getByRole('region', { name: 'Limits' });
  await limits.getByLabel('How many', { exact: true }).fill('1');
  await limits.getByRole('button', { name: 'Save' }).click();
  await page.getByText('at most 1 can be bound to it').waitFor();
  const one = { manifest, dc: 'north' };
  t.is((await fleet.sam('POST', '/api/image/one', one)).status, 201);
  const refused = await fleet.sam('POST', '/api/image/two', { ...one, manifest: { ...manifest, version: '2' } });
  t.is(said(refused), '400 QuotaExceeded');
  t.regex(refused.json.message ?? '', /north/);
  const sam = await takeSeat(t, fleet, { token: 'token-of-sam' });
  await sam.open('/bring/upload');
  await sam.page.locator('input[type=file]').first().setInputFiles({ name: 'two.raw', mimeType: '', buffer });
  await sam.page.getByRole('button', { name: 'Upload', exact: true }).click();
  await sam.page
    .getByText(/north.* may have 1 image, and has 1/)
    .first()
    .waitFor();
  await limits.getByLabel('How many', { exact: true }).fill('');
  await limits.getByRole('button', { name: 'Save' }).click();
  await page.getByText('at most 1 can be bound to it').waitFor({ state: 'detached' });
  t.is(resultOf(await root('GET', '/api/dc/north/settings')).VMS_IMAGE_LIMIT, null);
  t.deepEqual(await seriousOf(page), []);

  await groups.getByRole('button', { name: 'Detach northerners …' }).click();
  await dialog.getByRole('button', { name: 'Detach' }).click();
  await groups.waitFor({ state: 'detached' });
  t.is(said(await fleet.sam('GET', '/api/dc/north')), '403 NotPermitted');

  await root('PUT', `/api/vm/${numbered(1)}`, { hostname: 'igloo', dc: 'north', images: [] });
  // The page may not have been told yet of what was detached: what it shows would be refused as old.
  await page.reload();
  const remove = async () => {
    await page.getByRole('button', { name: 'Delete …' }).click();
    await dialog.getByText('1 image is bound to it').waitFor();
    await dialog.getByLabel('Type north to go on').fill('north');
    await dialog.getByRole('button', { name: 'Delete' }).click();
  };
  await remove();
  await dialog.getByText('data center "north" holds the machines igloo').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  t.is((await root('GET', '/api/dc/north')).status, 200);
  await root('DELETE', `/api/vm/${numbered(1)}`);
  await remove();
  await page.getByRole('heading', { name: 'Data center north is deleted' }).waitFor();
  await page.getByRole('list', { name: 'images' }).getByText('one').waitFor();
  t.is((await root('GET', '/api/dc/north')).status, 404);
  t.like(resultOf(await root('GET', '/api/image/one')), { dc_bound: false, dcs: [] });
  t.deepEqual(complaints, []);
});

test('images are attached and detached there, and appear and vanish for those who look on', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const { root, will } = fleet;
  await addImage(fleet, 'mine');
  const theirs = await addImage(fleet, 'theirs', { dc: 'west' });
  const boss = await takeSeat(t, fleet, { token: fleet.token });
  const dora = await takeSeat(t, fleet, { token: 'token-of-dora' });
  for (const seat of [boss, dora]) {
    await seat.open('/datacenters/east?tab=images');
    await rowIn(seat, 'mine')
      .getByText(/^bound/)
      .waitFor();
    await seat.page.getByText('live', { exact: true }).waitFor();
  }
  t.is(await rowIn(dora, 'theirs').count(), 0);
  t.is(await dora.page.getByRole('button', { name: /^(Attach|Detach|Change|Delete)/ }).count(), 0);

  const dialog = boss.page.getByRole('dialog');
  await boss.page.getByRole('button', { name: 'Attach an image …' }).click();
  t.true(await dialog.getByRole('radio', { name: /^mine.*it is there already$/s }).isDisabled());
  await dialog.getByRole('radio', { name: /^theirs/ }).check();
  await dialog.getByText(/is bound to west: it will be shared/).waitFor();
  await dialog.getByRole('button', { name: 'Attach', exact: true }).click();
  await rowIn(dora, 'theirs')
    .getByText(/^shared/)
    .waitFor();
  t.like(resultOf(await root('GET', '/api/image/theirs')), { dc_bound: false, dcs: ['west', 'east'] });
  t.is(said(await will('PUT', '/api/image/theirs', { alias: 'other' })), '403 NotPermitted');

  await root('PUT', `/api/vm/${numbered(1)}`, { hostname: 'one', dc: 'east', images: [{ disk: 1, image: theirs }] });
  await rowIn(boss, 'theirs').getByRole('button', { name: 'Detach theirs …' }).click();
  await dialog.getByText('Machines of east use it: one.').waitFor();
  await dialog.getByRole('button', { name: 'Detach it' }).click();
  await dialog.getByText(/is used by one/).waitFor();
  t.deepEqual(await seriousOf(boss.page), []);
  t.deepEqual(resultOf(await root('GET', '/api/image/theirs')).dcs, ['west', 'east']);
  await root('DELETE', `/api/vm/${numbered(1)}`);
  await dialog.getByRole('button', { name: 'Detach it' }).click();
  await rowIn(dora, 'theirs').waitFor({ state: 'detached' });
  t.deepEqual(resultOf(await root('GET', '/api/image/theirs')).dcs, ['west']);

  await rowIn(boss, 'mine').getByRole('button', { name: 'Detach mine …' }).click();
  await dialog.getByText(/It was bound to it, and is shared from then on/).waitFor();
  await dialog.getByRole('button', { name: 'Detach it' }).click();
  await rowIn(boss, 'mine').waitFor({ state: 'detached' });
  t.like(resultOf(await root('GET', '/api/image/mine')), { dc_bound: false, dcs: [] });
  t.deepEqual([boss.complaints, dora.complaints], [[], []]);
});

test('what is attached, or deleted, by somebody else while one chooses it is told in the words of the server', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const { root } = fleet;
  const late = await addImage(fleet, 'late', { dc: 'west' });
  await addImage(fleet, 'gone', { dc: 'west' });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: fleet.token });
  const dialog = page.getByRole('dialog');
  const alert = dialog.getByRole('alert');
  const attach = () => dialog.getByRole('button', { name: 'Attach', exact: true }).click();
  await open('/datacenters/east?tab=images');
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Attach an image …' }).click();
  await dialog.getByRole('radio', { name: /^late/ }).check();
  await root('POST', `/api/dc/east/image/${late}`);
  await dialog.getByRole('radio', { name: /^late.*it is there already$/s }).waitFor();
  await attach();
  await alert.getByText(/somebody else has changed it meanwhile: its data centers was “west” and is “/).waitFor();
  await dialog.getByRole('button', { name: 'Load it anew' }).click();
  await attach();
  await alert.getByText('image late is attached to data center east already').waitFor();
  t.deepEqual(resultOf(await root('GET', '/api/image/late')).dcs, ['west', 'east']);

  await dialog.getByRole('radio', { name: /^gone/ }).check();
  await root('DELETE', '/api/image/gone');
  await dialog.getByRole('radio', { name: /^gone/ }).waitFor({ state: 'detached' });
  await attach();
  await alert.getByText(/there is no image/).waitFor();
  t.deepEqual(resultOf(await root('GET', '/api/dc/east/image')), ['late']);
  t.deepEqual(complaints, []);
});

test('who administers one data center sees that one only, and its settings as they are', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  await fleet.root('PUT', '/api/dc/east/settings', { VMS_IMAGE_LIMIT: 7 });
  const { page, open, received, settled, complaints } = await takeSeat(t, fleet, { token: 'token-of-dora' });
  await open('/datacenters');
  await page.getByRole('link', { name: 'east' }).click();
  await page.getByText('at most 7 can be bound to it').waitFor();
  const limits = page.getByRole('region', { name: 'Limits' });
  await limits.getByRole('definition').filter({ hasText: /^7 / }).waitFor();
  t.is((await page.getByRole('textbox').count()) + (await page.getByRole('spinbutton').count()), 0);
  t.deepEqual(await seriousOf(page), []);
  await open('/datacenters/west');
  await page.getByText('there is no data center "west"').waitFor();
  await open('/nodes');
  await page.getByRole('heading', { name: 'This page is not for you' }).waitFor();
  await settled();
  const told = received.join('').replaceAll('there is no data center \\"west\\"', '');
  t.false(told.includes('"west"'));
  t.deepEqual(complaints, []);
});
