import type { Page } from 'playwright-core';
import { addImage, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

/** By Tab to what is called so; it is a fault where that takes so many steps. */
async function tabTo(page: Page, name: RegExp, most = 40): Promise<void> {
  for (let step = 0; step < most; step += 1) {
    await page.keyboard.press('Tab');
    const called = await page.evaluate<string>(
      `document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent`,
    );
    if (name.test(called)) return;
  }
  throw new Error(`${name} is not among the next ${most}`);
}

test('an image is found, opened, renamed and left by the keyboard alone', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  for (const name of ['aaa', 'bbb', 'ccc']) await addImage(server, name, { alias: name });
  const { page, open, complaints } = await takeSeat(t, server, { token: 'token-of-eve' });
  await open('/');
  await page.getByRole('link', { name: 'bbb' }).waitFor();

  // Over the navigation to what the page is about.
  await page.keyboard.press('Tab');
  t.is(await page.evaluate('document.activeElement.textContent'), 'To the page');
  await page.keyboard.press('Enter');
  await page.locator('#page:focus').waitFor(); // browsers give it the focus with the next frame

  await tabTo(page, /^Images/);
  t.is(await page.evaluate('document.activeElement.getAttribute("role")'), 'grid');
  await page.keyboard.press('ArrowDown');
  const active = await page.evaluate<string>(`document.activeElement.getAttribute('aria-activedescendant')`);
  t.regex((await page.locator(`#${active}`).textContent()) ?? '', /bbb/);
  await page.getByText('live', { exact: true }).waitFor();
  await addImage(server, 'abb', { alias: 'abb' });
  await page.getByRole('row').filter({ hasText: 'abb' }).waitFor();
  t.regex(
    (await page.locator('tr.focused').textContent()) ?? '',
    /bbb/,
    'it is on the same row, though one came above',
  );
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/image\//);
  await page.getByRole('heading', { level: 1, name: /bbb/ }).waitFor();
  t.is(await page.evaluate('document.activeElement.id'), 'page', 'it goes on from the new page');

  await tabTo(page, /rename/);
  await page.keyboard.press('Enter');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('better');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'better: rename' }).waitFor();
  t.is(await page.evaluate('document.activeElement.getAttribute("aria-label")'), 'better: rename', 'nobody is lost');
  t.is(((await server.eve('GET', '/api/image/bbb')).json.result as { alias: string }).alias, 'better');

  await tabTo(page, /actions/i);
  await page.keyboard.press('Enter');
  await page.locator('.menu-box').waitFor();
  await page.keyboard.press('Escape');
  t.is(await page.evaluate('document.activeElement.textContent'), 'Actions', 'and the focus is where it was');

  await page.goBack();
  await page.getByRole('button', { name: 'better: rename' }).waitFor();
  t.deepEqual(complaints, []);
});

test('on a phone one sorts, looks at a row and goes to another page', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  for (const name of ['aaa', 'bbb', 'ccc']) await addImage(server, name, { alias: name });
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  const { page, open, complaints } = await takeSeat(t, server, { token: 'token-of-eve', ...phone });
  await open('/');
  const links = page.getByRole('grid').getByRole('link');
  await links.first().waitFor();
  t.deepEqual(await links.allTextContents(), ['aaa', 'bbb', 'ccc']);
  await page.getByLabel('Sort by').selectOption({ label: 'Name, reversed' });
  await page.locator('tbody tr').first().getByRole('link', { name: 'ccc' }).waitFor();
  t.deepEqual(await links.allTextContents(), ['ccc', 'bbb', 'aaa']);
  t.regex(page.url(), /sort=-alias/);
  await links.first().tap();
  await page.getByRole('heading', { level: 1, name: /ccc/ }).waitFor();

  await page.getByRole('navigation', { name: 'pages' }).getByRole('button', { name: 'Fleet' }).tap();
  t.deepEqual(await seriousOf(page), []);
  await page.getByRole('link', { name: 'Machines' }).tap();
  await page.getByRole('heading', { level: 1, name: 'Machines' }).waitFor();
  t.deepEqual(complaints, []);
});

test('whoever wants less motion has none', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const { page, open } = await takeSeat(t, server, { token: server.token });
  await open('/');
  await page.getByRole('heading', { level: 1 }).waitFor();
  const moving = await page.evaluate(`[...document.querySelectorAll('*')].filter((e) => {
    const { animationName, transitionProperty, transitionDuration } = getComputedStyle(e);
    return animationName !== 'none' || (transitionProperty !== 'none' && parseFloat(transitionDuration) > 0);
  }).length`);
  t.is(moving, 0);
});
