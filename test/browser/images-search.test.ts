import { keysOf, rowOf } from '../support/image-rows.js';
import { addImage, disk, manifest, resultOf, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

/** Of each kind one, so that whatever is asked for parts them. */
const mixed: readonly (readonly [name: string, body: Record<string, unknown>])[] = [
  ['alpha', { manifest: disk, alias: 'Zulu', label: 'star', tags: ['web', 'coast'] }],
  ['beta', { manifest: { ...disk, os: 'windows', image_size: 20_480 }, version: '1', alias: 'Yankee', access: 1 }],
  ['gamma', { alias: 'Xray', label: 'red', tags: ['web'], golden: true }],
  ['delta', { manifest: { ...disk, os: 'bsd', image_size: 512 }, version: '2', desc: 'made for beta' }],
];

test('heads sort as the server does, and each filter narrows to what it answers', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  for (const [name, body] of mixed) await addImage(fleet, name, body);
  await fleet.root('PUT', '/api/image/delta/deprecate', {});
  const { page, open, complaints } = await takeSeat(t, fleet, { token: fleet.token });
  const answered = async (query: string) => resultOf<string[]>(await fleet.root('GET', `/api/image?${query}`));
  await open('/');
  await rowOf(page, 'alpha').waitFor();
  const heads = page.locator('thead');
  for (const [head, field] of [
    ['Label', 'label'],
    ['Name', 'alias'],
    ['Key', 'name'],
    ['Status', 'status'],
    ['OS', 'ostype'],
    ['Size', 'size'],
    ['Access', 'access'],
    ['Owner', 'owner'],
  ] as const) {
    for (const [sort, order] of [
      ['ascending', field],
      ['descending', `-${field}`],
    ] as const) {
      await heads.getByRole('button', { name: new RegExp(`^${head}`) }).click();
      await heads.locator(`th[aria-sort=${sort}]`, { hasText: head }).waitFor();
      t.deepEqual(await keysOf(page), await answered(`order_by=${order}`), order);
    }
  }
  t.is(await page.getByRole('columnheader', { name: 'Data centers' }).getByRole('button').count(), 0);

  await open('/');
  const search = page.getByLabel('Search images');
  for (const [text, found] of [
    ['zul', ['alpha']],
    ['WINDOWS', ['beta']],
    ['beta', ['delta', 'beta']],
    ['coast', ['alpha']],
    ['red', ['gamma']],
  ] as const) {
    await search.fill(text);
    await page.waitForURL(new RegExp(`search=${text}`));
    t.deepEqual(await keysOf(page), await answered(`order_by=alias&search=${text}`), text);
    t.deepEqual((await keysOf(page)).toSorted(), found.toSorted(), text);
  }
  await search.fill('');
  await page.waitForURL((url) => !url.searchParams.has('search'));
  for (const [choice, value, query] of [
    ['operating system', '4', 'ostype=4'],
    ['operating system', '5', 'ostype=5'],
    ['label', 'star', 'label=star'],
    ['label', 'none', 'label=none'],
    ['which images', 'golden', 'golden=true'],
    ['which images', 'deprecated', 'deprecated=true'],
    ['which images', 'current', 'deprecated=false'],
    ['which images', 'public', 'access=1'],
    ['which images', 'private', 'access=3'],
  ] as const) {
    await page.getByLabel(choice, { exact: true }).selectOption(value);
    const found = await answered(`order_by=alias&${query}`);
    t.true(found.length > 0 && found.length < mixed.length, query);
    t.deepEqual(await keysOf(page), found, query);
    await page.getByLabel(choice, { exact: true }).selectOption('');
  }
  await page.getByRole('searchbox', { name: 'Tag' }).fill('web');
  await page.waitForURL(/tag=web/);
  t.deepEqual((await keysOf(page)).toSorted(), ['alpha', 'gamma']);
  t.deepEqual(complaints, []);
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

test('on a phone the filters wait behind a button that counts them, and the end of the window tells which rows are seen', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const named = ['best', 'f', 'e', 'd', 'c', 'b', 'a'];
  for (const name of named) await addImage(fleet, name, { golden: name === 'best' });
  const { page, open, complaints } = await takeSeat(t, fleet, {
    ...{ token: 'token-of-eve', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  });
  await open('/?sort=name');
  await rowOf(page, 'a').waitFor();
  const seen = page.getByText(/^rows? \d.* of 7$/);
  await seen.filter({ hasText: /^(row 1|rows 1–2) of 7$/ }).waitFor();
  const { y = 0, height = 0 } = (await seen.boundingBox()) ?? {};
  t.is(Math.round(y + height), 844, 'it stands at the end of the window');
  const top = await rowOf(page, 'a').boundingBox();
  t.true((top?.y ?? 844) < 844 / 2, 'the rows begin in the upper half of the window');
  await page.getByRole('grid', { name: 'Images' }).focus();
  await page.keyboard.press('End');
  await seen.filter({ hasText: /^rows? .*\b7 of 7$/ }).waitFor();

  const which = page.getByLabel('which images');
  t.false(await which.isVisible());
  t.true(await page.getByLabel('Search images').isVisible());
  await page.getByRole('button', { name: 'Filters', exact: true }).tap();
  await which.selectOption('golden');
  await page.getByLabel('Show deleted').check();
  await page.getByText('1 row', { exact: true }).waitFor();
  t.deepEqual(await keysOf(page), ['best']);
  t.is(await seen.count(), 0, 'all of it is to be seen');
  t.deepEqual(await seriousOf(page), []);
  await page.getByRole('button', { name: 'Filters (2)' }).tap();
  await which.waitFor({ state: 'hidden' });
  await page.reload();
  await page.getByRole('button', { name: 'Filters (2)' }).waitFor();
  t.true(Number(await page.evaluate('document.documentElement.scrollWidth')) <= 390);
  t.deepEqual(complaints, []);
});

test('where there is no image yet, whoever may bring one in is led there', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  for (const [token, mayBring] of [
    ['token-of-eve', true],
    ['token-of-will', true],
    ['token-of-dora', false],
  ] as const) {
    const { page, open, complaints } = await takeSeat(t, fleet, { token });
    await open('/');
    await page.getByText('There is no image yet.').waitFor();
    const link = page.getByRole('link', { name: 'Bring one in' });
    t.is(await link.count(), mayBring ? 1 : 0, token);
    if (!mayBring) continue;
    await link.click();
    await page.getByRole('heading', { name: 'Bring in an image', level: 1 }).waitFor();
    t.deepEqual(complaints, []);
  }
});
