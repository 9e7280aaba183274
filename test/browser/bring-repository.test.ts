import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { users } from '../../server/model/user.js';
import { broughtIn, fillIn, told, wrongWith } from '../support/bringing.js';
import { grant } from '../support/datacenters.js';
import { addUser, importImage, numbered } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { leftBy, NOTHING } from '../support/imports.js';
import { BYTES, manifestOf } from '../support/lying-remote.js';
import { addImage, type Fleet, resultOf, said, startFleet } from '../support/managed.js';
import { type Reply, remote } from '../support/remote.js';
import { rememberRepository } from '../support/repositories.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';
import { startServer } from '../support/server.js';

const DAY = 86_400_000;
const before = (days: number) => new Date(Date.now() - days * DAY).toISOString();

const listed = (number: number, more: object = {}) => ({
  ...manifestOf(BYTES),
  uuid: numbered(number),
  name: `image-${number}`,
  published_at: before(number),
  ...more,
});

const add = async ({ root }: Fleet, name: string, url: string) => root('POST', `/api/repository/${name}`, { url });

/** The names in the rows that are shown. */
const namesIn = (page: Page): Promise<string[]> => page.getByRole('grid').locator('button.link').allInnerTexts();

const rowOf = (page: Page, name: string) =>
  page.getByRole('row').filter({ has: page.getByRole('button', { name, exact: true }) });
const shows = (page: Page, name: string) => rowOf(page, name).waitFor();
const lacks = (page: Page, name: string) => rowOf(page, name).waitFor({ state: 'detached' });

async function begin(t: ExecutionContext, set: (fleet: Fleet) => Promise<unknown>) {
  const fleet = await startFleet(t, { console: consoleFiles });
  await set(fleet);
  const seat = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await seat.open('/bring/repository');
  return { fleet, ...seat };
}

test('another server is refreshed and looked through, and an image of it imported with what it builds on', async (t) => {
  const other = await startServer(t, { mode: 'public', authType: 'none' });
  const owner = numbered(0);
  const images = [
    { name: 'base', published_at: before(400), os: 'smartos', type: 'zone-dataset' },
    { name: 'web', published_at: before(20), os: 'linux', type: 'lx-dataset', origin: numbered(1) },
    { name: 'app', published_at: before(100), os: 'linux', type: 'lx-dataset' },
  ];
  for (const [at, image] of images.entries()) {
    const manifest = { v: 2, version: '1.0', public: true, owner, ...image, uuid: numbered(at + 1) };
    await importImage(other, manifest, { file: `bytes of ${image.name}` });
  }
  const { fleet, page, complaints } = await begin(t, (fleet) => add(fleet, 'theirs', other.url));
  await page.getByText('Nothing is known of it yet: refresh it.').waitFor();
  await page.getByRole('button', { name: 'Refresh theirs' }).click();
  await shows(page, 'web');
  t.deepEqual(await namesIn(page), ['web', 'app', 'base']);
  await page.getByRole('button', { name: /^theirs\s+3/ }).waitFor();
  t.deepEqual(await seriousOf(page), []);

  const period = page.getByRole('combobox', { name: 'published' });
  for (const [chosen, expected] of [
    ['of the last 30 days', ['web']],
    ['of the last year', ['web', 'app']],
    ['of the last month', ['web']],
    ['all, whenever published', ['web', 'app', 'base']],
  ] as const) {
    await period.selectOption(chosen);
    await (expected.includes('app' as never) ? shows(page, 'app') : lacks(page, 'app'));
    await (expected.includes('base' as never) ? shows(page, 'base') : lacks(page, 'base'));
    await shows(page, 'web'); // one that is not there may only not have come yet
    t.deepEqual(await namesIn(page), [...expected], chosen);
  }
  await page.getByRole('searchbox', { name: 'Search the repository' }).fill('we');
  await lacks(page, 'app');
  await page.getByRole('button', { name: 'Import web 1.0' }).click();
  const dialog = page.getByRole('dialog', { name: 'web 1.0' });
  await dialog.getByText('base 1.0').waitFor();
  t.deepEqual(await seriousOf(page), []);
  t.is(await dialog.getByRole('textbox', { name: 'Name', exact: true }).inputValue(), 'web');
  await addImage(fleet, 'taken');
  await fillIn(dialog, { Name: 'taken' });
  t.regex(await wrongWith(page, 'Name'), /taken/);
  await fillIn(dialog, { Name: 'ours', Description: 'from there' });
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await told(broughtIn(page), 'It is here.');
  const row = rowOf(page, 'web');
  await row.getByRole('link', { name: 'look at it' }).waitFor();
  t.is(await row.getByRole('button', { name: /^Import/ }).count(), 0);
  await page.getByRole('searchbox', { name: 'Search the repository' }).fill('');
  await rowOf(page, 'base').getByRole('link', { name: 'look at it' }).waitFor();
  await page
    .getByRole('region', { name: /import/ })
    .getByRole('link', { name: /^Look at web/ })
    .click();
  await page.getByRole('heading', { level: 1, name: /web/ }).waitFor();
  t.like(resultOf(await fleet.eve('GET', '/api/image/ours')), {
    ...{ uuid: numbered(2), alias: 'web', desc: 'from there', dcs: ['east'], status: 1 },
  });
  t.is((await fleet.stored(numbered(2)))?.origin, numbered(1));
  t.like(await fleet.stored(numbered(1)), { name: 'base', state: 'active' });
  t.deepEqual(complaints, []);
});

