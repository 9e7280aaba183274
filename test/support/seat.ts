import { fileURLToPath } from 'node:url';
import ava, { type ExecutionContext } from 'ava';
import axe from 'axe-core';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { openConsole } from '../../server/console-files.js';
import { isMet } from './needs.js';

const needed = 'chromium, to look at the console';
const hasChromium = isMet[needed];

/** What the build has left beside these tests. */
export const consoleFiles = await openConsole(fileURLToPath(new URL('../../console', import.meta.url)));

/** A test with a browser, which is skipped where there is none, and says so. */
export const test = (title: string, implementation: (t: ExecutionContext) => Promise<void>): void =>
  hasChromium ? ava(title, implementation) : ava.skip(`${title} (${needed})`, implementation);

/** Somebody before the console, in a browser that is nobody else's. */
export interface Seat {
  page: Page;
  context: BrowserContext;
  /** All that the server sent to it, as text: what must not be there is looked for here. */
  readonly received: string[];
  /** What the browser had to complain of: scripts that failed, rules of the page that were broken. */
  readonly complaints: string[];
  /** Resolves when nothing that was asked is without its answer, and all of it is among what was received. */
  settled(): Promise<void>;
  /** To a page of the console, by the path behind `/console`. */
  open(path: string): Promise<void>;
}

export interface SeatOptions extends BrowserContextOptions {
  /** Who is signed in, by a token; nobody unless it is told. */
  token?: string | undefined;
}

let browser: Promise<Browser> | undefined;

/** One process for all tests of a file: what each of them sees and keeps is its own. */
const launched = () =>
  (browser ??= chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-dev-shm-usage',
    ],
  }));

if (hasChromium) ava.after.always(async () => (await browser)?.close());

/** Where a test says nothing else, what does not come is missed after so many milliseconds: the machine may be busy. */
const PATIENT = 60_000;

export async function takeSeat(
  t: ExecutionContext,
  { url }: { url: string },
  { token, ...options }: SeatOptions = {},
): Promise<Seat> {
  const context = await (await launched()).newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    ...options,
  });
  t.teardown(() => context.close());
  context.setDefaultTimeout(PATIENT);
  if (token !== undefined) {
    const answer = await context.request.post(`${url}/api/session`, { data: { token } });
    if (!answer.ok()) throw new Error(`not signed in: ${await answer.text()}`);
  }
  const page = await context.newPage();
  const received: string[] = [];
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`${error.name}: ${error.message}`));
  page.on('console', (message) => {
    // A refusal is told there as well: whether it was right is the business of the test.
    if (message.type() === 'error' && !/^Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  const coming = new Set<Promise<unknown>>();
  page.on('request', (request) => {
    if (!['fetch', 'xhr'].includes(request.resourceType())) return;
    const read = request
      .response()
      .then(async (response) => {
        if (response && /json/.test(response.headers()['content-type'] ?? '')) received.push(await response.text());
      })
      .catch(() => {}) // the page was left before it had come
      .finally(() => coming.delete(read));
    coming.add(read);
  });
  // A stream is no answer that ends: what it tells is told one by one.
  const wire = await context.newCDPSession(page);
  wire.on('Network.eventSourceMessageReceived', ({ data }) => received.push(data));
  await wire.send('Network.enable');
  return {
    page,
    context,
    received,
    complaints,
    settled: async () => {
      while (coming.size > 0) await Promise.all(coming);
    },
    open: async (path) => void (await page.goto(`${url}/console${path}`)),
  };
}

/** What axe has to say that is serious, with where it is. */
export async function seriousOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`));
}
