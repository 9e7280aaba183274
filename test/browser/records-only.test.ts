import { fillIn } from '../support/bringing.js';
import { ADDRESS, IMAGE, manifestIn, press, UUID } from '../support/bringing-by-url.js';
import { numbered } from '../support/fixtures.js';
import { confirmed, fillIn as fillForm, opened } from '../support/forms.js';
import { choose, confirm, rowOf } from '../support/image-rows.js';
import { BYTES, manifestOf } from '../support/lying-remote.js';
import { addImage, resultOf, said, startFleet } from '../support/managed.js';
import { remote } from '../support/remote.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';
import { kept } from '../support/told.js';

test('that there are records only stands over every page, and what is off says why', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const { root } = fleet;
  await addImage(fleet, 'web');
  await root('PUT', `/api/vm/${numbered(1)}`, { hostname: 'one', dc: 'east', images: [{ disk: 1, image: 'web' }] });
  const boss = await takeSeat(t, fleet, { token: fleet.token });
  const seat = await takeSeat(t, fleet, { token: 'token-of-eve' });
  const { page, open } = seat;
  const banner = (at: typeof seat) => at.page.getByText('This server keeps records only.');
  await open('/bring');
  await page.getByRole('link', { name: 'By upload' }).first().waitFor();
  t.is(await banner(seat).count(), 0);

  await boss.open('/datacenters/main');
  const server = boss.page.getByRole('region', { name: 'Image server' });
  await server.getByLabel('Files are kept and served by').selectOption('nobody: records only');
  await server.getByRole('button', { name: 'Save' }).click();
  await banner(boss).waitFor();
  t.is(resultOf(await root('GET', '/api/dc/main/settings')).VMS_IMAGE_VM, '');
  t.deepEqual(await seriousOf(boss.page), []);

  // Who is told nothing of main learns it by going on.
  await page.getByRole('link', { name: 'By URL' }).first().click();
  await banner(seat).waitFor();
  for (const path of ['/', '/tasks', '/machines', '/datacenters/east', '/account', '/image/web', '/bring']) {
    await open(path);
    await banner(seat).waitFor();
    t.is(await banner(seat).count(), 1, path);
  }
  const off = page.locator('section.box').filter({ hasText: 'Not now: this server keeps records only' });
  await off.nth(3).waitFor();
  t.deepEqual((await off.getByRole('heading').allInnerTexts()).toSorted(), [
    'By upload',
    'From a bundle',
    'From a registry',
    'From a snapshot',
  ]);
  t.deepEqual(await seriousOf(page), []);
  await open('/bring/upload');
  await page.getByText('It is not possible now: this server keeps records only').waitFor();
  t.is(await page.locator('input[type=file]').count(), 0);
  await open('/machines');
  await page.getByRole('row').filter({ hasText: 'one' }).getByRole('button', { name: 'Make an image' }).press('Enter');
  await page.getByText('Make an image: this server keeps records only: it takes no files').waitFor();

  await boss.open('/datacenters/main');
  await server.getByLabel('Files are kept and served by').selectOption('this server');
  await server.getByRole('button', { name: 'Save' }).click();
  await banner(boss).waitFor({ state: 'detached' });
  await open('/bring/upload');
  await page.locator('input[type=file]').first().waitFor({ state: 'attached' });
  t.deepEqual([seat.complaints, boss.complaints], [[], []]);
});

test('where there are records only, images are imported, changed, attached and deleted, and no file is asked for or touched', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const { root, eve } = fleet;
  await addImage(fleet, 'web');
  const { whole } = await kept(fleet);
  await root('PUT', '/api/dc/main/settings', { VMS_IMAGE_VM: '' });
  const from = await remote(t, { [IMAGE]: manifestOf(BYTES) });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/bring/url');
  await fillIn(page, { [ADDRESS]: `${from.url}/images/${UUID}` });
  await manifestIn({ page }).waitFor();
  await press({ page });
  await page.getByRole('heading', { level: 1, name: /remote/ }).waitFor();
  t.like(resultOf(await eve('GET', '/api/image/remote')), { uuid: UUID, dc_bound: true, dcs: ['east'] });
  t.deepEqual(
    [...new Set(from.asked)].filter((asked) => /file/.test(asked)),
    [],
  );

  const changing = await opened(page, 'Change …', 'Change remote');
  await fillForm(changing, { Description: 'kept elsewhere' });
  await confirmed(changing, 'Save');
  t.like((await fleet.ask('GET', `/images/${UUID}`, { as: 'admin' })).json, { description: 'kept elsewhere' });

  const boss = await takeSeat(t, fleet, { token: fleet.token });
  await boss.open('/datacenters/west?tab=images');
  await boss.page.getByRole('button', { name: 'Attach an image …' }).click();
  const dialog = boss.page.getByRole('dialog');
  await dialog.getByRole('radio', { name: /^remote/ }).check();
  await dialog.getByRole('button', { name: 'Attach', exact: true }).click();
  await boss.page.getByRole('row').filter({ hasText: 'remote' }).waitFor();
  t.deepEqual(resultOf(await root('GET', '/api/image/remote')).dcs, ['east', 'west']);
  t.is((await fleet.ask('GET', `/images/${UUID}/file`, { as: 'admin' })).status, 404);

  await boss.open('/');
  await confirm(await choose(boss.page, 'remote', 'Delete …'), 'Delete');
  await rowOf(boss.page, 'remote').waitFor({ state: 'detached' });
  t.is(said(await root('GET', '/api/image/remote')), '404 ResourceNotFound');
  t.like(await kept(fleet), { whole, staged: 0 });
  t.deepEqual([...complaints, ...boss.complaints], []);
});
