import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { opened, toasted } from '../support/forms.js';
import { addImage, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

/** What is saved when that is pressed, as text. */
async function saved(page: Page, name: string): Promise<string> {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name }).click();
  return readFile(await (await download).path(), 'utf8');
}

const rowsOf = (csv: string) => csv.trimEnd().split('\r\n').slice(1);

test('the audit is searched by what, who, kind, object, data center and day, live, and exported as a whole', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  await addImage(server, 'base');
  for (let round = 0; round < 130; round += 1) await server.root('PUT', '/api/image/base', { desc: `round ${round}` });
  await server.root('POST', '/api/user/_x', {});
  await server.root('DELETE', '/api/user/_x');
  t.is((await server.root('POST', '/api/group/crew', {})).status, 201);
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/audit');
  await page.getByText('more than 100 rows').waitFor();

  await page.getByLabel('of which kind').selectOption('groups');
  await page.getByLabel('of this: a name or an id').fill('crew');
  await page.getByText('1 row', { exact: true }).waitFor();
  await page.getByRole('row').filter({ hasText: 'CreateGroup' }).getByText('done', { exact: true }).waitFor();
  const entry = await opened(page, 'CreateGroup', 'CreateGroup');
  await entry.getByText('crew', { exact: true }).first().waitFor();
  t.deepEqual(await seriousOf(page), []);
  await entry.getByRole('button', { name: 'Close', exact: true }).click();
  t.is((await server.root('PUT', '/api/group/crew', { alias: 'Crew' })).status, 200);
  await page.getByText('2 rows', { exact: true }).waitFor();
  const change = await opened(page, 'UpdateGroup', 'UpdateGroup');
  await change.getByText('changed: alias').waitFor();
  await change.getByRole('button', { name: 'Close', exact: true }).click();

  await page.getByLabel('of which kind').selectOption('');
  await page.getByLabel('this call only').fill('UpdateManagedImage');
  await page.getByLabel('of this: a name or an id').fill('base');
  await page.getByLabel('data center', { exact: true }).selectOption('east');
  await page.getByText('more than 100 rows').waitFor();
  const csv = rowsOf(await saved(page, 'Export as CSV'));
  t.is(csv.length, 130, 'all that the filters match, and not only what is shown');
  t.true(csv.every((row) => row.includes('images base')));
  const jsonl = (await saved(page, 'Export as JSON lines')).trimEnd().split('\n');
  t.is(jsonl.length, 130);
  t.true(jsonl.every((line) => JSON.parse(line).what === 'UpdateManagedImage'));

  await page.getByLabel('by this user').fill('eve');
  await page.getByText('Nothing like that was done.').waitFor();
  await open('/audit?from=2000-01-01&to=2000-01-02');
  await page.getByText('Nothing like that was done.').waitFor();
  await open(
    `/audit?kind=users&object=_x&user=admin&from=${new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)}`,
  );
  await page.getByText('2 rows', { exact: true }).waitFor();

  const heads = await opened(page, 'How far it goes …', 'How far the chains of the audit go');
  await heads.getByRole('list', { name: 'chains' }).getByText('changes').waitFor();
  await page.keyboard.press('Escape');

  await page.context().setOffline(true);
  await page.getByRole('button', { name: 'Export as CSV' }).click();
  await toasted(page, /^the export has failed/);
  await page.context().setOffline(false);
  t.deepEqual(complaints, []);
});

test('what spreadsheets would take for a formula is none', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const as = { authorization: 'Bearer token-of-eve' };
  t.is((await server.ask('DELETE', '/api/image/=cmd()', { headers: as })).status, 404);
  await server.deps.audit.flush();
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/audit');
  const refused = page.getByRole('row').filter({ hasText: '=cmd()' }).first();
  await refused.getByText('ResourceNotFound', { exact: true }).waitFor();
  const rows = rowsOf(await saved(page, 'Export as CSV'));
  const cells = rows.flatMap((row) => row.split(','));
  t.true(rows.some((row) => row.includes('cmd()')));
  t.deepEqual(
    cells.filter((cell) => /^"?[=+@-]/.test(cell)),
    [],
  );
  t.deepEqual(complaints, []);
});

test('administrators of a data center find what concerns it, and nothing of another one', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  await addImage(server, 'base');
  await addImage(server, 'hidden-one', { dc: 'west' });
  await server.root('POST', '/api/user/hidden-user', {});
  const { page, open, received, complaints } = await takeSeat(t, server, { token: 'token-of-dora' });
  await open('/audit');
  await page.getByText('base', { exact: true }).first().waitFor();
  const choices = page.getByLabel('data center', { exact: true }).locator('option');
  await choices.filter({ hasText: 'east' }).waitFor({ state: 'attached' });
  t.deepEqual(await choices.allTextContents(), ['all of mine', 'east']);
  t.is(await page.getByRole('button', { name: 'How far it goes …' }).count(), 0);
  const csv = await saved(page, 'Export as CSV');
  const jsonl = await saved(page, 'Export as JSON lines');
  t.true(csv.includes('base') && jsonl.includes('base'));
  await open('/audit?dc=west');
  await page.getByRole('alert').waitFor();
  for (const text of [csv, jsonl, ...received]) t.false(text.includes('hidden-'));
  t.deepEqual(complaints, []);
});
