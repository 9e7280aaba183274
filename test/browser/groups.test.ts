import { confirmed, fillIn, opened, refusedWith, toasted } from '../support/forms.js';
import { addImage, resultOf, said, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

test('what a group gives where it is attached holds from the next request on, before the eyes of its members', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  await addImage(server, 'base');
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  const dora = await takeSeat(t, server, { token: 'token-of-dora' });
  await dora.open('/');
  const actions = dora.page.getByRole('button', { name: 'actions of base' });
  await dora.page.getByRole('link', { name: 'base', exact: true }).waitFor();
  await dora.page.getByText('live', { exact: true }).waitFor();
  t.is(await actions.count(), 0);
  const labelled = () =>
    dora.page.evaluate(async () => {
      const sent = { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '{"desc":"by dora"}' };
      return (await fetch('/api/image/base', sent)).status;
    });
  t.is(await labelled(), 403);

  await open('/groups');
  const making = await opened(page, 'Make a group …', 'A new group');
  await fillIn(making, { Name: 'a group', 'image_admin: make, change': true });
  await making.getByText('without admin, image_admin gives nothing').waitFor();
  await refusedWith(making, 'Make it', /^name is not/);
  await fillIn(making, { Name: 'crew', 'admin: see all': true });
  await making.getByText('make, change, upload and delete the images that are bound to it').waitFor();
  t.deepEqual(await seriousOf(page), []);
  await confirmed(making, 'Make it');
  await page.getByText('It is attached to none, and gives nothing yet.').waitFor();
  await fillIn(page, { 'Put in': 'nobody' });
  await refusedWith(page, 'Put in', /user "nobody" is not known/);
  await fillIn(page, { 'Put in': 'dora' });
  await page.getByRole('button', { name: 'Put in', exact: true }).click();
  await page.getByRole('list', { name: 'members' }).getByText('dora').waitFor();
  const group = async () => resultOf(await server.root('GET', '/api/group/crew'));
  t.like(await group(), { permissions: ['image_admin', 'admin'], users: ['dora'], dcs: [] });
  t.is(await labelled(), 403, 'it is attached to nothing yet');

  await open('/datacenters/east');
  const attaching = await opened(page, 'Attach a group …', 'Attach a group to east');
  await attaching.getByLabel('Group').selectOption('crew');
  await attaching.getByText('dora will be able to').waitFor();
  await confirmed(attaching, 'Attach');
  await actions.waitFor();
  t.is(await labelled(), 200);

  await confirmed(await opened(page, 'Detach crew …', 'Detach crew from east?'), 'Detach');
  await actions.waitFor({ state: 'detached' });
  t.is(await labelled(), 403);

  t.is((await server.root('POST', '/api/dc/east/group/crew')).status, 201);
  await actions.waitFor();
  await open('/groups/crew');
  await fillIn(page, { 'image_admin: make, change': false });
  await page.getByRole('button', { name: 'Save' }).click();
  await toasted(page, 'crew is changed');
  await actions.waitFor({ state: 'detached' });
  t.is(await labelled(), 403);
  t.deepEqual((await group()).permissions, ['admin']);
  t.deepEqual([...complaints, ...dora.complaints], []);
});

test('an image that is for a group is seen by its members only, and by administrators once the group is gone', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  await server.root('POST', '/api/group/crew', { users: ['eve'] });
  await server.root('POST', '/api/dc/east/group/crew');
  const uuid = await addImage(server, 'base', { access: 1 });
  t.is((await server.root('PUT', '/api/image/base', { groups: ['crew'] })).status, 200);
  const mia = await takeSeat(t, server, { token: 'token-of-mia' });
  await mia.open('/offered');
  await mia.page
    .getByText(/no image/i)
    .first()
    .waitFor();
  await mia.settled();
  t.false(mia.received.some((text) => text.includes('base')));
  t.is(said(await server.root('PUT', '/api/image/base', { groups: ['none'] })).split(' ')[0], '400');

  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/groups/crew');
  await fillIn(page, { 'Put in': 'mia' });
  await page.getByRole('button', { name: 'Put in', exact: true }).click();
  await page.getByRole('list', { name: 'members' }).getByText('mia').waitFor();
  await mia.page.reload();
  await mia.page.getByRole('row').filter({ hasText: 'base' }).waitFor();

  await page.getByRole('button', { name: 'Take out mia' }).click();
  await toasted(page, 'mia is in crew no more');
  await mia.page.reload();
  await mia.page
    .getByText(/no image/i)
    .first()
    .waitFor();

  const deleting = await opened(page, 'Delete …', 'Delete the group crew?');
  await deleting.getByText('to 1 member, in east').waitFor();
  await confirmed(deleting, 'Delete');
  await page.getByRole('heading', { name: 'Groups', level: 1 }).waitFor();
  t.is(said(await server.root('GET', '/api/group/crew')), '404 ResourceNotFound');
  t.is((await server.mia('GET', `/images/${uuid}`)).status, 404);
  t.is((await server.dora('GET', '/api/dc/east/image/base')).status, 200);
  t.deepEqual([...complaints, ...mia.complaints], []);
});

test('administrators of a data center look at its groups, and change none', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  for (const [name, dc] of [
    ['crew', 'east'],
    ['hidden-crew', 'west'],
  ]) {
    await server.root('POST', `/api/group/${name}`, { users: ['mia'] });
    await server.root('POST', `/api/dc/${dc}/group/${name}`);
  }
  const { page, open, received, settled, complaints } = await takeSeat(t, server, { token: 'token-of-dora' });
  await open('/groups');
  await page.getByRole('link', { name: 'crew', exact: true }).click();
  await page.getByRole('list', { name: 'members' }).getByText('mia').waitFor();
  for (const name of ['Delete …', 'Save', 'Put in', 'Take out mia']) {
    t.is(await page.getByRole('button', { name }).count(), 0, name);
  }
  await open('/groups/hidden-crew');
  await page.getByText('there is no group "hidden-crew"').waitFor();
  await settled();
  t.false(received.some((text) => text.replaceAll('no group \\"hidden-crew\\"', '').includes('"hidden-crew"')));
  t.deepEqual(complaints, []);
});
