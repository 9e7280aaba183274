import type { Locator } from 'playwright-core';
import { nodeImages } from '../../server/model/node-image.js';
import { addMachine } from '../support/datacenters.js';
import { choose, rowOf } from '../support/image-rows.js';
import { addImage, resultOf, startFleet } from '../support/managed.js';
import { consoleFiles, takeSeat, test } from '../support/seat.js';

test('the same is done to many: each has its result, and one that fails stops no other', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const used = await addImage(fleet, 'used');
  for (const name of ['one', 'two']) await addImage(fleet, name);
  await addImage(fleet, 'common', { dc_bound: false });
  await addMachine(fleet, { hostname: 'machine', datacenter: 'east', images: [{ disk: 1, image: used }] });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  const all = ['used', 'one', 'common'];
  const start = async (action: string, partly: string, fill: (dialog: Locator) => Promise<unknown>) => {
    for (const name of all) await page.getByLabel(`select ${name}`).check();
    await page.getByText('3 selected').waitFor();
    await page.getByRole('button', { name: 'Change the selected …' }).click();
    const dialog = page.getByRole('dialog');
    t.deepEqual((await dialog.getByLabel('What to do').innerText()).match(/.*data center/g), null);
    await dialog.getByLabel('What to do').selectOption(action);
    await fill(dialog);
    await dialog.getByRole('button', { name: 'Do it' }).click();
    await dialog.getByText(partly).waitFor();
    const told = await dialog.getByRole('listitem').allInnerTexts();
    await dialog.getByRole('button', { name: 'Close', exact: true }).click();
    return told.map((line) => line.replace(/(: .{0,12}).*/s, '$1'));
  };
  const labelled = await start('label', 'done, but not with 1 of 3', (dialog) =>
    dialog.getByLabel('Label').selectOption('star'),
  );
  t.deepEqual(labelled.slice(0, 2), ['used: done', 'one: done']);
  t.regex(labelled[2]!, /^common: to update/);
  t.like(resultOf(await fleet.eve('GET', '/api/image/one')), { label: 'star' });
  const deprecated = await start('deprecate', 'done, but not with 1 of 3', (dialog) =>
    dialog.getByLabel('Reason').fill('old'),
  );
  t.deepEqual(deprecated.slice(0, 2), ['used: done', 'one: done']);
  t.like(resultOf<{ deprecated: object }>(await fleet.eve('GET', '/api/image/used')).deprecated, { reason: 'old' });
  const deleted = await start('delete', 'done, but not with 2 of 3', (dialog) =>
    dialog.getByLabel(/Type/).fill('delete'),
  );
  t.regex(deleted.join('\n'), /^used: image .*\none: done\ncommon: to delete/);
  await rowOf(page, 'one').waitFor({ state: 'detached' });
  t.deepEqual(resultOf<string[]>(await fleet.eve('GET', '/api/dc/east/image')), ['common', 'two', 'used']);
  t.deepEqual(complaints, []);
});

test('what was typed to confirm one thing confirms no other, and not the same one later', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  for (const name of ['one', 'two']) await addImage(fleet, name);
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  const changed = async (name: string) => {
    await page.getByLabel(`select ${name}`).check();
    await page.getByRole('button', { name: 'Change the selected …' }).click();
    return page.getByRole('dialog', { name: 'Change 1 image' });
  };
  const first = await changed('one');
  await first.getByLabel('What to do').selectOption('delete');
  await first.getByLabel(/Type/).fill('delete');
  await page.keyboard.press('Escape');
  await first.waitFor({ state: 'detached' });
  const again = await changed('one');
  t.is(await again.getByLabel('What to do').inputValue(), 'delete');
  t.is(await again.getByLabel(/Type/).inputValue(), '');
  await page.keyboard.press('Escape');
  await again.waitFor({ state: 'detached' });
  await page.getByLabel('select one').uncheck();
  const other = await changed('two');
  t.is(await other.getByLabel('What to do').inputValue(), 'label');
  await page.keyboard.press('Escape');

  const name = () => page.getByLabel('Type one to go on');
  await choose(page, 'one', 'Make public …');
  await name().fill('one');
  await page.reload();
  await choose(page, 'one', 'Make public …');
  t.is(await name().inputValue(), '');
  t.deepEqual(complaints, []);
});

test('SuperAdmins attach many and take them back; a copy on a node is named before it goes', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'one');
  await addImage(fleet, 'two');
  const copy = {
    node: 'node1',
    pool: 'zones',
    image: uuid,
    state: 'ready',
    changed: fleet.deps.now().toISOString(),
  } as const;
  await fleet.deps.catalog.write((tx) => tx.insert(nodeImages, copy));
  const { page, open, complaints } = await takeSeat(t, fleet, { token: fleet.token });
  await open('/');
  const west = async () => resultOf<string[]>(await fleet.will('GET', '/api/dc/west/image'));
  const start = async (action: string, dc: string) => {
    await page.getByRole('button', { name: 'Select all' }).click();
    await page.getByRole('button', { name: 'Change the selected …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Change 2 images' });
    await dialog.getByText(/^(one, two|two, one)$/).waitFor();
    await dialog.getByLabel('What to do').selectOption(action);
    await dialog.getByRole('button', { name: 'Do it' }).click();
    await dialog.locator('[aria-invalid=true]').waitFor();
    await dialog.getByLabel('Data center').selectOption(dc);
    await dialog.getByRole('button', { name: 'Do it' }).click();
    await dialog.getByText('done', { exact: true }).waitFor();
    await dialog.getByRole('button', { name: 'Close', exact: true }).click();
  };
  await start('attach', 'west');
  t.deepEqual(await west(), ['one', 'two']);
  await start('detach', 'west');
  t.deepEqual(await west(), []);
  const dialog = await choose(page, 'one', 'Delete …');
  await dialog.getByText('its copy on node node1, pool zones').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  t.truthy(await fleet.stored(uuid));
  t.deepEqual(complaints, []);
});