test('what a refresh failed by stays with the repository, and of two at once one waits', async (t) => {
  const { opened, open: go } = gate();
  t.teardown(go);
  let answer: Reply | object = [listed(1)];
  const held: Reply = async (request, response) => {
    await opened;
    if (typeof answer === 'function') return (answer as Reply)(request, response);
    response.end(JSON.stringify(answer));
  };
  const [slow, bad] = [await remote(t, { 'GET /images': held }), await remote(t, { 'GET /images': { no: 'list' } })];
  const { fleet, page, complaints } = await begin(t, async (fleet) => {
    await add(fleet, 'slow', slow.url);
    await add(fleet, 'bad', bad.url);
  });
  await page.getByRole('button', { name: /^slow/ }).click();
  await page.getByRole('button', { name: 'Refresh slow' }).click();
  await page.getByRole('progressbar', { name: 'refresh of slow' }).waitFor();
  const other = await takeSeat(t, fleet, { token: fleet.token });
  await other.open('/bring/repository?repo=slow');
  const refresh = other.page.getByRole('button', { name: 'Refresh slow' });
  await refresh.waitFor();
  t.is(await refresh.getAttribute('title'), 'it is being refreshed already');
  go();
  await shows(page, 'image-1');

  await page.getByRole('button', { name: /^bad/ }).click();
  await page.getByRole('button', { name: 'Refresh bad' }).click();
  await told(page.locator('.failure'), /The last refresh has failed: .*(array|list)/);
  t.deepEqual(await seriousOf(page), []);
  answer = (_, response) => response.end('<html>');
  await page.getByRole('button', { name: 'Refresh all' }).click();
  await page.getByRole('button', { name: /^slow\s+1\s+!/ }).click();
  await told(page.locator('.failure'), /The last refresh has failed: .*JSON/);
  await shows(page, 'image-1');
  await page.reload();
  await told(page.locator('.failure'), /JSON/);
  t.deepEqual([...complaints, ...other.complaints], []);
});

