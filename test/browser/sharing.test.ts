import { grant } from '../support/datacenters.js';
import { addUser } from '../support/fixtures.js';
import { choose, confirm, openMenu, rowOf } from '../support/image-rows.js';
import { addImage, resultOf, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

test('an image is shared with a group and with a user, of whom only those of the data center are offered', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'web');
  const ben = await addUser(fleet, 'ben');
  const group = await grant(fleet, ben, 'east');
  const { page, open, received, settled, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  const shown = async () => resultOf(await fleet.eve('GET', '/api/image/web'));
  const read = async (name: string) =>
    (
      await fleet.ask('GET', `/images/${uuid}`, {
        as: 'anonymous',
        headers: { authorization: `Bearer token-of-${name}` },
      })
    ).status;
  await open('/');
  const dialog = await choose(page, 'web', 'Share with groups and users …');
  await dialog.getByLabel('mia').waitFor();
  t.deepEqual((await dialog.getByRole('group', { name: 'Users' }).innerText()).split(/\s+/), [
    'ben',
    'dora',
    'eve',
    'mia',
  ]);
  await settled();
  t.deepEqual(
    received.filter((text) => /\b(will|sam)\b/.test(text)),
    [],
    'users of others never reach the browser',
  );
  await dialog.getByLabel('Who sees it').selectOption('groups');
  await dialog.getByLabel(group).check();
  t.deepEqual(await seriousOf(page), []);
  await confirm(dialog, 'Share it');
  t.like(await shown(), { groups: [group], users: [] });
  t.deepEqual([await read('ben'), await read('mia')], [200, 404]);

  const ben2 = await takeSeat(t, fleet, { token: 'token-of-ben' });
  await ben2.open('/offered');
  const badge = ben2.page.getByTitle('for the members of the group only');
  await badge.waitFor();
  t.regex((await badge.textContent()) ?? '', new RegExp(`^Group ${group} / Universal`));

  await rowOf(page, 'web')
    .getByText(/^group/)
    .first()
    .waitFor();
  const again = await choose(page, 'web', 'Share with groups and users …');
  await again.getByLabel(group).uncheck();
  await again.getByLabel('mia').check();
  await confirm(again, 'Share it');
  t.like(await shown(), { groups: [], users: ['mia'] });
  t.deepEqual([await read('ben'), await read('mia')], [404, 200]);
  const mia = await takeSeat(t, fleet, { token: 'token-of-mia' });
  await mia.open('/offered');
  await mia.page.getByText(uuid).waitFor();
  t.is(await mia.page.getByRole('button', { name: /actions|rename/ }).count(), 0, 'read-only');

  // The row does not tell with which users.
  await page.reload();
  const last = await choose(page, 'web', 'Share with groups and users …');
  await last.getByLabel('Who sees it').selectOption('all');
  await last.getByLabel('mia').uncheck();
  await confirm(last, 'Share it');
  t.like(await shown(), { groups: null, users: [] });
  t.is(await read('mia'), 404);
  t.deepEqual([...complaints, ...mia.complaints, ...ben2.complaints], []);
});

test('an image is made public by whoever has that right, after its name was typed; then the world has it', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'web');
  await addImage(fleet, 'wild', { dc: 'west' });
  for (const dc of ['east', 'west']) await fleet.root('PUT', `/api/dc/${dc}/settings`, { anonymous: true });
  const world = async () => (await fleet.ask('GET', `/images/${uuid}`, { as: 'anonymous' })).status;
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  const dialog = await choose(page, 'web', 'Make public …');
  await dialog.getByText('so does the whole world').waitFor();
  await dialog.getByLabel('Type web to go on').fill('wed');
  await dialog.getByRole('button', { name: 'Make it public' }).click();
  await dialog.getByText('is not "web"').waitFor();
  t.is(await world(), 404);
  t.deepEqual(await seriousOf(page), []);
  await dialog.getByLabel('Type web to go on').fill('web');
  await confirm(dialog, 'Make it public');
  t.is(await world(), 200);
  await rowOf(page, 'web').getByText('public', { exact: true }).waitFor();
  await confirm(await choose(page, 'web', 'Make private …'), 'Make it private');
  t.is(await world(), 404);

  const will = await takeSeat(t, fleet, { token: 'token-of-will' });
  await will.open('/');
  await rowOf(will.page, 'wild').waitFor();
  t.deepEqual(
    (await openMenu(will.page, 'wild')).filter((line) => /public/.test(line)),
    [],
    'he has no right to',
  );
  t.deepEqual([...complaints, ...will.complaints], []);
});
