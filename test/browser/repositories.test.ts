import { wrongWith } from '../support/bringing.js';
import { numbered } from '../support/fixtures.js';
import { confirmed, fillIn, opened, refusedWith, toasted } from '../support/forms.js';
import { gate } from '../support/gate.js';
import { resultOf, said, startFleet } from '../support/managed.js';
import { type Reply, remote } from '../support/remote.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

const listed = (...names: string[]) =>
  names.map((name, at) => ({ v: 2, uuid: numbered(at + 1), name, version: '1', os: 'linux', type: 'zvol', files: [] }));

interface Urls {
  VMS_IMAGE_REPOSITORIES: Record<string, string>;
}

const json =
  (body: unknown): Reply =>
  (_, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));

test('a repository is added, refreshed, changed while it is refreshed, and removed', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  let answer = json(listed('one', 'two'));
  const far = await remote(t, { 'GET /images': (request, response) => answer(request, response) });
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/repositories');
  await page.getByText('danubecloud', { exact: true }).waitFor();

  const adding = await opened(page, 'Add a repository …', 'A new repository');
  await fillIn(adding, { Name: 'Far Away', URL: 'nowhere' });
  await refusedWith(adding, 'Add', /url/i);
  await fillIn(adding, { URL: far.url });
  await refusedWith(adding, 'Add', /name is no name of a repository/);
  await fillIn(adding, { Name: 'danubecloud' });
  await refusedWith(adding, 'Add', /"danubecloud" exists already/);
  await fillIn(adding, { Name: 'far' });
  t.deepEqual(await seriousOf(page), []);
  await confirmed(adding, 'Add');
  const row = page.getByRole('row').filter({ has: page.getByText('far', { exact: true }) });
  await row.getByText('not asked yet').waitFor();
  t.like(resultOf(await server.root('GET', '/api/repository/far')), { url: far.url, image_count: 0 });

  const first = gate();
  answer = async (request, response) => {
    await first.opened;
    return json(listed('one', 'two'))(request, response);
  };
  const refresh = row.getByRole('button', { name: 'refresh far' });
  await refresh.click();
  await row.getByText('asking …').waitFor();
  const other = await takeSeat(t, server, { token: server.token });
  await other.open('/repositories');
  const changing = await opened(page, 'Change far …', 'Change far');
  await fillIn(changing, { 'Refreshed every': '60' });
  await other.page.getByRole('button', { name: 'refresh far' }).click();
  await toasted(other.page, /^far: /);
  t.is(said(await server.root('PUT', '/api/imagestore/far')).split(' ')[0], '423');
  first.open();
  await toasted(page, 'far: refreshed');
  await confirmed(changing, 'Save');
  await row.getByText('good', { exact: true }).waitFor();
  await row.getByText('60 minutes').waitFor();
  const known = resultOf(await server.root('GET', '/api/repository/far'));
  t.like(known, { image_count: 2, every: 60, error: null });
  await row.locator(`time[datetime="${known.last_update}"]`).waitFor();

  answer = json({ not: 'a list' });
  await refresh.click();
  await toasted(page, /^far: /);
  await row.getByText(/^failed/).waitFor();
  const { error } = resultOf<{ error: string }>(await server.root('GET', '/api/repository/far'));
  await page.getByText(`far: ${error}`).waitFor();
  await other.page.getByText(`far: ${error}`).waitFor();

  answer = json(listed('one', 'two', 'three'));
  await page.getByRole('button', { name: 'refresh all repositories' }).click();
  await toasted(page, 'all repositories: refreshed');
  await row.getByText('3', { exact: true }).waitFor();

  await server.root('POST', '/api/follow/latest', { repository: 'far', shared: true, enabled: false });
  const removing = await opened(page, 'Remove far …', 'Remove the repository far?');
  await refusedWith(removing, 'Remove', /is followed by latest/);
  t.is((await server.root('DELETE', '/api/follow/latest')).status, 200);
  await confirmed(removing, 'Remove');
  await row.waitFor({ state: 'detached' });
  t.is(said(await server.root('GET', '/api/repository/far')), '404 ResourceNotFound');
  t.deepEqual([...complaints, ...other.complaints], []);
});