test('a list that does not come in time, is no JSON or no array: why is told, what was known stays, and a good one clears it', async (t) => {
  const list = { good: [listed(1), listed(2)] };
  let answer: Reply = (_, response) => response.end(JSON.stringify(list.good));
  const theirs = await remote(t, { 'GET /images': (request, response) => answer(request, response) });
  const { fleet, page, complaints } = await begin(t, (fleet) => add(fleet, 'theirs', theirs.url));
  const state = async () => resultOf(await fleet.eve('GET', '/api/imagestore/theirs'));
  const refresh = page.getByRole('button', { name: 'Refresh theirs' });
  const failed = page.locator('.failure');
  const { limits } = fleet.deps.repositories;
  await refresh.click();
  await shows(page, 'image-2');
  // The rows are there before it is known when they came.
  await page.getByRole('button', { name: /^theirs\s+2/ }).waitFor();
  const first = await state();
  t.like(first, { image_count: 2, error: null });
  await page.locator(`time[datetime="${first.last_update}"]`).first().waitFor();

  const bad: Record<string, [Reply, RegExp]> = {
    'does not come': [() => {}, /The last refresh has failed: the whole list did not come within 0.2 s/],
    'is no JSON': [(_, response) => response.end('<html>'), /The last refresh has failed: .*JSON/],
    'is no array': [(_, response) => response.end('{"no":"list"}'), /The last refresh has failed: .*(array|list)/],
  };
  for (const [what, [reply, words]] of Object.entries(bad)) {
    answer = reply;
    const { time } = limits;
    if (what === 'does not come') limits.time = 200;
    await refresh.click();
    await told(failed, words);
    limits.time = time;
    const after = await state();
    t.regex(`The last refresh has failed: ${after.error}`, words);
    t.deepEqual({ ...after, error: null }, first, what);
    t.deepEqual(await namesIn(page), ['image-1', 'image-2']);
  }
  list.good = [listed(3)];
  answer = (_, response) => response.end(JSON.stringify(list.good));
  await refresh.click();
  await shows(page, 'image-3');
  await failed.waitFor({ state: 'detached' });
  await lacks(page, 'image-1');
  t.like(await state(), { image_count: 1, error: null });
  t.deepEqual(complaints, []);
});

