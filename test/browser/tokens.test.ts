import { confirmed, fillIn, opened, refusedWith, toasted } from '../support/forms.js';
import { resultOf, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

interface Token {
  name: string;
  user: string;
}

test('a token is made for a scope, a data center and a while; its secret is shown once, used, and revoked', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const { page, context, open, received, settled, complaints } = await takeSeat(t, server, { token: 'token-of-eve' });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open('/tokens');

  const making = await opened(page, 'Make a token …', 'A new token');
  t.is(await making.getByLabel('Whose').count(), 0, 'others are for SuperAdmins');
  await fillIn(making, { Name: 'ci', 'What it is good for': 'read only', Where: 'in east only', Until: 'soon' });
  await refusedWith(making, 'Make it', /expires|is no/);
  await fillIn(making, { Until: '30d' });
  await making.getByRole('button', { name: 'Make it' }).click();
  const once = page.getByRole('dialog', { name: 'The token ci of eve' });
  await once.getByText('It is not shown again.').waitFor();
  t.deepEqual(await seriousOf(page), []);
  for (let n = 0; n < 6; n += 1) await page.keyboard.press('Escape');
  t.true(await once.isVisible(), 'it does not go away by mistake');
  // Where nothing in it has the focus, the browser would close it by itself.
  await once.getByText('It is not shown again.').click();
  for (let n = 0; n < 6; n += 1) await page.keyboard.press('Escape');
  await once.waitFor(); // the page is told later that it was closed, and opens it again
  const secret = (await once.locator('code').textContent()) ?? '';
  // As on plain HTTP.
  await page.evaluate(`Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })`);
  await once.getByRole('button', { name: 'copy the secret' }).click();
  await toasted(page, 'the browser does not let us copy: the secret is selected');
  t.is(await page.evaluate('String(getSelection())'), secret);
  t.false((await page.getByRole('log').allTextContents()).join().includes(secret));
  await once.getByRole('log').getByRole('button', { name: 'dismiss' }).click();
  await once.getByText('the browser does not let us copy').waitFor({ state: 'detached' });
  await page.evaluate('delete navigator.clipboard');
  await once.getByRole('button', { name: 'copy the secret' }).click();
  await toasted(page, 'the secret copied');
  t.is(await page.evaluate('navigator.clipboard.readText()'), secret);
  await once.getByRole('button', { name: 'I have it' }).click();

  const row = page.getByRole('row').filter({ hasText: 'ci' });
  await row.getByText('read', { exact: true }).waitFor();
  await row.getByText('east', { exact: true }).waitFor();
  await row.getByText('never', { exact: true }).waitFor();
  const by = (method: string, path: string) =>
    server.ask(method, path, { as: 'anonymous', headers: { authorization: `Bearer ${secret}` } });
  t.is((await by('GET', '/api/dc/east/image')).status, 200);
  t.is((await by('POST', '/api/image/other')).status, 403, 'it is good for reading only');
  await server.deps.uses.flush(server.deps.catalog);
  await settled(); // what a page has got that was left can not be read any more
  await page.reload();
  await row.getByText(/now|second/).waitFor();
  await settled();
  t.is(received.filter((text) => text.includes(secret)).length, 1, 'the secret came once');
  t.false(received.some((text) => text.includes('"user":"dora"')));

  await confirmed(await opened(page, 'Revoke ci of eve …', 'Revoke the token ci of eve?'), 'Revoke');
  await row.waitFor({ state: 'detached' });
  t.is((await by('GET', '/api/account')).status, 401);
  t.deepEqual(complaints, []);
});

test('a SuperAdmin sees the tokens of all, makes them for others and revokes them', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/tokens');
  await page.getByRole('button', { name: 'Revoke test of will …' }).waitFor();
  const making = await opened(page, 'Make a token …', 'A new token');
  await fillIn(making, { Name: 'ci', Whose: 'nobody', Until: '' });
  await refusedWith(making, 'Make it', /nobody/);
  await fillIn(making, { Whose: 'mia' });
  await making.getByRole('button', { name: 'Make it' }).click();
  await page.getByRole('dialog', { name: 'The token ci of mia' }).getByRole('button', { name: 'I have it' }).click();
  await page.getByLabel('Search tokens').fill('ci');
  await page.getByText('1 row', { exact: true }).waitFor();
  await open('/users/mia');
  await confirmed(await opened(page, 'Revoke ci of mia …', 'Revoke the token ci of mia?'), 'Revoke');
  await page.getByRole('button', { name: 'Revoke ci of mia …' }).waitFor({ state: 'detached' });
  const left = resultOf<Token[]>(await server.mia('GET', '/api/token'));
  t.deepEqual(
    left.map(({ name }) => name),
    ['test'],
  );

  await open('/tokens');
  await page.getByLabel('whose').selectOption({ label: 'of mia' });
  await page.getByText('1 row', { exact: true }).waitFor();
  t.deepEqual(complaints, []);
});
