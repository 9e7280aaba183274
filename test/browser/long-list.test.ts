import { fill, nameOf, OF_A_NAME } from '../../bench/servers/fill-catalog.js';
import { startFleet } from '../support/managed.js';
import { consoleFiles, takeSeat, test } from '../support/seat.js';

const IMAGES = 1000;
/** As many as are asked for at a time. */
const PART = 100;

test('a long list is read where one looks: by wheel, by keys, and by what is typed', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  await fill(server.deps.catalog, IMAGES);
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  const asked: string[] = [];
  const ended: string[] = [];
  page.on('request', (request) => {
    const offset = new URL(request.url()).searchParams.get('offset');
    if (offset !== null) asked.push(offset);
  });
  page.on('requestfailed', (request) => ended.push(request.failure()?.errorText ?? ''));
  await open('/');
  const grid = page.locator(`[role=grid][aria-rowcount="${IMAGES + 1}"]`);
  await grid.waitFor();
  const row = (n: number) => page.locator(`tr[aria-rowindex="${n + 1}"]:not(.waiting)`);
  await row(1).waitFor();

  const heights = await page.evaluate<number[]>(
    '[...document.querySelectorAll("tbody tr:not(.gap)")].map((row) => row.getBoundingClientRect().height)',
  );
  t.deepEqual([...new Set(heights)], [44], 'the scrollbar goes by rows of one height');
  t.true((await page.locator('tbody tr').count()) < 100, 'what is not seen is not there');

  await page.mouse.move(640, 500);
  for (let turn = 0; turn < 50; turn += 1) await page.mouse.wheel(0, 1000);
  await row(IMAGES).waitFor();
  const parts = new Set(asked);
  t.true(parts.has(String(IMAGES - PART)));
  t.true(
    ended.every((why) => why === 'net::ERR_ABORTED'),
    String(ended),
  );

  await grid.focus();
  await page.keyboard.press('Home');
  await row(1).and(page.locator('.focused')).waitFor();
  await page.keyboard.press('End');
  await row(IMAGES).and(page.locator('.focused')).waitFor();
  await page.keyboard.press('PageUp');
  await row(IMAGES - 15)
    .and(page.locator('.focused'))
    .waitFor();

  const name = nameOf(7, IMAGES);
  await page.getByRole('searchbox', { name: 'Search images' }).pressSequentially(name);
  // Whoever types slowly finds all of them before the last letter.
  await page.waitForURL(({ searchParams }) => searchParams.get('search') === name);
  await page.locator(`[role=grid][aria-rowcount="${OF_A_NAME + 1}"]`).waitFor();
  await row(1)
    .and(page.getByRole('row', { name: new RegExp(name) }))
    .waitFor();
  t.deepEqual(complaints, []);
});