test('of repositories there are sixteen at most, each with a name and a URL, however they are set', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const urls = async () => resultOf<Urls>(await server.root('GET', '/api/dc/main/settings')).VMS_IMAGE_REPOSITORIES;
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  const url = 'https://images.example.com';
  // Two came with the server.
  for (let at = 3; at <= 15; at += 1) await server.root('POST', `/api/repository/r${at}`, { url });
  await open('/repositories');
  await page.getByText('15 rows', { exact: true }).waitFor();
  const adding = await opened(page, 'Add a repository …', 'A new repository');
  for (const [Name, URL, field, words] of [
    ['No Name', url, 'Name', /is no name of a repository/],
    ['', url, 'Name', /is missing/],
    ['r16', 'ftp://images.example.com', 'URL', /http or https URL/],
    ['r16', '', 'URL', /./],
  ] as const) {
    await fillIn(adding, { Name, URL });
    await adding.getByRole('button', { name: 'Add' }).click();
    t.regex(await wrongWith(page, field), words);
  }
  t.is(Object.keys(await urls()).length, 15);
  await fillIn(adding, { Name: 'r16', URL: url });
  await confirmed(adding, 'Add');
  await page.getByText('16 rows', { exact: true }).waitFor();
  const one = await opened(page, 'Add a repository …', 'A new repository');
  await fillIn(one, { Name: 'r17', URL: url });
  await refusedWith(one, 'Add', 'there are 16 repositories, and there can be no more');
  t.is(await wrongWith(page, 'Name'), 'name: there are 16 repositories, and there can be no more');
  t.is(Object.keys(await urls()).length, 16);
  await confirmed(one, 'Cancel');

  await open('/datacenters/main');
  const all = page.getByRole('textbox', { name: 'Repositories' });
  const box = page.getByRole('region', { name: 'Image server' });
  await all.waitFor();
  const lines = await all.inputValue();
  t.true(lines.split('\n').includes(`r16 ${url}`));
  for (const [line, words] of [
    [`r17 ${url}`, 'has more than 16 repositories'],
    ['r16 nowhere', 'http or https URL'],
    [`R16 ${url}`, 'is no name of a repository'],
  ] as const) {
    const isMore = line.startsWith('r17');
    await all.fill(isMore ? `${lines}\n${line}` : lines.replace(`r16 ${url}`, line));
    await refusedWith(box, 'Save', new RegExp(words));
    t.is(await all.getAttribute('aria-invalid'), 'true');
  }
  t.is((await urls()).r16, url);
  await all.fill(`r1 ${url}`);
  await box.getByRole('button', { name: 'Save' }).click();
  await toasted(page, 'Image server: set in main');
  t.deepEqual(await urls(), { r1: url });

  await open('/bring/repository?repo=r16');
  await page.getByText('There is no repository “r16”, or not for you.').waitFor();
  t.is(said(await server.root('GET', '/api/imagestore/r16')), '404 ResourceNotFound');
  t.deepEqual(complaints, []);
});

test('a repository is followed: what a run would do, its run, a change, and the end of it', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const far = await remote(t, { 'GET /images': json(listed('one', 'two')) });
  await server.root('POST', '/api/repository/far', { url: far.url });
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/follows');
  await page.getByText('Nothing is brought from repositories by itself.').waitFor();

  const making = await opened(page, 'Follow a repository …', 'A new follow');
  await fillIn(making, { Name: 'latest' });
  await refusedWith(making, 'Make it', /repository/i);
  await fillIn(making, { Repository: 'far', 'Those of this name': 'tw*' });
  await refusedWith(making, 'Make it', /shared is needed in data center "main"/);
  await fillIn(making, { 'Data center': 'east' });
  await confirmed(making, 'Make it');
  await page.getByRole('heading', { name: /latest/, level: 1 }).waitFor();
  t.like(resultOf(await server.root('GET', '/api/follow/latest')), { match: 'tw*', dc: 'east', every: 1440 });

  t.is((await server.root('PUT', '/api/imagestore/far')).status, 200);
  await page.getByRole('button', { name: 'Look', exact: true }).click();
  await page.getByText('1 image matches').waitFor();
  await page.getByRole('list', { name: 'Import' }).getByText('two').waitFor();

  await fillIn(page, { 'Those of this name': 'nothing' });
  await confirmed(await opened(page, 'Run now …', 'Run latest now?'), 'Run');
  await page.getByText('its task').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await toasted(page, 'latest is changed');
  t.like(resultOf(await server.root('GET', '/api/follow/latest')), { match: 'nothing' });
  await page.getByRole('button', { name: 'Look again' }).click();
  await page.getByText('0 images match').waitFor();

  await confirmed(await opened(page, 'Delete …', 'Delete the follow latest?'), 'Delete');
  await page.getByText('Nothing is brought from repositories by itself.').waitFor();
  t.is(said(await server.root('GET', '/api/follow/latest')), '404 ResourceNotFound');
  t.deepEqual(complaints, []);
});
