import type { ExecutionContext } from 'ava';
import ava from 'ava';
import {
  everyPlace,
  lostPages,
  openByKeys,
  type Place,
  seriousForFingers,
  tooWide,
  unknownPages,
  walkByTab,
  whole,
} from '../support/every-page.js';
import { startFilled } from '../support/filled.js';
import { type Seat, type SeatOptions, seriousOf, takeSeat, test } from '../support/seat.js';

ava('every page of the console is looked at here', (t) => {
  t.deepEqual({ unknownPages, lostPages }, { unknownPages: [], lostPages: [] });
});

/** Who looks side by side, one test after the other. */
const SEATS = 3;
let before: Promise<unknown> = Promise.resolve();

type Look = (seat: Seat, place: Place) => Promise<readonly string[]>;

/** All that is found on all pages, each with where it was. */
function lookAround(t: ExecutionContext, options: SeatOptions, look: Look): Promise<string[]> {
  const looked = before.then(() => lookNow(t, options, look));
  before = looked.catch(() => {});
  return looked;
}

async function lookNow(t: ExecutionContext, options: SeatOptions, look: Look): Promise<string[]> {
  const server = await startFilled(t);
  const waiting = [...everyPlace];
  const found: string[] = [];
  const sit = async () => {
    const seat = await takeSeat(t, server, { token: server.token, ...options });
    seat.page.on('request', (request) => {
      if (new URL(request.url()).origin !== server.url) found.push(`it asks for ${request.url()}`);
    });
    for (let place = waiting.shift(); place; place = waiting.shift()) {
      await seat.open(place.at);
      await whole(seat.page);
      const told = [...(await look(seat, place)), ...seat.complaints.splice(0)];
      found.push(...told.map((line) => `${place?.at}: ${line}`));
    }
  };
  await Promise.all(Array.from({ length: SEATS }, sit));
  return found;
}

test('every page says what it is, fails at nothing, and is read well by day and by night', async (t) => {
  const found = await lookAround(t, {}, async ({ page }, { heading }) => {
    const headings = await page.getByRole('heading', { level: 1 }).allTextContents();
    const failures = await page.locator('.failure[role=alert]').allTextContents();
    const byDay = await seriousOf(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    const byNight = await seriousOf(page);
    await page.emulateMedia({ colorScheme: 'light' });
    return [
      ...(headings.length === 1 && headings[0]?.includes(heading) ? [] : [`its headings are ${headings}`]),
      ...failures,
      ...byDay,
      ...byNight.map((line) => `in the dark: ${line}`),
    ];
  });
  t.deepEqual(found, []);
});

test('every page fits a phone, a tablet and a small window, and fingers', async (t) => {
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  const found = await lookAround(t, phone, async ({ page }) => {
    const told = [...(await seriousOf(page)), ...(await seriousForFingers(page))];
    for (const width of [390, 768, 1024]) {
      await page.setViewportSize({ width, height: 844 });
      told.push(...(await tooWide(page)).map((line) => `${width}: ${line}`));
    }
    await page.setViewportSize(phone.viewport);
    return told;
  });
  t.deepEqual(found, []);
});

test('Tab leads to everything on every page, and one sees where one is', async (t) => {
  t.deepEqual(await lookAround(t, {}, ({ page }) => walkByTab(page)), []);
});

test('whatever opens on a page opens by a key, closes by Escape and gives the focus back', async (t) => {
  t.deepEqual(await lookAround(t, {}, ({ page }) => openByKeys(page, seriousOf)), []);
});
