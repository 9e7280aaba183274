import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { broughtIn, fillIn, told, wrongWith } from '../support/bringing.js';
import { importImage, numbered } from '../support/fixtures.js';
import { gate } from '../support/gate.js';
import { leftBy, NOTHING } from '../support/imports.js';
import { BYTES, manifestOf } from '../support/lying-remote.js';
import { addImage, type Fleet, resultOf, startFleet } from '../support/managed.js';
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

test('ten thousand images are scrolled through and searched', async (t) => {
  const many = Array.from({ length: 10_000 }, (_, at) => listed(at + 1, { published_at: before(1 + at / 10_000) }));
  const { page, complaints } = await begin(t, (fleet) =>
    rememberRepository(fleet, { name: 'theirs', url: 'http://127.0.0.1:9' }, many),
  );
  await shows(page, 'image-1');
  await page.getByRole('button', { name: /^theirs\s+10000/ }).waitFor();
  await rowOf(page, 'image-1').hover();
  await page.mouse.wheel(0, 10_000_000);
  await shows(page, 'image-10000');
  t.true((await page.getByRole('row').count()) < 200, 'only what is looked at is there');
  await page.getByRole('searchbox', { name: 'Search the repository' }).fill('image-7777');
  await shows(page, 'image-7777');
  t.is((await namesIn(page)).length, 1);
  t.deepEqual(complaints, []);
});
