import { addMachine, place } from '../support/datacenters.js';
import { keysOf, openMenu, rowOf } from '../support/image-rows.js';
import { addImage, manifest, resultOf, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

const names = (answer: Parameters<typeof resultOf>[0]) => resultOf<string[]>(answer).toSorted();

test('the images of a data center, of all, and those that were deleted: each as its roles have it', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  for (const [name, body] of [
    ['web', {}],
    ['gone', { access: 4 }],
    ['common', { dc_bound: false }],
    ['wild', { dc: 'west' }],
  ] as const) {
    await addImage(fleet, name, body);
  }
  await place(fleet, await addImage(fleet, 'inner'), { access: 'internal' });

  const eve = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await eve.open('/');
  await rowOf(eve.page, 'common').waitFor();
  t.deepEqual((await keysOf(eve.page)).toSorted(), names(await fleet.eve('GET', '/api/dc/east/image')));
  await eve.page.getByLabel('Show deleted').check();
  await rowOf(eve.page, 'gone').getByText('retired').first().waitFor();
  await eve.page.getByLabel('Show all').check();
  await rowOf(eve.page, 'common').waitFor({ state: 'detached' });
  t.deepEqual((await keysOf(eve.page)).toSorted(), names(await fleet.eve('GET', '/api/image')));
  t.regex(eve.page.url(), /all=yes/);
  t.deepEqual(
    eve.received.filter((text) => /wild|inner/.test(text)),
    [],
    'what is hidden never reaches the browser',
  );

  const dora = await takeSeat(t, fleet, { token: 'token-of-dora' });
  await dora.open('/');
  await rowOf(dora.page, 'web').waitFor();
  t.deepEqual((await keysOf(dora.page)).toSorted(), names(await fleet.dora('GET', '/api/dc/east/image')));
  for (const offered of [dora.page.getByRole('checkbox'), dora.page.getByRole('button', { name: /actions|rename/ })]) {
    t.is(await offered.count(), 0);
  }
  await dora.open('/?dc=west');
  await dora.page.getByRole('alert').waitFor();
  await dora.open('/?deleted=yes&all=yes');
  await rowOf(dora.page, 'web').waitFor();
  t.deepEqual((await keysOf(dora.page)).toSorted(), ['common', 'web'], 'an address gives nobody a role');

  const root = await takeSeat(t, fleet, { token: fleet.token });
  await root.open('/');
  await rowOf(root.page, 'wild').waitFor();
  t.deepEqual((await keysOf(root.page)).toSorted(), ['common', 'web', 'wild']);
  await root.page.getByLabel('Show all').uncheck();
  await root.page.getByLabel('data center', { exact: true }).selectOption('west');
  await rowOf(root.page, 'web').waitFor({ state: 'detached' });
  t.deepEqual(await keysOf(root.page), ['wild']);
  t.deepEqual(await seriousOf(root.page), []);
  for (const { complaints } of [eve, dora, root]) t.deepEqual(complaints, []);
});

