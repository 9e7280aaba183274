import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Closing } from '../../server/closing.js';

const PROGRAM = '/usr/bin/chromium';

export const isInstalled = () => existsSync(PROGRAM);

export async function launch(closing: Closing): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  return closing.add(browser, () => browser.close());
}

/** Nobody was here before: nothing is cached. Signed in where there is a token. */
export async function fresh(
  browser: Browser,
  url: string,
  token?: string,
): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  if (token !== undefined) {
    const answer = await context.request.post(`${url}/api/session`, { data: { token } });
    if (!answer.ok()) throw new Error(`not signed in: ${await answer.text()}`);
  }
  const page = await context.newPage();
  return { context, page };
}

/**
 * Notes when the first row was seen, and when a key that was pressed then had been answered: in milliseconds from the
 * navigation, each in the frame after it.
 */
export const PROBE = `globalThis.probed = new Promise((resolve) => {
  const grid = () => document.querySelector('table[role=grid]');
  const focused = () => [...grid().rows].findIndex((row) => row.classList.contains('focused'));
  const seen = () => {
    const cell = grid()?.querySelector('tr:not(.waiting):not(.gap) td');
    if (!cell) return requestAnimationFrame(seen);
    const rows = performance.now();
    const before = focused();
    grid().focus();
    grid().dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true, cancelable: true }));
    const moved = () => {
      if (focused() === before) return requestAnimationFrame(moved);
      resolve({ rows, key: performance.now() });
    };
    requestAnimationFrame(moved);
  };
  requestAnimationFrame(seen);
})`;

export interface Probed {
  rows: number;
  key: number;
}

/** What the probe notes, when it has. */
export const probed = (page: Page) => page.evaluate<Probed>('globalThis.probed');

export interface Frames {
  /** Milliseconds from each to the next. */
  spans: number[];
}

/** The frames that were drawn while something was done. */
export async function framesDuring(page: Page, act: () => Promise<void>): Promise<Frames> {
  await page.evaluate(`{
    const frames = (globalThis.frames_ = { spans: [], goesOn: true });
    let last = performance.now();
    const next = (now) => {
      frames.spans.push(now - last);
      last = now;
      if (frames.goesOn) requestAnimationFrame(next);
    };
    requestAnimationFrame((now) => { last = now; requestAnimationFrame(next); });
  }`);
  await act();
  return page.evaluate<Frames>('(globalThis.frames_.goesOn = false, { spans: globalThis.frames_.spans })');
}

/** In milliseconds, from the last letter that was typed until the first row of a table has the text. */
export const timeToSee = (page: Page, text: string) =>
  page.evaluate<number>(`new Promise((resolve) => {
    let typed;
    addEventListener('input', () => (typed = performance.now()));
    const look = () => {
      const row = document.querySelector('table[role=grid] tbody tr:not(.waiting)');
      const isSeen = row?.textContent.includes(${JSON.stringify(text)}) && document.activeElement.value === ${JSON.stringify(text)};
      if (isSeen) resolve(performance.now() - typed);
      else requestAnimationFrame(look);
    };
    look();
  })`);
