import { numbered } from '../support/fixtures.js';
import { confirmed, fillIn, opened, refusedWith, toasted } from '../support/forms.js';
import { addImage, resultOf, said, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

test('a machine is registered with images that it can be made of, and keeps them until it is forgotten', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const web = await addImage(server, 'web');
  const hidden = await addImage(server, 'theirs', { dc: 'west' });
  const { page, open, received, settled, complaints } = await takeSeat(t, server, { token: 'token-of-dora' });
  const uuid = numbered(1);
  const shown = async () => resultOf(await server.root('GET', `/api/vm/${uuid}`));
  await open('/machines');
  await page.getByText(/^No machine is known/).waitFor();

  const registering = await opened(page, 'Register a machine …', 'Register a machine');
  await fillIn(registering, { Name: 'web1', Disks: 'web' });
  await refusedWith(registering, 'Register', 'is missing');
  await fillIn(registering, { UUID: 'web1' });
  await refusedWith(registering, 'Register', 'is no UUID');
  await fillIn(registering, { UUID: uuid, Name: 'no spaces' });
  await refusedWith(registering, 'Register', /is not a host name/);
  await fillIn(registering, { Name: 'web1', Disks: 'web\ntheirs' });
  await refusedWith(registering, 'Register', /there is no image "theirs" there/);
  await registering.locator('[name=images][aria-invalid=true]').waitFor();
  t.deepEqual(await seriousOf(page), []);
  t.is(said(await server.root('GET', `/api/vm/${uuid}`)), '404 ResourceNotFound');
  await fillIn(registering, { Disks: `web\n3: ${web} 20480`, State: 'paused' });
  await registering.getByText('Advanced').click();
  await fillIn(registering, { Tags: 'a, b' });
  await confirmed(registering, 'Register');
  const row = page.getByRole('row').filter({ hasText: 'web1' });
  await row.getByText('paused').waitFor();
  t.like(await shown(), {
    hostname: 'web1',
    dc: 'east',
    state: 'paused',
    tags: ['a', 'b'],
    images: [
      { disk: 1, image: web, size: null },
      { disk: 3, image: web, size: 20480 },
    ],
  });
  t.is(said(await server.eve('DELETE', '/api/image/web')), '428 ImageInUse');

  const again = await opened(page, 'Register a machine …', 'Register a machine');
  await fillIn(again, { UUID: uuid, Name: 'other' });
  await refusedWith(again, 'Register', /it is known already, as web1/);
  await again.getByRole('button', { name: 'Cancel' }).click();

  // Somebody else changes it meanwhile: what is typed stays, and overwrites nothing unseen.
  await page.getByText('live', { exact: true }).waitFor();
  // Its title follows as well.
  await opened(page, 'Change web1 …', 'Change web1');
  const changing = page.getByRole('dialog');
  await fillIn(changing, { Name: 'web2' });
  t.is(await changing.getByLabel('Disks').inputValue(), `${web}\n3: ${web} 20480`);
  const theirs = { hostname: 'web9', dc: 'east', images: [{ disk: 1, image: 'web' }] };
  t.is((await server.root('PUT', `/api/vm/${uuid}`, theirs)).status, 200);
  await changing.getByText(/Somebody else has made it “web9” meanwhile/).waitFor();
  t.is(await changing.getByLabel('Disks').inputValue(), web);
  await fillIn(changing, { State: 'active' });
  await confirmed(changing, 'Save');
  await page.getByRole('row').filter({ hasText: 'web2' }).getByText('active').waitFor();
  t.like(await shown(), { hostname: 'web2', state: 'active', images: [{ disk: 1, image: web, size: null }] });

  const forgetting = await opened(page, 'Forget web2 …', 'Forget machine web2?');
  await forgetting.getByText(/What it uses can be deleted from then on/).waitFor();
  await confirmed(forgetting, 'Forget');
  await toasted(page, 'machine web2 is forgotten');
  await page.getByText(/^No machine is known/).waitFor();
  t.is(said(await server.root('GET', `/api/vm/${uuid}`)), '404 ResourceNotFound');
  t.is((await server.eve('DELETE', '/api/image/web')).status, 200);
  await settled();
  t.false(received.some((text) => text.includes(hidden)));
  t.deepEqual(complaints, []);
});

