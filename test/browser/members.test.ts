import { groups } from '../../server/model/group.js';
import { place } from '../support/datacenters.js';
import { addImage, startFleet } from '../support/managed.js';
import { navigation } from '../support/navigation.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

test('a member sees what can be used: what is recommended first, for whom it is, and nothing else', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const open = { access: 'public' as const };
  const plain = await addImage(server, 'plain');
  const best = await addImage(server, 'zz-best');
  const ours = await addImage(server, 'ours');
  const hidden = await addImage(server, 'hidden-private');
  const notReady = await addImage(server, 'hidden-not-ready');
  await addImage(server, 'hidden-west', { dc: 'west' });
  const [group] = [...server.deps.directory.groups.values()].filter(({ name }) => name.endsWith('-east'));
  await place(server, plain, open);
  await place(server, best, { ...open, golden: true });
  await place(server, ours, { ...open, groups: [group!.name] });
  await place(server, notReady, open, { activated: false });
  t.is((await server.stored(hidden))?.public, false);

  const mia = await takeSeat(t, server, { token: 'token-of-mia' });
  await mia.open('/');
  await mia.page.getByRole('heading', { name: 'Images to use', level: 1 }).waitFor();
  const rows = mia.page.getByRole('row').filter({ has: mia.page.getByRole('gridcell') });
  await mia.page.locator('[role=grid][aria-rowcount="4"]').waitFor();
  await rows.nth(2).waitFor();
  const texts = await rows.allTextContents();
  const rowOf = (name: string) => texts.find((text) => text.includes(`1.${name}`)) ?? '';
  t.is(texts.length, 3);
  t.regex(texts[0] ?? '', /1\.zz-best.*golden.*System \/ Universal.*SunOS zone/);
  t.regex(rowOf('ours'), new RegExp(`Group ${group!.name} / Universal`));
  t.regex(rowOf('plain'), /System \/ Universal/);
  t.deepEqual(await seriousOf(mia.page), []);

  await mia.page.getByRole('searchbox', { name: 'Search images' }).fill('1.pla');
  await mia.page.locator('[role=grid][aria-rowcount="2"]').waitFor();
  await mia.page.getByRole('gridcell').getByRole('link').click();
  await mia.page.getByRole('heading', { level: 1, name: /base/ }).waitFor();
  t.true(mia.page.url().endsWith(`/image/${plain}`));
  t.deepEqual(await navigation(mia.page), ['Images to use', 'My account', 'Tasks', 'Tokens', 'Webhooks']);
  await mia.open('/users');
  await mia.page.getByRole('heading', { name: 'This page is not for you' }).waitFor();
  await mia.page.getByText('“Users” is for SuperAdmins').waitFor();
  await mia.open('/nowhere');
  await mia.page.getByRole('heading', { name: 'There is no such page' }).waitFor();
  await mia.settled();
  t.false(mia.received.some((text) => text.includes('hidden')));
  t.deepEqual(mia.complaints, []);
});

test('whoever has nothing is told why and whom to ask, and sees it when it is given, without a reload', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const plain = await addImage(server, 'plain');
  await place(server, plain, { access: 'public' });
  const { page, open, received, settled, complaints } = await takeSeat(t, server, { token: 'token-of-sam' });
  await open('/');
  await page.getByRole('heading', { name: 'You are in no data center yet' }).waitFor();
  await page.getByText('Ask an administrator of a data center').waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  t.deepEqual(await seriousOf(page), []);
  await settled();
  t.false(received.some((text) => text.includes('east')));

  const [group] = [...server.deps.directory.groups.values()].filter(({ name }) => name.endsWith('-east'));
  await server.deps.catalog.write(async (tx) => {
    const before = await tx.get(groups, group!.name);
    const user = [...server.deps.directory.users.values()].find(({ name }) => name === 'sam');
    await tx.replace(groups, { ...before!, members: [...before!.members, user!.uuid] });
  });
  await page
    .getByRole('gridcell', { name: /1\.plain/ })
    .first()
    .waitFor();
  t.deepEqual(complaints, []);
});
