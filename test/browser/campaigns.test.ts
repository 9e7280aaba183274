import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ava from 'ava';
import { lacking, startCampaigns, statesOf } from '../support/campaigns.js';
import { gatedProxy } from '../support/gated-proxy.js';
import { openMenu, rowOf } from '../support/image-rows.js';
import { addImage, manifest, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

const campaignTest = (title: string, implementation: Parameters<typeof test>[1]) =>
  lacking === undefined ? test(title, implementation) : ava.skip(`${title} (${lacking})`, implementation);

campaignTest('an image is brought onto nodes: one has it, one is away and comes back, one is full', async (t) => {
  const world = await startCampaigns(t, { one: {}, away: {}, full: { size: '1m' } }, { console: consoleFiles });
  const { server, node, image, show } = world;
  const { uuid } = await image({ name: 'base' }, 5 << 20);
  await node('away').sshd.stop();
  // What it fetches stands still on its way, until it is let.
  const proxy = await gatedProxy(t, server.port);
  for (const name of ['one', 'away']) {
    const line = `connect-to = "images.test:${server.port}:127.0.0.1:${proxy.port}"\n`;
    await writeFile(join(node(name).home, '.curlrc'), line);
  }
  proxy.shutAfter(2 << 20);

  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  const dialog = page.getByRole('dialog');
  await open('/campaigns');
  await page.getByText('No image was brought onto many nodes yet.').waitFor();
  await page.getByRole('button', { name: 'Bring an image onto nodes' }).click();
  await dialog.getByLabel('Name of the campaign').fill('a b');
  await dialog.getByRole('button', { name: 'Begin' }).click();
  await dialog.getByText('no image is chosen').waitFor();
  await dialog.getByRole('radio', { name: /^base/ }).check();
  await dialog.getByText('no image is chosen').waitFor({ state: 'detached' });
  await dialog.getByRole('button', { name: 'Begin' }).click();
  await dialog.locator('[name=name][aria-invalid=true]').waitFor();
  await dialog.getByLabel('Name of the campaign').fill('all');
  await dialog.getByText('Advanced').click();
  await dialog.getByLabel('Nodes side by side').fill('1');
  t.deepEqual(await seriousOf(page), []);
  await dialog.getByRole('button', { name: 'Begin' }).click();

  await page.getByRole('heading', { level: 1, name: 'all running' }).waitFor();
  const row = (name: string) => page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  await row('full').getByText('skipped', { exact: true }).waitFor();
  await row('full')
    .getByText(/too little room: \d+ bytes are needed/)
    .waitFor();
  await row('away').getByText('away: it is waited for').waitFor();
  await row('away')
    .getByText(/can not be reached/)
    .waitFor();
  await row('one').getByText('fetching', { exact: true }).waitFor();
  await row('one').getByRole('progressbar', { name: 'fetched by one' }).waitFor();
  t.deepEqual(await seriousOf(page), []);

  const menu = page.getByRole('button', { name: 'actions of all' });
  await menu.click();
  t.is(await page.getByRole('button', { name: /^Delete …/ }).getAttribute('aria-disabled'), 'true');
  await page.getByText('it runs: stop it first').first().waitFor();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'all stopped' }).waitFor();
  await row('one').getByText('waiting', { exact: true }).waitFor();
  t.like(await show('all'), { state: 'stopped', pulling: 0 });
  t.deepEqual(await node('one').images(), []);

  await node('away').sshd.start();
  proxy.open();
  await server.ask('PUT', '/api/node/away', { as: 'admin', body: { port: node('away').sshd.port } });
  await menu.click();
  await page.getByRole('button', { name: 'Start again' }).click();
  for (const name of ['one', 'away']) await row(name).getByText('done', { exact: true }).waitFor();
  await page.getByRole('heading', { level: 1, name: 'all done' }).waitFor();
  await page.getByText('2 done, 1 skipped of 3').waitFor();
  t.deepEqual(statesOf(await show('all')), { away: 'done', full: 'skipped', one: 'done' });
  for (const name of ['one', 'away']) t.deepEqual(await node(name).images(), [uuid]);

  await menu.click();
  await page.getByRole('button', { name: /^Delete …/ }).click();
  await dialog.getByText('What it has brought onto nodes stays there.').waitFor();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No image was brought onto many nodes yet.').waitFor();
  t.is((await server.ask('GET', '/api/campaign/all', { as: 'admin' })).status, 404);
  t.deepEqual(await node('one').images(), [uuid]);
  t.deepEqual(complaints, []);
});

