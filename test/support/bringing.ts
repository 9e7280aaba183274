import type { Locator, Page } from 'playwright-core';

/** What is filled in, by the labels of its fields. */
export async function fillIn(page: Page | Locator, values: Record<string, string>): Promise<void> {
  for (const [label, value] of Object.entries(values)) {
    await page.getByRole('textbox', { name: label, exact: true }).fill(value);
  }
}

/** Below the heading of what is brought in by now: how it stands. */
export const broughtIn = (page: Page) => page.locator('section.brought').getByRole('status');

/** Waits until it stands there as told. */
export const told = (locator: Locator, words: string | RegExp) => locator.filter({ hasText: words }).waitFor();

/** What is said to be wrong, by the labels of the fields. */
export async function wrongIn(page: Page): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const field of await page.locator('.field:has(> .error)').all()) {
    const label = (await field.locator('label').first().innerText()).replace(/ \*$/, '');
    found[label] = await field.locator('.error').innerText();
  }
  return found;
}

/** Waits until something is said to be wrong with that field: its words. */
export async function wrongWith(page: Page, label: string): Promise<string> {
  const field = page.locator('.field').filter({ has: page.getByLabel(label, { exact: false }) });
  const error = field.locator('.error').first();
  await error.waitFor();
  return error.innerText();
}

/** Waits until what was sent is refused, which takes the focus from the button to the field: what is said there. */
export async function refusedAt(page: Page, label: string): Promise<string> {
  await page.getByRole('textbox', { name: label, exact: true }).and(page.locator(':focus')).waitFor();
  return wrongWith(page, label);
}
