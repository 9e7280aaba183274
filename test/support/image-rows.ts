import type { Locator, Page } from 'playwright-core';

/** The row of an image in the list, by its key. */
export const rowOf = (page: Page, name: string): Locator =>
  page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });

/** The keys of the images that are shown, from the first to the last. */
export async function keysOf(page: Page): Promise<string[]> {
  await page.getByRole('status').filter({ hasText: 'loading' }).waitFor({ state: 'detached' });
  return page.getByRole('grid', { name: 'Images' }).getByRole('link').allTextContents();
}

/** What the row of an image says, by the title of its column. */
export async function cellsOf(page: Page, name: string): Promise<Record<string, string>> {
  const cells: Record<string, string> = {};
  for (const cell of await rowOf(page, name).locator('td[data-title]').all()) {
    cells[(await cell.getAttribute('data-title')) ?? ''] = (await cell.innerText()).replace(/\s+/g, ' ').trim();
  }
  return cells;
}

/** Opens the menu of an image; gives what it offers, each line with its reason where it is greyed. */
export async function openMenu(page: Page, name: string): Promise<string[]> {
  await page.getByRole('button', { name: `actions of ${name}` }).click();
  const lines = page.locator('.menu-box .menu-line');
  await lines.first().waitFor();
  return lines.allInnerTexts();
}

/** Chooses an action of an image; gives its dialog. */
export async function choose(page: Page, name: string, action: string): Promise<Locator> {
  await openMenu(page, name);
  await page.getByRole('button', { name: action, exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  return dialog;
}

/** Presses the button of a dialog, which closes as soon as it is done. */
export async function confirm(dialog: Locator, label: string): Promise<void> {
  await dialog.getByRole('button', { name: label, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}
