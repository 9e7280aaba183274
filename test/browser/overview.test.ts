import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { DAY } from '../../server/model/sample.js';
import { numbered } from '../support/fixtures.js';
import { endOf } from '../support/imports.js';
import { BYTES, liars, manifestOf } from '../support/lying-remote.js';
import { remote } from '../support/remote.js';
import { rememberRepository } from '../support/repositories.js';
import { afterAWeek, type SampledFleet, startSampled } from '../support/sampled.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

/** A browser whose clock is the server's. */
async function look(t: ExecutionContext, fleet: SampledFleet, token: string, options = {}) {
  const seat = await takeSeat(t, fleet, { token, timezoneId: 'UTC', ...options });
  await seat.context.clock.install({ time: fleet.now() });
  /** What was asked for and not given, from the first call on. */
  const refused: string[] = [];
  seat.page.on('response', (response) => {
    if (response.status() >= 400) refused.push(response.url());
  });
  await seat.open('/overview');
  await seat.page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  return { ...seat, refused };
}

const box = (page: Page, title: string) =>
  page.locator('.box').filter({ has: page.getByRole('heading', { name: title, exact: true }) });

const picture = (page: Page, title: string) => page.getByRole('img', { name: new RegExp(`^${title}: `) });

test('an operator sees what is stored, moved, busy, wrong, and when the disk is full', async (t) => {
  const fleet = await afterAWeek(t, { console: consoleFiles });
  const url = 'http://127.0.0.1:1';
  const at = fleet.now().toISOString();
  const state = { url, lastUpdate: at, tried: at, count: 0, error: 'it does not answer' };
  await rememberRepository(fleet, { name: 'upstream', url, state }, []);
  await fleet.later(3 * DAY);
  const { page, complaints, received } = await look(t, fleet, fleet.token);

  await picture(page, 'Stored over time').waitFor();
  t.regex(await box(page, 'Stored').innerText(), /9 B\s+9 B saved by deduplication \(50 %\): the files of 2 images/);
  t.regex(await box(page, 'Disk').innerText(), /860 GiB free.*full in \d+ days.*a day/s);
  t.regex(await box(page, 'Transfers').innerText(), /0 downloads and 0 uploads.*Downloads\s+0\s+\d+/s);
  const stale = page.getByRole('list', { name: 'stale repositories' });
  t.regex(await stale.innerText(), /upstream\s+failed.*it does not answer/s);
  t.is(await page.getByText('None has failed.').count(), 1);
  for (const title of ['Stored over time', 'Free on the disk', 'Images', 'Served', 'Taken in', 'Downloads']) {
    await picture(page, title).locator('canvas').waitFor(); // it is drawn when the page has been
    t.is(await picture(page, title).locator('canvas').count(), 1, title);
  }

  await page.getByLabel('how far back').selectOption('week');
  await picture(page, 'Downloads')
    .and(page.getByRole('img', { name: /: [1-9]\d* together/ }))
    .waitFor();
  t.regex(await box(page, 'Busiest images of the last week').innerText(), /west-1 1.west-1\s+\d+.*east-1/s);
  t.is(await box(page, 'Busiest nodes of the last week').getByRole('link', { name: 'n-west' }).count(), 1);
  const downloads = box(page, 'Downloads');
  await downloads.getByText('Numbers').click();
  await downloads.getByRole('table').waitFor(); // it is made once it is open, which is told later
  const cells = await downloads.getByRole('cell').allInnerTexts();
  const sum = cells.reduce((all, cell) => all + Number(cell.replace('–', '0')), 0);
  t.is(await picture(page, 'Downloads').getAttribute('aria-label'), `Downloads: downloads: ${sum} together`);
  await page.reload();
  t.is(await page.getByLabel('how far back').inputValue(), 'week', 'what was chosen stands in the address');
  await picture(page, 'Downloads').waitFor();
  t.deepEqual(await seriousOf(page), []);

  // it is left open, and something fails
  const from = await remote(t, {
    [`GET /images/${numbered(1)}`]: manifestOf(BYTES, {}),
    [`GET /images/${numbered(1)}/file`]: liars['another file of the same size']!,
  });
  const { json } = await fleet.ask('POST', `/images/${numbered(1)}?action=import-remote&source=${from.url}`);
  const { id, status } = await endOf(fleet, json.job_uuid);
  t.is(status, 'FAILURE');
  const failed = page.getByRole('list', { name: 'failed tasks' });
  await failed.waitFor();
  t.is(await failed.getByRole('listitem').count(), 1);
  await failed.getByRole('link').click();
  await page.getByRole('list', { name: 'what has happened' }).waitFor();
  t.true(page.url().endsWith(`/tasks/${id}`));

  await page.goBack();
  await stale.getByRole('link', { name: 'upstream' }).click();
  await page.getByRole('heading', { name: 'Repositories', level: 1 }).waitFor();
  await page.getByText('1 row', { exact: true }).waitFor();
  t.true(received.length > 0);
  t.deepEqual(complaints, []);
});

test('who administers a data center is told of it, and of nothing else', async (t) => {
  const fleet = await afterAWeek(t, { console: consoleFiles });
  const { page, complaints, received, refused, settled } = await look(t, fleet, 'token-of-dora', {
    colorScheme: 'dark',
  });
  await picture(page, 'Files of images').waitFor();
  await page.getByLabel('how far back').selectOption('week');
  await box(page, 'Busiest images of the last week').getByRole('link', { name: 'east-1' }).waitFor();
  t.regex(await box(page, 'Stored').innerText(), /the files of 1 image\b/);
  for (const title of ['Disk', 'Repositories', 'Free on the disk']) t.is(await box(page, title).count(), 0, title);
  const choices = page.getByLabel('data center', { exact: true }).getByRole('option');
  await choices.filter({ hasText: 'east' }).waitFor({ state: 'attached' });
  t.deepEqual(await choices.allInnerTexts(), ['all of mine', 'east']);
  t.is(await page.getByRole('link', { name: 'n-east' }).count(), 0, 'nodes have no page for her');
  await page.getByLabel('data center', { exact: true }).selectOption('east');
  await picture(page, 'Files of images').waitFor();
  t.deepEqual(await seriousOf(page), []);
  await settled();
  for (const hidden of ['west', fleet.west]) {
    t.false(
      received.some((text) => text.includes(hidden)),
      hidden,
    );
  }
  t.deepEqual(refused, []);
  t.deepEqual(complaints, []);

  const mia = await takeSeat(t, fleet, { token: 'token-of-mia' });
  await mia.open('/overview');
  const heading = mia.page.getByRole('heading', { level: 1 });
  await heading.waitFor();
  t.not(await heading.innerText(), 'Overview');
  t.is(await mia.page.getByRole('heading', { name: 'Stored' }).count(), 0);
});

test('what is not known yet is said, and comes by itself; on a phone too', async (t) => {
  const fleet = await startSampled(t, { console: consoleFiles });
  const { page, context, complaints } = await look(t, fleet, fleet.token, { viewport: { width: 390, height: 844 } });
  const unknown = page.getByText('Nothing is known of it yet: the first sample comes within five minutes.');
  await unknown.first().waitFor();
  t.is(await picture(page, 'Images').count(), 0);
  t.regex(await box(page, 'Stored').innerText(), /not known yet: the first sample comes within five minutes/);
  await fleet.later(0);
  await context.clock.fastForward(5000);
  await picture(page, 'Images').waitFor();
  t.is(await unknown.count(), 0);
  t.true(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'));
  t.deepEqual(await seriousOf(page), []);
  t.deepEqual(complaints, []);
});
