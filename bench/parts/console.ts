import type { Browser, Page } from 'playwright-core';
import {
  type Frames,
  framesDuring,
  fresh,
  isInstalled,
  launch,
  PROBE,
  type Probed,
  probed,
  timeToSee,
} from '../measure/browser.js';
import { inPairs, median, repeatedly } from '../measure/in-pairs.js';
import { alone, compared } from '../measure/row.js';
import type { Bench, Findings, Part, Row } from '../part.js';
import { type Daemon, startDaemon } from '../servers/daemon.js';
import { fillCatalog, nameOf, OF_A_NAME } from '../servers/fill-catalog.js';
import { keep, PAGE, startSite } from '../servers/site.js';

const IMAGES = 10_000;
/** What is longer is seen as a halt. */
const HALT = 50;
/** As many as the console draws at first. */
const ROWS = 25;

export const consolePart: Part = {
  name: 'console',
  title: 'Console',
  about: `The list of ${IMAGES} images in a real Chromium (headless, without a graphics processor), on the cores that the
daemon has too. *First rows* and *first key*: from the navigation, with nothing cached and somebody signed in, until the first
rows are seen, and until a key that is pressed then has moved to the next row. The peer is a bare page that fetches the same
bytes (script, style and answers of the API, as they are packed) from a bare \`http.createServer\`, all at once, and shows as
many rows as text. *Halts* are frames that took longer than ${HALT} ms, of those that were drawn while the whole list was
scrolled through by wheel and a part of it by the PageDown key. *Filter*: from the last letter until the ${OF_A_NAME} images
that have the name are seen; the console waits for 200 ms in which nothing is typed before it asks.`,
  measure,
};

async function measure(bench: Bench): Promise<Findings> {
  if (!isInstalled()) return { rows: [], missing: ['the console, as chromium is not installed'] };
  bench.say(`filling a catalog with ${IMAGES} images`);
  const data = `${bench.directory}/data`;
  await fillCatalog(data, IMAGES);
  const daemon = await startDaemon(bench, data);
  const browser = await launch(bench.closing);
  return { rows: [...(await opened(bench, browser, daemon)), ...(await moved(bench, browser, daemon))] };
}

const urlOf = ({ port }: { port: number }) => `http://127.0.0.1:${port}`;

async function opened(bench: Bench, browser: Browser, daemon: Daemon): Promise<Row[]> {
  const paths = await fetchedBy(browser, daemon);
  const kept = await Promise.all(paths.map((path) => keep(daemon, path)));
  const list = paths.find((path) => path.startsWith('/api/image?'));
  if (list === undefined) throw new Error(`the list was not asked for, but ${paths.join(' ')}`);
  const peer = await startSite(bench, kept, list, ROWS);
  bench.say(`opening the console and a bare page, which fetch ${paths.length} files and answers`);
  const pairs = await inPairs(
    bench.runs,
    () => open(browser, daemon, '/console/', daemon.token),
    () => open(browser, peer, PAGE),
  );
  await peer.stop();
  const aim = { of: 'ours', atMost: 1000 } as const;
  return [
    compared(peer.name, pairs, { what: 'first rows', unit: 'ms', of: ({ rows }) => rows }),
    compared(peer.name, pairs, { what: 'first key', unit: 'ms', of: ({ key }) => key, aim }),
  ];
}

/** The paths that the console asks for until its first rows are there, but for the stream that does not end. */
async function fetchedBy(browser: Browser, daemon: Daemon): Promise<string[]> {
  const { context, page } = await fresh(browser, urlOf(daemon), daemon.token);
  await context.addInitScript(PROBE);
  const paths = new Set<string>();
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url());
    if (pathname !== '/api/events') paths.add(pathname + search);
  });
  await page.goto(`${urlOf(daemon)}/console/`);
  await probed(page);
  await context.close();
  return [...paths];
}

async function open(browser: Browser, server: { port: number }, path: string, token?: string): Promise<Probed> {
  const { context, page } = await fresh(browser, urlOf(server), token);
  await context.addInitScript(PROBE);
  await page.goto(urlOf(server) + path);
  const found = await probed(page);
  await context.close();
  return found;
}

async function moved(bench: Bench, browser: Browser, daemon: Daemon): Promise<Row[]> {
  const { page } = await fresh(browser, urlOf(daemon), daemon.token);
  await page.goto(`${urlOf(daemon)}/console/`);
  await allListed(page).waitFor();
  bench.say('scrolling by wheel and by keys');
  const byWheel = await repeatedly(bench.runs, () => wheelThrough(page));
  const byKeys = await repeatedly(bench.runs, () => pageThrough(page));
  bench.say('filtering');
  let turn = 0;
  const filtered = await repeatedly(bench.runs, () => {
    turn += 7;
    return filter(page, nameOf(turn, IMAGES));
  });
  return [
    ...framesRows('scrolled by wheel', byWheel),
    ...framesRows('scrolled by keys', byKeys),
    alone(filtered, { what: 'filter: typed to seen', unit: 'ms', of: (ms) => ms, aim: { of: 'ours', atMost: 500 } }),
    { what: 'filter: the slowest', unit: 'ms', ours: Math.max(...filtered), runs: filtered.length },
  ];
}

function framesRows(what: string, runs: Frames[]): Row[] {
  const halts = ({ spans }: Frames) => spans.filter((span) => span > HALT).length / spans.length;
  return [
    alone(runs, { what: `${what}: halts`, unit: 'of 1', of: halts, aim: { of: 'ours', atMost: 0.05 } }),
    alone(runs, { what: `${what}: median frame`, unit: 'ms', of: ({ spans }) => median(spans) }),
    {
      what: `${what}: longest frame`,
      unit: 'ms',
      ours: Math.max(...runs.flatMap(({ spans }) => spans)),
      runs: runs.length,
    },
  ];
}

/** In pixels: a fast wheel. */
const TURN = 2000;

const allListed = (page: Page) => page.locator(`[role=grid][aria-rowcount="${IMAGES + 1}"]`);

async function wheelThrough(page: Page): Promise<Frames> {
  await page.evaluate('scrollTo(0, 0)');
  await page.mouse.move(640, 500);
  const height = await page.evaluate<number>('document.documentElement.scrollHeight');
  const frames = await framesDuring(page, async () => {
    for (let at = 0; at < height; at += TURN) await page.mouse.wheel(0, TURN);
    // it is over when the last rows are there
    await page.locator(`tr[aria-rowindex="${IMAGES + 1}"]:not(.waiting)`).waitFor();
  });
  return frames;
}

const PAGES = 200;

async function pageThrough(page: Page): Promise<Frames> {
  await page.getByRole('grid').focus();
  await page.keyboard.press('Home');
  await page.locator('tr[aria-rowindex="2"].focused').waitFor();
  return framesDuring(page, async () => {
    for (let n = 0; n < PAGES; n += 1) await page.keyboard.press('PageDown');
    await page.locator(`tr.focused[aria-rowindex="${PAGES * 15 + 2}"]:not(.waiting)`).waitFor();
  });
}

async function filter(page: Page, name: string): Promise<number> {
  const search = page.getByRole('searchbox', { name: 'Search images' });
  await search.fill('');
  await allListed(page).waitFor();
  const seen = timeToSee(page, name);
  await search.pressSequentially(name);
  return seen;
}
