import type { Page } from 'playwright-core';
import { numbered } from '../support/fixtures.js';
import { confirmed, fillIn, opened } from '../support/forms.js';
import { gate } from '../support/gate.js';
import { leftBy, NOTHING } from '../support/imports.js';
import { addImage, resultOf, startFleet } from '../support/managed.js';
import { consoleFiles, takeSeat, test } from '../support/seat.js';

type Called = { method: string; path: string; isCheck: boolean };

/** Calls like that wait for the test, before they come to the server or on their way back. */
async function held(page: Page, isIt: (called: Called) => boolean, where: 'up' | 'down' = 'up') {
  const { opened, open } = gate();
  const met = gate();
  await page.route(
    ({ pathname }) => pathname.startsWith('/api/'),
    async (route) => {
      const request = route.request();
      const isCheck = 'x-check-only' in request.headers();
      if (!isIt({ method: request.method(), path: new URL(request.url()).pathname, isCheck })) return route.fallback();
      if (where === 'up') {
        met.open();
        await opened;
        return route.continue();
      }
      const response = await route.fetch();
      met.open();
      await opened;
      return route.fulfill({ response });
    },
  );
  return { met: met.opened, release: open };
}

test('an upload that is cancelled while its image is being made leaves nothing of it', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/bring/upload');
  await page
    .locator('fieldset.drop input[type=file]')
    .setInputFiles({ name: 'disk.raw', mimeType: 'application/octet-stream', buffer: Buffer.alloc(4096, 7) });
  await page.getByRole('combobox', { name: 'Type' }).selectOption('other');
  const { met, release } = await held(
    page,
    ({ method, path, isCheck }) => !isCheck && method === 'POST' && path === '/api/image/disk',
    'down',
  );
  await page.getByRole('button', { name: 'Upload' }).click();
  await met;
  t.is((await fleet.eve('GET', '/api/image/disk')).status, 200, 'it is there, and the page does not know yet');
  const line = page.getByRole('region', { name: 'upload of disk', exact: true });
  await line.getByRole('button', { name: 'Cancel disk' }).click();
  await page.getByRole('button', { name: 'Cancel it' }).click();
  release();
  await line.waitFor({ state: 'detached' });
  t.is((await fleet.eve('GET', '/api/image/disk')).status, 404);
  t.deepEqual(resultOf(await fleet.eve('GET', '/api/upload')), []);
  t.deepEqual(await leftBy(fleet), NOTHING);
  t.deepEqual(complaints, []);
});

test('what changes between the first read and the stream of events is shown all the same', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: fleet.token });
  const { met, release } = await held(page, ({ path }) => path === '/api/events');
  await open('/groups');
  await met;
  await page.getByText(/^\d+ rows?$/).waitFor();
  t.is((await fleet.root('POST', '/api/group/between', {})).status, 201);
  t.is(await page.getByRole('link', { name: 'between' }).count(), 0);
  release();
  await page.getByRole('link', { name: 'between' }).waitFor();
  t.deepEqual(complaints, []);
});

test('who changes an image twice before its row has followed is not taken for somebody else', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(fleet, 'first', { alias: 'first' });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await open('/');
  await page.getByText('live', { exact: true }).waitFor();
  const named = page.getByRole('button', { name: 'first: rename' });
  await named.waitFor();
  const { release } = await held(page, ({ method, path }) => method === 'GET' && /\/image$/.test(path));
  for (const alias of ['second', 'third']) {
    await named.click();
    await page.getByRole('textbox', { name: 'new name of first' }).fill(alias);
    await page.keyboard.press('Enter');
    await named.waitFor();
  }
  t.is(resultOf(await fleet.root('GET', `/api/image/${uuid}`)).alias, 'third');
  release();
  await page.getByRole('button', { name: 'third: rename' }).waitFor();
  t.deepEqual(complaints, []);
});

test('a machine that somebody else registers in the same moment is shown, and not overwritten', async (t) => {
  const fleet = await startFleet(t, { console: consoleFiles });
  const { page, open, complaints } = await takeSeat(t, fleet, { token: fleet.token });
  await open('/machines');
  const [taken, free] = [numbered(1), numbered(2)];
  const form = await opened(page, 'Register a machine …', 'Register a machine');
  await fillIn(form, { UUID: taken, Name: 'mine', 'Data center': 'east' });
  const { met, release } = await held(page, ({ method, path }) => method === 'PUT' && path === `/api/vm/${taken}`);
  await form.getByRole('button', { name: 'Register', exact: true }).click();
  await met;
  const theirs = { hostname: 'theirs', dc: 'west', tags: ['a'] };
  t.is((await fleet.root('PUT', `/api/vm/${taken}`, theirs)).status, 200);
  release();
  await form.getByText(/it is known already, as theirs, .*data center “west”, tags “a”/).waitFor();
  await form.locator('[name=uuid][aria-invalid=true]').waitFor();
  t.is(await form.locator('[name=hostname]').inputValue(), 'mine', 'what was typed is kept');
  t.like(resultOf(await fleet.root('GET', `/api/vm/${taken}`)), theirs);
  await fillIn(form, { UUID: free });
  await confirmed(form, 'Register');
  t.like(resultOf(await fleet.root('GET', `/api/vm/${free}`)), { hostname: 'mine', dc: 'east' });
  t.like(resultOf(await fleet.root('GET', `/api/vm/${taken}`)), theirs);
  t.deepEqual(complaints, []);
});
