import { signInProblems } from '../../server/model/sign-in-problem.js';
import { startProxy } from '../support/failing-proxy.js';
import { startIssuer } from '../support/issuer.js';
import { startFleet } from '../support/managed.js';
import { givePassword, PASSWORD, signInAs, signInOf } from '../support/passwords.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';
import { startServer } from '../support/server.js';
import { serving, sessionsIn } from '../support/signing-in.js';

test('with the right password one is in, and signing out leaves nothing, in no window', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  await givePassword(server, 'dora');
  const { page, context, open, complaints } = await takeSeat(t, server);
  await open('/groups?search=east');
  const dialog = signInOf(page);
  await dialog.locator('[name=username]:focus').waitFor();
  t.is(await dialog.getByLabel('User').getAttribute('autocomplete'), 'username');
  t.is(await dialog.getByLabel('Password').getAttribute('autocomplete'), 'current-password');
  t.deepEqual(await seriousOf(page), []);
  for (let n = 0; n < 6; n += 1) await page.keyboard.press('Escape');
  t.true(await dialog.isVisible());

  await signInAs(page, 'dora', 'guessed');
  await dialog.getByText('the user name or the password is wrong').waitFor();
  t.is(await dialog.getByLabel('User').inputValue(), 'dora');
  t.is(await sessionsIn(server), 0);
  await signInAs(page, 'dora');
  await page.getByRole('heading', { name: 'Groups', level: 1 }).waitFor();
  t.is(new URL(page.url()).search, '?search=east', 'where one wanted to');
  t.is(await page.getByRole('searchbox', { name: 'Search groups' }).inputValue(), 'east');
  t.is(await sessionsIn(server), 1);

  const other = await context.newPage();
  await other.goto(`${server.url}/console/account`);
  await other.getByRole('heading', { name: /My account/ }).waitFor();
  await page.getByRole('button', { name: 'dora' }).click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  for (const window of [page, other]) {
    await signInOf(window).getByRole('heading', { name: 'Sign in to Slipway' }).waitFor();
    t.is(await window.getByRole('heading', { level: 1 }).count(), 0);
  }
  t.is(await sessionsIn(server), 0);
  t.deepEqual(await context.cookies(), []);

  // and in one of them is in both
  await signInAs(other, 'dora');
  await page.getByRole('heading', { level: 1 }).waitFor();
  t.deepEqual(complaints, []);
});

test('a token that is good signs in, and what is not is told in words', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const { page, open } = await takeSeat(t, server);
  await open('/account');
  const dialog = signInOf(page);
  await dialog.getByRole('button', { name: 'Sign in with a token' }).click();
  await dialog.locator('[name=token]:focus').waitFor();
  await dialog.getByRole('button', { name: 'Sign in with a password' }).click();
  await dialog.locator('[name=username]:focus').waitFor();
  await dialog.getByRole('button', { name: 'Sign in with a token' }).click();
  const signIn = async (token: string) => {
    await dialog.getByLabel('Token').fill(token);
    await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
  };
  await signIn('token-of-nobody');
  await dialog.getByText('the token is not valid: make another one, or sign in with a password').waitFor();
  await signIn('token-of-mia');
  await page.getByRole('heading', { name: /My account mia/ }).waitFor();
  t.is(await page.getByRole('dialog').count(), 0);
});

test('whoever has guessed too often is told when to try again', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  await givePassword(server, 'dora');
  const guess = { username: 'dora', password: 'guessed' };
  for (let left = 10; left > 0; left -= 1) await server.ask('POST', '/api/session', { as: 'anonymous', body: guess });
  const { page, open } = await takeSeat(t, server);
  await open('/');
  await signInAs(page, 'dora', PASSWORD);
  await signInOf(page)
    .getByText(/too many logins have failed: try again in \d+ s/)
    .waitFor();
  t.is(await sessionsIn(server), 0);
});

test('signed out everywhere is signed out in every browser, at once', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const here = await takeSeat(t, server, { token: 'token-of-dora' });
  const there = await takeSeat(t, server, { token: 'token-of-dora' });
  await there.open('/groups');
  await there.page.getByText('live', { exact: true }).waitFor();
  await here.open('/account');
  await here.page.getByRole('button', { name: 'Sign out everywhere …' }).click();
  const asked = here.page.getByRole('dialog', { name: 'Sign dora out everywhere?' });
  await asked.getByText('2 sessions end at once, this one too').waitFor();
  await asked.getByRole('button', { name: 'Sign out everywhere' }).click();
  for (const { page } of [here, there]) await signInOf(page).waitFor();
  t.is(await sessionsIn(server), 0);
});

test('by OpenID Connect one comes to where one wanted to, and signs out there as well', async (t) => {
  const way = await startProxy(t, () => server.port);
  // another site than the issuer's, to a browser
  const publicUrl = `http://localhost:${way.port}`;
  const issuer = await startIssuer(t, { publicUrl });
  const server = await startServer(t, serving(issuer, {}, { publicUrl, console: consoleFiles }));
  const { page, open, complaints } = await takeSeat(t, { url: publicUrl });

  await open('/account');
  await signInOf(page).getByRole('link', { name: 'Sign in at home' }).click();
  await signInOf(page).getByText(signInProblems.refused).waitFor();
  t.deepEqual(await seriousOf(page), []);
  t.is(new URL(page.url()).search, '', 'told once');

  await open('/account?x=1');
  issuer.person = { sub: 'subject-of-anna', preferred_username: 'anna', name: 'Anna' };
  await signInOf(page).getByRole('link', { name: 'Sign in at home' }).click();
  await page.getByRole('heading', { name: 'My account anna' }).waitFor();
  t.is(new URL(page.url()).pathname, '/console/account');
  t.is(new URL(page.url()).search, '?x=1');
  t.is(await sessionsIn(server), 1);

  const left = page.waitForURL((url) => url.origin === new URL(issuer.url).origin);
  await page.getByRole('button', { name: 'Anna' }).click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await left;
  t.is(await sessionsIn(server), 0);
  t.deepEqual(complaints, []);

  await open('/?error=constructor');
  await signInOf(page).getByRole('link', { name: 'Sign in at home' }).waitFor();
  t.is(await page.getByRole('alert').count(), 0, 'what has no words of ours is not told');
});
