import type { ExecutionContext } from 'ava';
import type { Locator } from 'playwright-core';
import { nodeImages } from '../../server/model/node-image.js';
import { addMachine } from '../support/datacenters.js';
import { choose, rowOf } from '../support/image-rows.js';
import { addImage, resultOf, startFleet } from '../support/managed.js';
import { consoleFiles, takeSeat, test } from '../support/seat.js';

/** Two images of east and one that is nobody's there, and what chooses all three and does something to them. */
async function selecting(t: ExecutionContext) {
  const fleet = await startFleet(t, { console: consoleFiles });
  const used = await addImage(fleet, 'used');
  await addImage(fleet, 'one');
  await addImage(fleet, 'common', { dc_bound: false });
  await addMachine(fleet, { hostname: 'machine', datacenter: 'east', images: [{ disk: 1, image: used }] });
  const seat = await takeSeat(t, fleet, { token: 'token-of-eve' });
  const { page } = seat;
  await seat.open('/');
  /** Chooses, fills in and does it; gives the result of each, without its end where it is long. */
  const start = async (action: string, partly: string, fill: (dialog: Locator) => Promise<unknown>) => {
    for (const name of ['used', 'one', 'common']) await page.getByLabel(`select ${name}`).check();
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
    await dialog.waitFor({ state: 'detached' });
    return told.map((line) => line.replace(/(: .{0,12}).*/s, '$1'));
  };
  const shown = async (name: string) => resultOf(await fleet.root('GET', `/api/image/${name}`));
  return { ...seat, fleet, start, shown };
}

const PARTLY = 'done, but not with 1 of 3';
const TWO = ['used: done', 'one: done', 'common: to update ta'];

test('many are labelled, shown to everybody, and shared with a group: one that fails stops no other', async (t) => {
  const { fleet, page, start, shown, complaints } = await selecting(t);
  const [group = ''] = [...fleet.deps.directory.groups.keys()].filter((name) => name.endsWith('-east'));
  const labelled = await start('label', PARTLY, (dialog) => dialog.getByLabel('Label').selectOption('star'));
  t.deepEqual(labelled, TWO);
  for (const name of ['used', 'one']) t.like(await shown(name), { label: 'star' });
  const published = await start('access', PARTLY, async (dialog) => {
    await dialog.getByLabel('Access').selectOption('1');
    await dialog.getByRole('button', { name: 'Do it' }).click();
    await dialog.getByText('is not "public"').waitFor();
    await dialog.getByLabel(/Type/).fill('public');
  });
  t.deepEqual(published, TWO);
  for (const name of ['used', 'one']) t.like(await shown(name), { access: 1, label: 'star' });
  const shared = await start('share', PARTLY, async (dialog) => {
    await dialog.getByLabel('Who sees it').selectOption('groups');
    await dialog.getByLabel(group).check();
    await dialog.getByLabel('mia').check();
  });
  t.deepEqual(shared, TWO);
  for (const name of ['used', 'one']) t.like(await shown(name), { groups: [group], users: ['mia'], access: 1 });
  t.like(await shown('common'), { label: null, access: 3, groups: null, users: [] });
  await rowOf(page, 'one').getByTitle(`Group ${group} / Universal: for their members only`).waitFor();
  t.deepEqual(complaints, []);
});

test('many are deprecated, taken back, and deleted: each has its result, and one that fails stops no other', async (t) => {
  const { fleet, page, start, shown, complaints } = await selecting(t);
  const deprecated = await start('deprecate', PARTLY, (dialog) => dialog.getByLabel('Reason').fill('old'));
  t.deepEqual(deprecated, TWO);
  for (const name of ['used', 'one']) t.like(Object(await shown(name)).deprecated, { reason: 'old' });
  await rowOf(page, 'one').getByTitle('old', { exact: true }).waitFor();
  const taken = await start('undeprecate', PARTLY, async () => {});
  t.deepEqual(taken, TWO);
  for (const name of ['used', 'one', 'common']) t.is((await shown(name)).deprecated, null);
  await rowOf(page, 'one').getByText('ready', { exact: true }).waitFor();
  const deleted = await start('delete', 'done, but not with 2 of 3', (dialog) =>
    dialog.getByLabel(/Type/).fill('delete'),
  );
  t.regex(deleted.join('\n'), /^used: image .*\none: done\ncommon: to delete/);
  await rowOf(page, 'one').waitFor({ state: 'detached' });
  t.deepEqual(resultOf<string[]>(await fleet.eve('GET', '/api/dc/east/image')), ['common', 'used']);
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