test('a machine keeps the node that it is registered with, until that is taken away', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  for (const name of ['n1', 'n2']) await server.root('POST', `/api/node/${name}`, { dcs: ['east'] });
  const uuid = numbered(1);
  await server.root('PUT', `/api/vm/${uuid}`, { hostname: 'web1', dc: 'east', node: 'n1' });
  const nodeOf = async () => resultOf(await server.root('GET', `/api/vm/${uuid}`)).registered_node;
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/machines');
  const changing = async (name: string) => {
    const form = await opened(page, `Change ${name} …`, `Change ${name}`);
    await form.getByText('Advanced').click();
    return form;
  };

  const renaming = await changing('web1');
  t.is(await renaming.getByLabel('Node').inputValue(), 'n1');
  await renaming.locator('datalist option[value=n2]').waitFor({ state: 'attached' });
  await fillIn(renaming, { Name: 'web2' });
  await confirmed(renaming, 'Save');
  t.is(await nodeOf(), 'n1');

  const taking = await changing('web2');
  await fillIn(taking, { Node: '' });
  await confirmed(taking, 'Save');
  t.is(await nodeOf(), null);
  const giving = await changing('web2');
  await fillIn(giving, { Node: 'n3' });
  await refusedWith(giving, 'Save', 'there is no node "n3" there');
  await fillIn(giving, { Node: 'n2' });
  await confirmed(giving, 'Save');
  t.is(await nodeOf(), 'n2');
  t.deepEqual(complaints, []);
});

test('a machine that is changed while somebody is about to forget it is not forgotten unseen', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const path = `/api/vm/${numbered(1)}`;
  await server.root('PUT', path, { hostname: 'web1', dc: 'east', tags: ['a'] });
  const { page, open, complaints } = await takeSeat(t, server, { token: 'token-of-dora' });
  await open('/machines');
  await opened(page, 'Forget web1 …', 'Forget machine web1?');
  t.is((await server.root('PUT', path, { hostname: 'web2', dc: 'east' })).status, 200);
  const forgetting = page.getByRole('dialog');
  await refusedWith(
    forgetting,
    'Forget',
    /it was changed meanwhile: its name was “web1” and is “web2”; its tags was “a”/,
  );
  t.like(resultOf(await server.root('GET', path)), { hostname: 'web2' });
  await forgetting.getByText('Forget machine web2?').waitFor();
  t.deepEqual(await seriousOf(page), []);
  await confirmed(forgetting, 'Forget');
  await toasted(page, 'machine web2 is forgotten');
  t.is(said(await server.root('GET', path)), '404 ResourceNotFound');
  t.deepEqual(complaints, []);
});

test('whoever is going to move a machine is told which of its images are not there', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const [web, base] = [await addImage(server, 'web'), await addImage(server, 'base')];
  const images = [web, base].map((image, at) => ({ disk: at + 1, image }));
  await server.root('PUT', `/api/vm/${numbered(1)}`, { hostname: 'web1', dc: 'east', images });
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/machines');
  const moving = await opened(page, 'Could it move? web1 …', 'Could web1 move?');
  await fillIn(moving, { To: 'west' });
  await moving.getByRole('button', { name: 'Ask' }).click();
  const told = moving.getByRole('status');
  await told.getByText('No: west lacks').waitFor();
  for (const name of ['web', 'base']) await told.getByRole('link', { name }).waitFor();
  t.deepEqual(await seriousOf(page), []);
  for (const image of [web, base]) t.is((await server.root('POST', `/api/dc/west/image/${image}`)).status, 201);
  await moving.getByRole('button', { name: 'Ask' }).click();
  await moving.getByText('Yes: west has all images of its disks.').waitFor();
  t.deepEqual(complaints, []);
});