test('a long list is searched, narrowed, sorted and paged by the server, and its address says how', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  await Promise.all(
    Array.from({ length: 122 }, (_, n) => {
      const version = String(n + 100);
      const body = { manifest: { ...manifest, version }, dc: 'east', tags: n < 2 ? ['few'] : [], label: 'red' };
      return fleet.root('POST', `/api/image/image-${version}`, n === 7 ? { ...body, label: 'star' } : body);
    }),
  );
  const { page, open, complaints } = await takeSeat(t, fleet, { token: fleet.token });
  await open('/?sort=name');
  await rowOf(page, 'image-100').waitFor();
  const bar = page.getByText(/^rows \d+–\d+ of 122$/);
  await bar.waitFor();
  t.regex(await bar.innerText(), /^rows 1–/);
  await page.getByRole('grid', { name: 'Images' }).focus();
  await page.keyboard.press('End');
  await rowOf(page, 'image-221').waitFor();
  await page.getByText(/^rows \d+–12[12] of 122$/).waitFor();
  await page.getByRole('button', { name: /^Key/ }).click();
  await page.waitForURL(/sort=-name/);
  await page.keyboard.press('Home');
  await rowOf(page, 'image-221').waitFor();
  t.is((await keysOf(page))[0], 'image-221');

  // Typed on as soon as the first letters are looked for.
  await page.getByLabel('Search images').focus();
  const typeOn = async () => {
    const { document, location } = globalThis as unknown as {
      document: { execCommand(name: string, show: boolean, text: string): void };
      location: { search: string };
    };
    for (const [letters, typed] of [
      ['IMA', 'IMA'],
      ['GE-1', 'IMAGE-1'],
      ['0', 'IMAGE-10'],
    ] as const) {
      document.execCommand('insertText', false, letters);
      for (let n = 0; n < 2000 && !location.search.endsWith(`search=${typed}`); n += 1)
        await new Promise((resolve) => setTimeout(resolve));
    }
  };
  await page.evaluate(typeOn);
  t.is(await page.getByLabel('Search images').inputValue(), 'IMAGE-10');
  await page.getByText('10 rows', { exact: true }).waitFor();
  await page.getByLabel('label', { exact: true }).selectOption('star');
  await page.getByText('1 row', { exact: true }).waitFor();
  t.deepEqual(await keysOf(page), ['image-107']);
  await page.reload();
  await page.getByText('1 row', { exact: true }).waitFor();
  t.is(await page.getByLabel('Search images').inputValue(), 'IMAGE-10');
  await open('/?tag=few');
  await page.getByText('2 rows', { exact: true }).waitFor();
  await page.getByLabel('which images').selectOption('ready');
  await page.getByText('No image is like that').waitFor();
  await open('/?sort=nonsense');
  await page
    .getByRole('alert')
    .getByText(/nonsense/)
    .waitFor();

  await open('/');
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('checkbox', { name: 'UUID' }).check();
  await page.reload();
  await page.getByRole('button', { name: 'UUID' }).waitFor();
  t.deepEqual(complaints, []);
});

test('how images stand is told at once: at work, not ready, deprecated, golden, of a group', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'web', { golden: true });
  await addImage(fleet, 'old');
  await fleet.root('PUT', '/api/image/old/deprecate', { reason: 'no more updates' });
  await fleet.root('POST', '/api/image/empty', { manifest: { ...manifest, name: 'empty' }, dc: 'east' });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  const web = rowOf(page, 'web');
  await web.getByText('golden', { exact: false }).first().waitFor();
  await web.getByText('ready', { exact: true }).waitFor();
  t.is(
    await page
      .getByTitle('its file has not arrived')
      .innerText()
      .then((text) => text.split('\n')[0]),
    'not ready',
  );
  const old = rowOf(page, 'old');
  const lines = await old.locator('.title').evaluate((title) => {
    const { getComputedStyle } = globalThis as unknown as { getComputedStyle(of: unknown): Record<string, string> };
    return getComputedStyle(title).textDecorationLine;
  });
  t.is(lines, 'line-through');
  const badge = old.locator('.badge', { hasText: 'deprecated' });
  t.regex((await badge.textContent()) ?? '', /^deprecated: no more updates$/, 'whoever hears it is told why');
  await badge.focus();
  const tip = await badge.locator('.tip').boundingBox();
  t.true((tip?.width ?? 0) > 20, 'and whoever comes by keys reads it');

  await place(fleet, uuid, { pending: { task: 'x', what: 'copying' } });
  await web.getByText('copying', { exact: false }).first().waitFor();
  t.is(await web.getByRole('button', { name: /rename|label/ }).count(), 0);
  const greyed = await openMenu(page, 'web');
  t.true(greyed.length > 5);
  t.deepEqual(
    greyed.filter((line) => !line.endsWith('something works on it: copying')),
    [],
  );
  await page.keyboard.press('Escape');
  await place(fleet, uuid, { pending: undefined as never });
  await web.getByText('ready', { exact: true }).waitFor();

  await page.getByLabel('which images').selectOption('golden');
  await old.waitFor({ state: 'detached' });
  t.deepEqual(await keysOf(page), ['web']);
  t.deepEqual(await seriousOf(page), []);
  t.deepEqual(complaints, []);
});

test('an image that others use is not deleted, and the menu follows what becomes of it', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'web');
  const { uuid: vm } = await addMachine(fleet, {
    hostname: 'one',
    datacenter: 'east',
    images: [{ disk: 1, image: uuid }],
  });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  await rowOf(page, 'web').waitFor();
  t.true((await openMenu(page, 'web')).some((line) => /^Delete …\s+1 machine uses it$/.test(line)));
  await fleet.dora('DELETE', `/api/vm/${vm}`);
  await page.getByText('1 machine uses it').waitFor({ state: 'detached' });
  t.true(await page.getByRole('button', { name: 'Delete …' }).isEnabled());
  t.deepEqual(complaints, []);
});
