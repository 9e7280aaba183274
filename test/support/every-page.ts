import { readFileSync } from 'node:fs';
import axe from 'axe-core';
import type { Locator, Page } from 'playwright-core';

/** Where each page of the console is on a filled server, and what its heading says where that is not its title. */
// biome-ignore format: a table is read down its columns
const places: Readonly<Record<string, readonly [at: string, heading?: string]>> = {
  '/':                  ['/'],
  '/offered':           ['/offered'],
  '/overview':          ['/overview'],
  '/bring':             ['/bring', 'Bring in'],
  '/bring/repository':  ['/bring/repository?repo=rep', 'Bring in'],
  '/bring/url':         ['/bring/url', 'Bring in'],
  '/bring/upload':      ['/bring/upload', 'Bring in'],
  '/bring/snapshot':    ['/bring/snapshot', 'Bring in'],
  '/bring/registry':    ['/bring/registry', 'Bring in'],
  '/bring/bundle':      ['/bring/bundle', 'Bring in'],
  '/image/:name':       ['/image/base', 'base'],
  '/datacenters':       ['/datacenters'],
  '/datacenters/:name': ['/datacenters/east', 'east'],
  '/nodes':             ['/nodes'],
  '/nodes/:name':       ['/nodes/n1', 'n1'],
  '/sources':           ['/sources'],
  '/machines':          ['/machines'],
  '/campaigns':         ['/campaigns'],
  '/campaigns/:name':   ['/campaigns/roll-out', 'roll-out'],
  '/users':             ['/users'],
  '/users/:name':       ['/users/eve', 'eve'],
  '/groups':            ['/groups'],
  '/groups/:name':      ['/groups/team', 'team'],
  '/tokens':            ['/tokens'],
  '/tasks':             ['/tasks'],
  '/tasks/:id':         ['/tasks/00000000-0000-4000-8000-000000000002', 'bulk'],
  '/repositories':      ['/repositories'],
  '/follows':           ['/follows'],
  '/follows/:name':     ['/follows/daily', 'daily'],
  '/secrets':           ['/secrets'],
  '/account':           ['/account'],
  '/webhooks':          ['/webhooks'],
  '/webhooks/:name':    ['/webhooks/hook', 'hook'],
  '/audit':             ['/audit'],
  '/server':            ['/server'],
};

/** Of one page, what is behind its tabs, and other faces that it has. */
const further = [
  ['/nodes/n1?tab=health', 'n1'],
  ['/nodes/n1?tab=images', 'n1'],
  ['/nodes/n1?tab=machines', 'n1'],
  ['/nodes/n1?tab=sources', 'n1'],
  ['/nodes/n1?tab=tokens', 'n1'],
  ['/datacenters/east?tab=images', 'east'],
  ['/?search=nothing-is-called-so', 'Images'],
  ['/image/empty', 'empty'],
  ['/nowhere', 'There is no such page'],
] as const;

