import type { Locator, Page } from 'playwright-core';

/** What is filled in, by the labels of the fields: text, one of several, or on and off. */
export type Filled = Record<string, string | boolean>;

const plain = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** As a person does it: each field is the first whose label begins so. */
export async function fillIn(form: Page | Locator, values: Filled): Promise<void> {
  for (const [label, value] of Object.entries(values)) {
    const field = form.getByLabel(new RegExp(`^\\s*${plain(label)}`)).first();
    if (typeof value === 'boolean') await field.setChecked(value);
    else if ((await field.evaluate(({ tagName }) => tagName)) === 'SELECT') await field.selectOption({ label: value });
    else await field.fill(value);
  }
}

/** Behind a button there is a dialog, which is told by its title. */
export async function opened(page: Page, button: string | Locator, title: string): Promise<Locator> {
  await (typeof button === 'string' ? page.getByRole('button', { name: button, exact: true }) : button).click();
  const dialog = page.getByRole('dialog', { name: title });
  await dialog.waitFor();
  return dialog;
}

/** Presses the button of a dialog, and waits until it has closed. */
export async function confirmed(dialog: Locator, button: string): Promise<void> {
  await dialog.getByRole('button', { name: button, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

/** Presses the button of a form, and waits for words of refusal. */
export async function refusedWith(form: Page | Locator, button: string, words: string | RegExp): Promise<void> {
  await form.getByRole('button', { name: button, exact: true }).click();
  await form.getByText(words).first().waitFor();
}

/** What was said in the corner. */
export const toasted = (page: Page, words: string | RegExp) => page.getByRole('log').getByText(words).first().waitFor();
