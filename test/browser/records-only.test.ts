import { numbered } from '../support/fixtures.js';
import { addImage, manifest, resultOf, said, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

test('that there are records only stands over every page, and what is off says why', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const { root, eve } = fleet;
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
  const taken = await eve('POST', `/api/vm/${numbered(1)}/snapshot/s/image/new`, {});
  t.is(taken.status, 428);

  // Records are made, attached, and deleted as ever.
  t.is((await eve('POST', '/api/image/note', { manifest: { ...manifest, version: '9' } })).status, 201);
  await boss.open('/datacenters/west?tab=images');
  await boss.page.getByRole('button', { name: 'Attach an image …' }).click();
  const dialog = boss.page.getByRole('dialog');
  await dialog.getByRole('radio', { name: /^note/ }).check();
  await dialog.getByRole('button', { name: 'Attach', exact: true }).click();
  await boss.page.getByRole('row').filter({ hasText: 'note' }).waitFor();
  t.deepEqual(resultOf(await root('GET', '/api/image/note')).dcs, ['east', 'west']);
  t.is(
    said(await fleet.ask('GET', `/images/${resultOf(await root('GET', '/api/image/note')).uuid}/file`)).slice(0, 3),
    '404',
  );

  await boss.open('/datacenters/main');
  await server.getByLabel('Files are kept and served by').selectOption('this server');
  await server.getByRole('button', { name: 'Save' }).click();
  await banner(boss).waitFor({ state: 'detached' });
  await open('/bring/upload');
  await page.locator('input[type=file]').first().waitFor({ state: 'attached' });
  t.deepEqual([seat.complaints, boss.complaints], [[], []]);
});