/** As the console's own table has them. */
const source = readFileSync(new URL('../../../console/pages.tsx', import.meta.url), 'utf8');
const titles = new Map(
  [...source.matchAll(/\{ path: '([^']+)',\s+title: '([^']+)'/g)].map(([, path = '', title = '']) => [path, title]),
);

export const unknownPages = [...titles.keys()].filter((path) => !(path in places));
export const lostPages = Object.keys(places).filter((path) => !titles.has(path));

export interface Place {
  at: string;
  heading: string;
}

export const everyPlace: readonly Place[] = [
  ...Object.entries(places).map(([path, [at, heading = titles.get(path) ?? '']]) => ({ at, heading })),
  ...further.map(([at, heading]) => ({ at, heading })),
];

/** Resolves when nothing of it is still being fetched. */
export async function whole(page: Page): Promise<void> {
  await page.locator('h1, .failure').first().waitFor();
  // What the page itself would have to evaluate, its policy forbids.
  await page.locator('.loading, [aria-busy=true]').first().waitFor({ state: 'detached' });
  await page.getByText('loading …').first().waitFor({ state: 'detached' });
}

/** Resolves when what the page has been told so far is drawn, and what follows of it is asked for. */
export const redrawn = (page: Page): Promise<void> =>
  page.evaluate('new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))');

/** Of whoever looks: what is hidden is as if it were not there. */
export async function isOffered(page: Page): Promise<boolean> {
  const titles = await page.locator('h1').allTextContents();
  return titles.length > 0 && !titles.some((title) => /not for you|no such|is gone/.test(title));
}

/** What stands out to the right of the window. */
export const tooWide = (page: Page): Promise<string[]> =>
  page.evaluate(`(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const out = [...document.querySelectorAll('main *, header *')].filter((e) => e.getBoundingClientRect().right > clientWidth + 1);
    return [scrollWidth + ' > ' + clientWidth + ': ' + out.slice(0, 5).map((e) => e.tagName + '.' + e.className).join(' ')];
  })()`);

/** What axe finds, where fingers need room. */
export async function seriousForFingers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({
      runOnly: { type: 'rule', values: ['target-size'] },
      rules: { 'target-size': { enabled: true } },
    }),
  );
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`),
  );
}

/** Goes through a page by Tab from its beginning: what it finds wrong with what has the focus, and what never had it. */
export async function walkByTab(page: Page): Promise<string[]> {
  await page.evaluate(BEGIN);
  for (let step = 0; step < 400; step += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate('walk.step()')) return page.evaluate('walk.end()');
  }
  return [...(await page.evaluate<string[]>('walk.end()')), 'it does not come to an end'];
}

const BEGIN = `globalThis.walk = (() => {
  const found = [];
  const been = new Set();
  let last = null;
  let inside = 0;
  // Rows that are not seen are not there, and come anew.
  const keyOf = (e) => {
    const row = e.closest('tr[id]');
    return row ? row.id + '/' + [...row.querySelectorAll('*')].indexOf(e) : e;
  };
  const shown = (e) => e.checkVisibility({ visibilityProperty: true });
  const named = (e) => (e.getAttribute('aria-label') || e.textContent || e.title || e.placeholder ||
    [...(e.labels ?? [])].map((l) => l.textContent).join('') ||
    (e.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join('') ||
    e.querySelector?.('caption, legend')?.textContent || '').trim();
  const told = (e) => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') + ' "' + named(e).slice(0, 40) + '"';
  const all = () => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
    .filter((e) => shown(e) && e.tabIndex >= 0 && !e.disabled);
  document.activeElement?.blur?.();
  getSelection()?.removeAllRanges();
  scrollTo(0, 0);
  return {
    step() {
      const e = document.activeElement;
      // A date has several places of its own.
      if (e && e === last && e.type === 'date' && ++inside < 5) return false;
      inside = 0;
      if (!e || e === document.body || been.has(keyOf(e))) {
        if (e === last && e !== document.body) found.push('the focus stays at ' + told(e));
        return true;
      }
      been.add(keyOf(e));
      last = e;
      const style = getComputedStyle(e);
      const { top, bottom, left, right, width, height } = e.getBoundingClientRect();
      if (named(e) === '') found.push('no name: ' + e.outerHTML.slice(0, 120));
      if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 1) found.push('no outline: ' + told(e));
      const head = document.querySelector('header.top');
      const from = head?.contains(e) || e.matches('.skip') ? 0 : head?.getBoundingClientRect().bottom ?? 0;
      const isTall = height > innerHeight - from;
      if (width < 1 || height < 1 || right < 0 || left > innerWidth || (!isTall && (bottom < from + 1 || top > innerHeight - 1)))
        found.push('out of sight: ' + told(e) + ' at ' + [top, bottom, left, right].map(Math.round));
      return false;
    },
    end: () => [...found, ...all().filter((e) => !been.has(keyOf(e))).map((e) => 'never had the focus: ' + told(e))],
  };
})()`;

/** Opens whatever opens by a key, and closes it by Escape: what is wrong with it, and with where the focus is then. */
export async function openByKeys(page: Page, readWell: (page: Page) => Promise<string[]>): Promise<string[]> {
  const found: string[] = [];
  for (const opener of await firstOfEach(
    page.locator('main :not(.drop) > button:visible:not([aria-disabled=true])').filter({ hasText: /…$/ }),
  ))
    found.push(...(await openDialog(page, opener, opener, readWell)));
  const menus = await firstOfEach(page.locator('main button[aria-expanded]:visible'));
  // Of which columns there are is chosen in one.
  if (menus.length === 0 && (await page.getByRole('grid').count()) > 0) found.push('it has a table, and no menu');
  for (const opener of menus) {
    const told = await opener.evaluate(TOLD);
    const lines = page.locator('.menu-box .menu-line:not([aria-disabled=true])').filter({ hasText: /…$/ });
    await opener.press('Enter');
    await page.locator('.menu-box').waitFor();
    found.push(...(await readWell(page)).map((line) => `menu ${told}: ${line}`));
    const count = await lines.count();
    await page.keyboard.press('Escape');
    await page.locator('.menu-box').waitFor({ state: 'detached' });
    if (!(await opener.evaluate(HAS_FOCUS))) found.push(`menu ${told}: the focus is not given back`);
    for (let n = 0; n < count; n += 1) {
      await opener.press('Enter');
      found.push(...(await openDialog(page, lines.nth(n), opener, readWell)));
    }
  }
  return found;
}

async function openDialog(page: Page, opener: Locator, back: Locator, readWell: (page: Page) => Promise<string[]>) {
  const told = await opener.evaluate(TOLD);
  const dialog = page.locator('dialog[open]');
  await opener.press('Enter');
  const isOpen = await dialog.waitFor().then(
    () => true,
    () => false,
  );
  if (!isOpen) return [`dialog ${told}: it does not open`];
  await dialog.locator('.loading').first().waitFor({ state: 'detached' });
  const found = await readWell(page);
  if (!(await dialog.evaluate((e) => e.contains(e.ownerDocument.activeElement)))) found.push('the focus is not in it');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  if (!(await back.evaluate(HAS_FOCUS))) found.push('the focus is not given back');
  return found.map((line) => `dialog ${told}: ${line}`);
}

const TOLD = (e: { textContent: string | null }) => `"${e.textContent}"`;
const HAS_FOCUS = (e: { ownerDocument: { activeElement: unknown } }) => e.ownerDocument.activeElement === e;

/** Those of many rows do the same. */
async function firstOfEach(all: Locator): Promise<Locator[]> {
  const texts = await all.allTextContents();
  return texts.flatMap((text, at) => (texts.indexOf(text) === at ? [all.nth(at)] : []));
}
