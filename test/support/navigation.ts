import type { Page } from 'playwright-core';

/** All that the navigation leads to, its menus opened one by one. */
export async function navigation(page: Page): Promise<string[]> {
  const nav = page.getByRole('navigation', { name: 'pages' });
  await nav.getByRole('button', { name: 'People' }).waitFor();
  const found = await nav.getByRole('link').allTextContents();
  for (const menu of await nav.getByRole('button').all()) {
    await menu.click();
    found.push(...(await nav.getByRole('link').allTextContents()));
    await menu.click();
  }
  return [...new Set(found)].sort();
}
