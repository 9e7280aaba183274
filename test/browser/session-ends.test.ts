import type { ExecutionContext } from 'ava';
import { groups } from '../../server/model/group.js';
import { sessions } from '../../server/model/session.js';
import { startProxy } from '../support/failing-proxy.js';
import { type Fleet, startFleet } from '../support/managed.js';
import { givePassword, signInAs, signInOf } from '../support/passwords.js';
import { consoleFiles, type Seat, seriousOf, takeSeat, test } from '../support/seat.js';

const HOUR = 3_600_000;

/** A SuperAdmin has begun to make a group when the session ends. */
async function inTheMiddle(t: ExecutionContext): Promise<{ server: Fleet; seat: Seat }> {
  const server = await startFleet(t, { console: consoleFiles });
  for (const name of ['admin', 'dora']) await givePassword(server, name);
  const seat = await takeSeat(t, server, { token: server.token });
  const { page, open } = seat;
  await open('/groups');
  await page.getByRole('button', { name: 'Make a group …' }).click();
  const form = page.getByRole('dialog', { name: 'A new group' });
  await form.getByLabel('Name').fill('makers');
  await form.getByLabel('Alias').fill('Those who make');
  await endBefore(seat, server, '/group/makers');
  await form.getByRole('button', { name: 'Make it' }).click();
  await signInOf(page).getByRole('heading', { name: 'Your session has ended' }).waitFor();
  return { server, seat };
}

/** Just before that is asked for: an event stream that ends would have told the page. */
const endBefore = ({ page }: Seat, server: Fleet, path: string) =>
  page.route(
    (url) => url.pathname.endsWith(path),
    async (route) => {
      await endAll(server);
      await route.continue();
    },
    { times: 1 },
  );

const endAll = ({ deps }: Fleet) =>
  deps.catalog.write(async (tx) => {
    for await (const { hash } of deps.catalog.list(sessions)) await tx.delete(sessions, hash);
  });

const made = ({ deps }: Fleet) => deps.catalog.get(groups, 'makers');

test('a session that ends in the middle of something loses nothing, and what was sent is done', async (t) => {
  const { server, seat } = await inTheMiddle(t);
  const { page, complaints } = seat;
  t.is(await signInOf(page).getByLabel('User').inputValue(), 'admin');
  await signInOf(page).locator('[name=password]:focus').waitFor();
  t.deepEqual(await seriousOf(page), []);
  for (let n = 0; n < 6; n += 1) await page.keyboard.press('Escape');
  t.true(await signInOf(page).isVisible());
  await signInAs(page, 'admin', 'mistyped');
  await signInOf(page).getByText('the user name or the password is wrong').waitFor();
  t.is(await made(server), undefined);

  await signInAs(page, 'admin');
  await page.getByRole('heading', { name: /Those who make/, level: 1 }).waitFor();
  t.like(await made(server), { name: 'makers', alias: 'Those who make' });
  await page.getByText('live', { exact: true }).waitFor();
  t.deepEqual(complaints, []);
});

test('what was typed is there when the page was left and has come back, and nobody else sees it', async (t) => {
  const { server, seat } = await inTheMiddle(t);
  const { page, open } = seat;
  await page.reload();
  await signInAs(page, 'admin');
  await page.getByRole('button', { name: 'Make a group …' }).click();
  t.is(await page.getByRole('dialog').getByLabel('Alias').inputValue(), 'Those who make');

  await endAll(server);
  await signInOf(page).waitFor();
  await signInAs(page, 'dora');
  await page.getByRole('button', { name: 'dora' }).waitFor();
  t.is(await page.getByRole('dialog').count(), 0);
  t.is(await page.getByText('Those who make').count(), 0);
  t.notRegex(await page.evaluate<string>('JSON.stringify(sessionStorage)'), /Those who make/);
  t.is(await made(server), undefined);
  await open('/users');
  await page.getByRole('heading', { name: 'This page is not for you' }).waitFor();
});

/** A server and a page before it whose clocks go as the test says. */
async function byTheClock(t: ExecutionContext, token: (server: Fleet) => string) {
  let ahead = 0;
  const now = () => new Date(Date.now() + ahead);
  const server = await startFleet(t, { console: consoleFiles, now });
  const seat = await takeSeat(t, server, { token: token(server) });
  const { page } = seat;
  await page.clock.install();
  const pass = async (milliseconds: number) => {
    ahead += milliseconds;
    await page.clock.fastForward(milliseconds);
  };
  // What Node says of the time is no business of the server.
  await page.route(
    ({ pathname }) => pathname.startsWith('/api/') && !pathname.endsWith('/events'),
    async (route) => {
      try {
        const response = await route.fetch();
        await route.fulfill({ response, headers: { ...response.headers(), date: now().toUTCString() } });
      } catch {
        // the page has gone
      }
    },
  );
  return {
    ...seat,
    server,
    begin: async (path: string) => {
      await openWhole(seat, path, pass);
      await server.deps.uses.flush(server.deps.catalog);
    },
    pass,
  };
}

type Pass = (milliseconds: number) => Promise<void>;

/** Opens a page, of which all has come, however slowly: it has asked just now who it is, and nothing was used since. */
async function openWhole({ page, open, settled }: Seat, path: string, pass: Pass): Promise<void> {
  let told = 0;
  // Once it is live, all is read once more.
  const twice = page.waitForResponse((response) => {
    if (isAccount(response)) told += 1;
    return told === 2;
  });
  await open(path);
  await twice;
  let isQuiet = false;
  const stir = () => {
    isQuiet = false;
  };
  page.on('request', stir);
  page.on('response', stir);
  while (!isQuiet) {
    isQuiet = true;
    await pass(1000); // an answer leads to the next question
    await settled();
  }
  const prolonged = page.waitForResponse(isAccount);
  await page.keyboard.press('Shift');
  await pass(6 * 60_000);
  await prolonged;
  await settled();
}

