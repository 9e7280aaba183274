import { images } from '../../server/model/image.js';
import { place } from '../support/datacenters.js';
import { redrawn } from '../support/every-page.js';
import { startProxy } from '../support/failing-proxy.js';
import { addImage, resultOf, startFleet } from '../support/managed.js';
import { consoleFiles, type Seat, takeSeat, test } from '../support/seat.js';

/** The list of images, live. */
async function atImages({ page, open }: Seat): Promise<void> {
  await open('/');
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByText(/^\d+ rows?$/).waitFor();
}

const setHidden = (page: Seat['page'], isHidden: boolean) =>
  page.evaluate(
    `Object.defineProperty(document, 'hidden', { configurable: true, value: ${isHidden} });
     document.dispatchEvent(new Event('visibilitychange'));`,
  );

const rename = (page: Seat['page'], alias: string) => page.getByRole('button', { name: `${alias}: rename` });

test('what one renames is renamed before another, and both at once overwrite nothing silently', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(server, 'base-one');
  await server.root('PUT', `/api/image/${uuid}`, { alias: 'first' });
  const eve = await takeSeat(t, server, { token: 'token-of-eve' });
  const root = await takeSeat(t, server, { token: server.token });
  for (const seat of [eve, root]) await atImages(seat);

  await rename(eve.page, 'first').click();
  await eve.page.getByRole('textbox', { name: /name/i }).fill('second');
  await eve.page.keyboard.press('Enter');
  await rename(root.page, 'second').waitFor();
  t.is(resultOf(await server.root('GET', `/api/image/${uuid}`)).alias, 'second');

  // both have begun
  for (const seat of [eve, root]) await rename(seat.page, 'second').click();
  await eve.page.getByRole('textbox', { name: /name/i }).fill('third');
  await root.page.getByRole('textbox', { name: /name/i }).fill('fourth');
  await eve.page.keyboard.press('Enter');
  await rename(eve.page, 'third').waitFor();
  await root.page.keyboard.press('Enter');
  await root.page
    .getByText(/its name was “second” and is “third”/)
    .first()
    .waitFor();
  t.is(await root.page.getByRole('textbox', { name: /name/i }).inputValue(), 'fourth', 'nothing typed is lost');
  t.is(resultOf(await server.root('GET', `/api/image/${uuid}`)).alias, 'third');
  t.deepEqual([...eve.complaints, ...root.complaints], []);
});

test('a form that is overtaken shows the difference, keeps what was typed, and saves when it was seen', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const { page, open } = await takeSeat(t, server, { token: server.token });
  const change = { alias: 'By another', location: 'Brno' };
  await open('/datacenters/east');
  await page
    .getByRole('button', { name: /^Change/ })
    .first()
    .click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Alias').fill('By me');
  await server.root('PUT', '/api/dc/east', change);
  await form.getByText('Somebody else has made it “By another” meanwhile.').waitFor();
  t.is(await form.getByLabel('Location').inputValue(), 'Brno', 'what nobody has typed over follows');
  t.is(await form.getByLabel('Alias').inputValue(), 'By me');
  await form.getByRole('button', { name: 'Save' }).click();
  await form.waitFor({ state: 'detached' });
  t.like(resultOf(await server.root('GET', '/api/dc/east')), { alias: 'By me', location: 'Brno' });
});

test('after a lost connection the page catches up with what was missed, by itself', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const gone = await addImage(server, 'goes-away');
  const way = await startProxy(t, () => server.port);
  const seat = await takeSeat(t, { url: `http://127.0.0.1:${way.port}` }, { token: server.token });
  const { page, complaints } = seat;
  await atImages(seat);
  await page.getByText('goes-away').first().waitFor();
  way.refuse();
  way.cut();
  await page.getByText('the server is out of reach: what is shown may be old').waitFor();
  t.true(await page.getByText('goes-away').first().isVisible(), 'what was known stays');
  await addImage(server, 'comes-in');
  t.is((await server.root('DELETE', `/api/image/${gone}`)).status, 200);
  way.allow();
  await page.getByText('comes-in').first().waitFor();
  await page.getByText('goes-away').first().waitFor({ state: 'detached' });
  await page.getByText('live', { exact: true }).waitFor();
  t.deepEqual(complaints, []);
});

test('thousands of events are a few calls, and the page answers meanwhile', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const uuid = await addImage(server, 'busy');
  const seat = await takeSeat(t, server, { token: server.token });
  const { page } = seat;
  await atImages(seat);
  let asked = 0;
  page.on('request', (request) => {
    if (request.url().includes('/api/image')) asked += 1;
  });
  const { catalog } = server.deps;
  const began = performance.now();
  for (let version = 1; version <= 2000; version += 1) {
    await catalog.write(async (tx) => {
      const image = await tx.get(images, uuid);
      await tx.replace(images, { ...image!, description: `of ${version}` });
    });
    if (version === 1000) await page.getByRole('searchbox', { name: 'Search images' }).fill('busy');
  }
  await place(server, uuid, { golden: true });
  await page.getByRole('row').filter({ hasText: 'busy' }).getByText('golden').waitFor();
  const seconds = (performance.now() - began) / 1000;
  t.true(asked <= 10 + 3 * seconds, `${asked} calls in ${seconds} s`);
  t.is(new URL(page.url()).searchParams.get('search'), 'busy');
});

test('a window that nobody sees holds no stream, and has it all when it is looked at again', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const seat = await takeSeat(t, server, { token: server.token });
  const { page } = seat;
  await page.clock.install();
  await atImages(seat);
  t.is(server.deps.events.listeners, 1);
  await setHidden(page, true);
  await page.clock.fastForward(11_000);
  while (server.deps.events.listeners > 0) await page.evaluate('0'); // it is let go of, which the server hears
  // Once it is live a page reads all once more: that is over before anything comes.
  await redrawn(page);
  await seat.settled();
  await addImage(server, 'meanwhile');
  t.is(await page.getByText('meanwhile').count(), 0);
  await setHidden(page, false);
  await page.getByText('meanwhile').first().waitFor();
});

test('a stream that is cut while nobody sees the window stays away until it is looked at again', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const way = await startProxy(t, () => server.port);
  const seat = await takeSeat(t, { url: `http://127.0.0.1:${way.port}` }, { token: server.token });
  const { page } = seat;
  await page.clock.install();
  await atImages(seat);
  await setHidden(page, true);
  let asked = 0;
  page.on('request', (request) => {
    if (request.url().includes('/api/events')) asked += 1;
  });
  way.cut();
  await page.getByText('the server is out of reach').waitFor();
  await page.clock.fastForward(11_000);
  await addImage(server, 'meanwhile');
  t.is(asked, 0);
  await setHidden(page, false);
  await page.getByText('meanwhile').first().waitFor();
});