campaignTest('a pull that somebody cancels has failed; the image is brought elsewhere from its own page', async (t) => {
  const world = await startCampaigns(t, { one: {}, two: {} }, { console: consoleFiles });
  const { server, image, start, until } = world;
  const { uuid } = await image({ name: 'base' }, 5 << 20);
  // It takes a minute and more, unless it is cancelled.
  await start('POST', 'slow', { image: uuid, nodes: ['one'], bandwidth: 64 << 10 });
  await until('slow', ({ nodes }) => nodes.some(({ progress }) => (progress?.done ?? 0) > 0));
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/tasks');
  await page.getByRole('button', { name: 'Cancel pull image of base, one' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel it' }).click();
  await open('/campaigns');
  const row = page.getByRole('row').filter({ hasText: 'slow' });
  await row.getByText(/^failed/).waitFor();
  await row.getByText('1 failed of 1').waitFor();
  await row.getByRole('link', { name: 'slow' }).click();
  await page.getByText(/^its task .* was cancelled$/).waitFor();
  t.like((await world.show('slow')).nodes[0], { state: 'failed' });

  await server.ask('DELETE', `/api/campaign/slow`, { as: 'admin' });
  await page.getByText('there is no campaign "slow"').waitFor();
  await open(`/image/${uuid}`);
  await page.getByRole('button', { name: 'actions of base' }).click();
  await page.getByRole('button', { name: 'Bring onto nodes …' }).click();
  const dialog = page.getByRole('dialog', { name: 'Bring base onto nodes' });
  await dialog.getByLabel('Name of the campaign').fill('fast');
  await dialog.getByLabel('Onto').selectOption('nodes');
  await dialog.getByRole('checkbox', { name: 'two' }).check();
  await dialog.getByRole('button', { name: 'Begin' }).click();
  await page.getByRole('heading', { level: 1, name: 'fast done' }).waitFor();
  t.deepEqual([await world.node('one').images(), await world.node('two').images()], [[], [uuid]]);
  await page.getByRole('button', { name: 'actions of fast' }).click();
  await page.getByText('every node has the image').waitFor();
  t.deepEqual(await seriousOf(page), []);
  t.deepEqual(complaints, []);
});

test('why an image can not be brought onto nodes is said where it would be begun, to those who manage nodes', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  await addImage(fleet, 'web');
  await fleet.root('POST', '/api/image/empty', { manifest: { ...manifest, name: 'empty' }, dc: 'east' });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: fleet.token });
  const toNodes = async () => {
    const line = (await openMenu(page, 'web')).find((one) => one.startsWith('Bring onto nodes …'));
    await page.keyboard.press('Escape');
    return line?.split('\n').at(-1);
  };
  await open('/');
  await rowOf(page, 'web').waitFor();
  t.is(await toNodes(), 'no node that is talked to serves it');
  await fleet.root('POST', '/api/node/n1', { dcs: ['east'], address: '192.0.2.1' });
  await open('/');
  await rowOf(page, 'web').waitFor();
  t.is(await toNodes(), 'publicUrl is not set: say by which URL nodes reach this server');

  await open('/campaigns');
  const dialog = page.getByRole('dialog');
  const begin = () => page.getByRole('button', { name: 'Bring an image onto nodes' }).click();
  await begin();
  await dialog.getByRole('radio', { name: /^web.* publicUrl is not set/ }).waitFor();
  t.true(await dialog.getByRole('radio', { name: /^web/ }).isDisabled());
  t.is(await page.locator(':focus').getAttribute('aria-label'), 'Search images');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  Object.assign(fleet.deps.policy, { publicUrl: `http://images.test:${fleet.port}` });
  await begin();
  await dialog.getByRole('radio', { name: /^empty.* it is unactivated/ }).waitFor();
  t.true(await dialog.getByRole('radio', { name: /^empty/ }).isDisabled());
  await dialog.getByRole('radio', { name: /^web/ }).check();
  await dialog.getByLabel('Name of the campaign').fill('a b');
  await dialog.getByText(/^name is not 1 to 64 letters/).waitFor();
  t.deepEqual(await seriousOf(page), []);
  t.deepEqual((await fleet.root('GET', '/api/campaign')).json.result, []);

  const eve = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await eve.open('/');
  await rowOf(eve.page, 'web').waitFor();
  const offered = await openMenu(eve.page, 'web');
  t.deepEqual([offered.length > 5, offered.filter((line) => /nodes/.test(line))], [true, []]);
  t.deepEqual([complaints, eve.complaints], [[], []]);
});