const isAccount = (called: { url(): string }) => called.url().endsWith('/api/account');

/** When the session of the only one who is signed in ends. */
async function endIn({ deps }: Fleet): Promise<number> {
  await deps.uses.flush(deps.catalog);
  const ends = [];
  for await (const { expires } of deps.catalog.list(sessions)) ends.push(Date.parse(expires));
  return Math.max(...ends);
}

test('one is told before a session ends for nothing was done, and stays by doing something', async (t) => {
  const { server, page, begin, pass } = await byTheClock(t, ({ token }) => token);
  await begin('/groups');
  const end = await endIn(server);
  await pass(11 * HOUR);
  t.is(await page.getByRole('alert').count(), 0);
  await pass(56 * 60_000);
  const warning = page.getByRole('alert').getByText('Your session ends in');
  await warning.waitFor();
  t.deepEqual(await seriousOf(page), []);
  t.is(await endIn(server), end);
  const prolonged = page.waitForResponse(isAccount);
  await page.getByRole('button', { name: 'Stay signed in' }).click();
  t.is((await prolonged).status(), 200);
  await warning.waitFor({ state: 'detached' });
  t.true((await endIn(server)) >= end + 11 * HOUR);
});

test('whoever types uses the session, though nothing is sent', async (t) => {
  const { page, begin, pass, settled } = await byTheClock(t, ({ token }) => token);
  await begin('/groups');
  const pressed = page.waitForResponse(isAccount);
  await page.mouse.move(5, 5);
  await page.getByRole('button', { name: 'Make a group …' }).press('Enter');
  await page.getByRole('dialog').waitFor();
  await pass(6 * 60_000);
  t.is((await pressed).status(), 200);
  await settled();
  let asked = 0;
  page.on('request', (request) => {
    if (isAccount(request)) asked += 1;
  });
  await page.mouse.move(5, 5); // where it was: browsers tell so when a page moves under a pointer that rests
  await pass(6 * 60_000);
  await settled();
  t.is(asked, 0, 'nothing was done');
  const typed = page.waitForResponse(isAccount);
  await page.getByRole('dialog').getByLabel('Alias').pressSequentially('abc');
  await pass(6 * 60_000);
  t.is((await typed).status(), 200);
});

test('a list that is asked for again as time passes keeps nobody signed in', async (t) => {
  const { server, page, begin, pass } = await byTheClock(t, () => 'token-of-mia');
  await begin('/offered');
  const end = await endIn(server);
  const polled = page.waitForRequest((request) => request.url().includes('/picker'));
  await pass(11 * HOUR + 56 * 60_000);
  t.is((await polled).headers()['x-unasked'], 'true');
  t.is((await (await polled).response())?.status(), 200);
  await page.getByRole('alert').getByText('Your session ends in').waitFor();
  t.is(await endIn(server), end);
  await pass(5 * 60_000);
  await signInOf(page).getByRole('heading', { name: 'Your session has ended' }).waitFor();
});

test('a session that lasts no longer says so, and one signs in again in time', async (t) => {
  const { server, page, begin, pass } = await byTheClock(t, ({ token }) => token);
  await givePassword(server, 'admin');
  await server.deps.catalog.write(async (tx) => {
    for await (const session of server.deps.catalog.list(sessions)) {
      const until = new Date(Date.now() + HOUR).toISOString();
      await tx.replace(sessions, { ...session, expires: until, cookie: { ...session.cookie!, until } });
    }
  });
  await begin('/account');
  await pass(50 * 60_000);
  await page.getByText('It has lasted as long as it can').waitFor();
  await page.getByRole('button', { name: 'Sign in again' }).click();
  await signInAs(page, 'admin');
  await signInOf(page).waitFor({ state: 'detached' });
  t.is(await page.getByRole('alert').count(), 0);
});

test('a session that could not be prolonged, for the server is away, is not said to be at its end', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const way = await startProxy(t, () => server.port);
  const seat = await takeSeat(t, { url: `http://127.0.0.1:${way.port}` }, { token: server.token });
  const { page } = seat;
  await page.clock.install();
  await openWhole(seat, '/groups', (milliseconds) => page.clock.fastForward(milliseconds));
  await page.clock.fastForward(11 * HOUR + 56 * 60_000);
  const warning = page.getByText('Your session ends in');
  await warning.waitFor();
  way.refuse();
  way.cut();
  let failed = 0;
  const thrice = page.waitForEvent('requestfailed', (request) => {
    if (request.url().endsWith('/api/account')) failed += 1;
    return failed === 3;
  });
  await page.getByRole('button', { name: 'Stay signed in' }).click();
  await thrice;
  await page.getByText('Nothing has been done here for long.').waitFor();
  t.is(await page.getByText('It has lasted as long as it can').count(), 0);
  way.allow();
  await page.getByRole('button', { name: 'Stay signed in' }).click();
  await warning.waitFor({ state: 'detached' });
});

test('an audit that is exported when the session has ended comes after one has signed in again', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  await givePassword(server, 'admin');
  const seat = await takeSeat(t, server, { token: server.token });
  const { page, open, complaints } = seat;
  await open('/audit');
  await page.getByRole('row').locator('time').first().waitFor();
  await endBefore(seat, server, '/audit/export');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export as CSV' }).click();
  await signInAs(page, 'admin');
  t.is((await download).suggestedFilename(), 'audit.csv');
  t.deepEqual(complaints, []);
});