test('who may import and not manage images looks only, in other data centers than theirs nobody imports, and others do not even look', async (t) => {
  const { fleet, page, complaints } = await begin(t, async (fleet) => {
    await rememberRepository(fleet, { name: 'theirs', url: 'http://127.0.0.1:9' }, [listed(1)]);
    const eve = (await fleet.deps.catalog.find(users, 'name:eve'))!;
    await grant(fleet, eve, 'west', 'admin', 'image_admin');
    for (const [name, ...permissions] of [
      ['ian', 'admin', 'image_import_admin'],
      ['ida', 'admin', 'image_admin'],
      ['ivan', 'image_admin', 'image_import_admin'],
    ] as const) {
      await grant(fleet, await addUser(fleet, name), 'east', ...permissions);
    }
  });
  const image = `/api/imagestore/theirs/image/${numbered(1)}`;
  const asked = async (name: string, method: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer token-of-${name}` };
    return said(await fleet.ask(method, path, { as: 'anonymous', headers, ...(body && { body }) }));
  };
  await page.getByRole('button', { name: 'Import image-1 1.0.0' }).click();
  const dcs = page.getByRole('dialog').getByLabel('Data center').locator('option');
  await dcs.filter({ hasText: 'east' }).waitFor({ state: 'attached' });
  t.false((await dcs.allTextContents()).some((text) => text.includes('west')));
  t.is(await asked('eve', 'POST', image, { dc: 'west' }), '403 NotPermitted');

  const ian = await takeSeat(t, fleet, { token: 'token-of-ian' });
  await ian.open('/bring/repository');
  const greyed = ian.page.getByRole('button', { name: 'Import image-1 1.0.0' });
  await greyed.waitFor();
  t.is(await greyed.getAttribute('aria-disabled'), 'true');
  t.is(await greyed.getAttribute('title'), 'it takes the roles image_admin and image_import_admin in one data center');
  await ian.page.getByRole('button', { name: 'image-1', exact: true }).click();
  const dialog = ian.page.getByRole('dialog', { name: 'image-1 1.0.0' });
  await dialog.getByText('To import it takes the roles').waitFor();
  t.is(await dialog.getByRole('button', { name: 'Import' }).count(), 0);
  t.is(await asked('ian', 'POST', image, { dc: 'east' }), '403 NotPermitted');

  const ida = await takeSeat(t, fleet, { token: 'token-of-ida' });
  await ida.open('/bring');
  await ida.page.getByRole('heading', { name: 'By upload' }).waitFor();
  t.is(await ida.page.getByText('From a repository').count(), 0);
  await ida.open('/bring/repository');
  await ida.page.getByRole('alert').waitFor();
  const ivan = await takeSeat(t, fleet, { token: 'token-of-ivan' });
  await ivan.open('/bring/repository');
  await ivan.page.getByRole('heading', { name: 'This page is not for you' }).waitFor();
  for (const name of ['ida', 'ivan', 'mia']) t.is(await asked(name, 'GET', '/api/imagestore'), '403 NotPermitted');
  await Promise.all([ida.settled(), ivan.settled()]);
  for (const text of [...ida.received, ...ivan.received]) t.false(text.includes('theirs'));
  t.deepEqual(await leftBy(fleet), NOTHING);
  t.deepEqual([...complaints, ...ian.complaints, ...ida.complaints, ...ivan.complaints], []);
});

test('what is gone there is told, and nothing of it is here', async (t) => {
  const theirs = await remote(t, {});
  const { fleet, page, complaints } = await begin(t, (fleet) =>
    rememberRepository(fleet, { name: 'theirs', url: theirs.url }, [listed(1)]),
  );
  await page.getByRole('button', { name: 'Import image-1 1.0.0' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await dialog
    .getByRole('alert')
    .getByText(`repository theirs has no image ${numbered(1)}`)
    .waitFor();
  t.deepEqual(await leftBy(fleet), NOTHING);
  t.deepEqual(complaints, []);
});

test('more than ten thousand images are refreshed, scrolled through, filtered and searched; what is here is marked', async (t) => {
  const many = Array.from({ length: 10_050 }, (_, at) =>
    listed(at + 1, { published_at: before((at < 3000 ? 1 : 50) + at / 10_000) }),
  );
  const theirs = await remote(t, { 'GET /images': many });
  const { fleet, page, complaints } = await begin(t, async (fleet) => {
    await add(fleet, 'theirs', theirs.url);
    await add(fleet, 'empty', theirs.url);
    fleet.deps.repositories.limits.time = 600_000; // however slow the machine is
    Object.assign(many[7776]!, { uuid: await addImage(fleet, 'ours') });
  });
  const tab = page.getByRole('button', { name: /^theirs\s+\d/ });
  await tab.click();
  await page.getByRole('button', { name: 'Refresh theirs' }).click();
  await page.getByRole('button', { name: /^theirs\s+10050/ }).waitFor({ timeout: 240_000 });
  t.like(resultOf(await fleet.eve('GET', '/api/imagestore/theirs')), { image_count: 10_050, error: null });
  await page.getByText('10050 rows', { exact: true }).waitFor();
  await rowOf(page, 'image-1').hover();
  await page.mouse.wheel(0, 10_000_000);
  await shows(page, 'image-10050');
  t.true((await page.getByRole('row').count()) < 200, 'only what is looked at is there');
  await page.getByRole('combobox', { name: 'published' }).selectOption('of the last 30 days');
  await page.getByText('3000 rows', { exact: true }).waitFor();
  await page.getByRole('combobox', { name: 'published' }).selectOption('all, whenever published');
  await page.getByRole('searchbox', { name: 'Search the repository' }).fill('image-777');
  await page.getByText('11 rows', { exact: true }).waitFor();
  await shows(page, 'image-7777');
  const here = rowOf(page, 'image-7777');
  await here.getByRole('link', { name: 'look at it' }).waitFor();
  t.is(await here.getByRole('button', { name: /^Import/ }).count(), 0);
  t.is(await page.getByRole('button', { name: /^Import/ }).count(), 10, 'the others are not here');
  await page.getByRole('button', { name: 'image-7777', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'image-7777 1.0.0' });
  await dialog.getByText('It is here already').waitFor();
  t.is(await dialog.getByRole('button', { name: 'Import' }).count(), 0);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /^empty\s+0/ }).click();
  await page.getByRole('searchbox', { name: 'Search the repository' }).fill('');
  await page.getByText('Nothing is known of it yet: refresh it.').waitFor();
  t.deepEqual(complaints, []);
});
